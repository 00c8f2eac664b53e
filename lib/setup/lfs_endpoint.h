/*
 * Which Git LFS server a remote has (docs/lfs-client.md, "Which server"): decided from the
 * configuration alone, nobody is asked.
 *
 *   upload      lfs.pushurl, lfs.url, remote.R.lfspushurl, remote.R.lfsurl, R's push URL + suffix
 *   download    lfs.url, remote.R.lfsurl, R's URL + suffix
 *
 * where the suffix is "/info/lfs" behind ".git", else ".git/info/lfs".  url.*.insteadOf and
 * pushInsteadOf apply.  A Git remote reached by SSH is asked there first (git-lfs-transfer,
 * git-lfs-authenticate); its https URL is the guess for when SSH has no answer.
 */
#ifndef LIB_SETUP_LFS_ENDPOINT_H
#define LIB_SETUP_LFS_ENDPOINT_H

#include "lib/base/buf.h"
#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/setup/remotes.h"

enum lfs_operation { LFS_DOWNLOAD, LFS_UPLOAD };

/* "download", "upload". */
const char *lfs_operation_name(enum lfs_operation op);

struct lfs_endpoint {
	enum lfs_operation operation;
	char *url;  /* "https://host[:port]/….git/info/lfs", no slash at the end, no user name or
		     * password in it; never NULL unless `standalone` */
	char *user; /* that the URL named; NULL */
	char *password; /* the same; only from the user's own configuration; NULL */
	char *ssh; /* "ssh://…" or "host:path" of the repository, when it is reached by SSH; NULL */
	char *remote;	  /* the Git remote's name, or the blob remote's; for messages and agents */
	char *standalone; /* lfs.standalonetransferagent for this URL (own configuration only); NULL
			   */
	int trusted; /* credentials may be sent: 0 when only a file of the tree names the server,
		      * and its host is not the Git remote's */
};

/* For a spec of kind REMOTE_LFS.  0; ERR_INVALID: a URL that is none (scheme, host, control
 * bytes…), with where it is configured; ERR_UNSUPPORTED: a scheme that no LFS server has;
 * ERR_DENIED: a password in a committed file. */
int lfs_endpoint_find(struct lfs_endpoint **out, const struct gitdir *g, const struct config *c,
	const struct remote_spec *spec, enum lfs_operation op);
void lfs_endpoint_free(struct lfs_endpoint *e);

/* 1 if the configuration sends the data of this Git remote (NULL: any) to an LFS server or a
 * standalone agent although the remote itself is local: lfs.url, lfs.pushurl, remote.R.lfsurl,
 * remote.R.lfspushurl or lfs.standalonetransferagent is set. */
int lfs_endpoint_is_configured(const struct config *c, const char *git_remote);

/* The repository on this machine that the user's own configuration names instead of a server
 * (lfs.url or remote.R.lfsurl, a file:// URL or path), unless an agent is to be asked; NULL.
 * Borrowed. */
const char *lfs_endpoint_local(const struct config *c, const char *git_remote);

/* The URL after url.<base>.insteadOf (`push`: pushInsteadOf first), as Git does it.  Appended. */
int lfs_endpoint_rewrite(struct buf *out, const struct config *c, const char *url, int push);

#endif
