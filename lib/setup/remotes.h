/*
 * Which blob remote: names, URLs and the order in which places are asked.
 *
 *   explicit name (-r NAME)                    dvx-remote.NAME.url, else the Git remote NAME
 *   dvx.remote (Git config or .dvxconfig)      the default blob remote
 *   otherwise                                  the Git remote: of the push at hand, the branch's
 * upstream, remote.lfsdefault, "origin", the only one
 *
 * A Git remote that is a local directory or file:// URL keeps blobs beside its repository: Git
 * LFS's "<repo.git>/lfs/objects" when Git LFS is in use there (the directory exists) or here (small
 * objects are stored whole), else a blob store in "<repo.git>/dvx/".  When reading, both are asked.
 * Any other Git remote, and every one when the configuration says so (lfs.url and the like), has a
 * Git LFS server.
 */
#ifndef LIB_SETUP_REMOTES_H
#define LIB_SETUP_REMOTES_H

#include "lib/setup/config.h"

enum remote_kind {
	REMOTE_DIR,    /* a blob store in a directory: `path` */
	REMOTE_GITDIR, /* a local Git repository: `path` is its Git (common) directory */
	REMOTE_S3,     /* s3://bucket/prefix: `url` */
	REMOTE_SSH,    /* ssh://[user@]host[:port]/path or [user@]host:path: `url` */
	REMOTE_RCLONE, /* rclone://remote:path: `url` */
	REMOTE_LFS /* whole objects on a Git LFS server: `url`; which one, says lfs_endpoint.h */
};

struct remote_spec {
	char *name;	  /* as the user knows it: "storage", "origin", or the URL itself */
	char *url;	  /* as configured */
	char *path;	  /* absolute, for REMOTE_DIR and REMOTE_GITDIR; NULL otherwise */
	char *git_remote; /* REMOTE_LFS: the Git remote whose server is meant (`url` is the
			   * repository's); NULL: `url` is the server's own */
	enum remote_kind kind;
};

/* Resolve.  `name` may be NULL (default), a blob remote, a Git remote, or a URL/path; `git_remote`
 * (may be NULL) is the Git remote of the operation at hand.  0; ERR_NOTFOUND with what to type when
 * there is none at all. */
int remotes_resolve(struct remote_spec **out, const struct gitdir *g, const struct config *c,
	const char *name, const char *git_remote);
void remote_spec_free(struct remote_spec *r);

/* A spec for a URL or path that is no remote of any repository, as it was typed (a relative path is
 * below the current directory): always a blob store, whatever lies there. */
int remotes_spec_of_url(struct remote_spec **out, const char *url);
/* The kind that a URL (not a path) is of; REMOTE_LFS for http and https, negative
 * for none that is known (no message). */
int remotes_kind_of_url(const char *url);

/* The setting "dvx-remote.<name>.<key>" (key in lower case), NULL when unset or empty.  Borrowed.
 */
const char *remotes_setting(const struct config *c, const char *name, const char *key);

#endif
