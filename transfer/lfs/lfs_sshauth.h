/*
 * Headers for a Git LFS server from its Git host: `ssh HOST git-lfs-authenticate PATH OPERATION`,
 * asked once until they expire or are refused.  Threads may share one.
 */
#ifndef TRANSFER_LFS_SSHAUTH_H
#define TRANSFER_LFS_SSHAUTH_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "transfer/lfs/lfs_client.h"

struct lfs_sshauth;

/* Options borrowed; their endpoint has `ssh`.  Asks nobody yet.  0, ERR_NOMEM. */
int lfs_sshauth_new(struct lfs_sshauth **out, const struct lfs_client_options *o);
/* NULL is fine. */
void lfs_sshauth_free(struct lfs_sshauth *s);
/* Append the href (nothing when there is none: the guess is right), the headers (may be NULL), and
 * set *generation (may be NULL) to which answer it was; 0: the host knows no such command.  0;
 * ERR_DENIED, ERR_REMOTE, ERR_INVALID: what SSH or the host said. */
int lfs_sshauth_get(
	struct lfs_sshauth *s, struct buf *href, struct strvec *headers, unsigned *generation);
/* The server said 401 to that answer's headers.  1: another answer is there or will be asked for;
 * 0: that was tried already. */
int lfs_sshauth_refused(struct lfs_sshauth *s, unsigned generation);
/* The server took them. */
void lfs_sshauth_accepted(struct lfs_sshauth *s, unsigned generation);

#endif
