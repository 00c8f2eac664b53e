/*
 * Locks on a Git LFS server, by whichever way it is reached (docs/locks.md).
 */
#ifndef TRANSFER_LFS_LOCKS_H
#define TRANSFER_LFS_LOCKS_H

#include "lib/wire/lfsjson.h"
#include "transfer/lfs/lfs_client.h"

/* One way.  `server` is the way's own (struct lfs_client, struct lfs_ssh).  All: 0;
 * ERR_UNSUPPORTED: the server has no locks; ERR_DENIED, ERR_REMOTE… */
struct lfs_lock_ops {
	/* ERR_EXISTS: *out is the lock that is there already, when the server told. */
	int (*create)(void *server, const struct lfs_lock_query *q, struct lfs_lock *out);
	/* One page: path, id, cursor, limit, ref. */
	int (*list)(void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out);
	/* One page: cursor, limit, ref. */
	int (*verify)(void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out);
	/* id, force, ref.  ERR_NOTFOUND; ERR_DENIED: somebody else's, and not forced. */
	int (*remove)(void *server, const struct lfs_lock_query *q, struct lfs_lock *out);
};

extern const struct lfs_lock_ops lfs_locks_http; /* server: struct lfs_client */
extern const struct lfs_lock_ops lfs_locks_ssh;	 /* server: struct lfs_ssh (lfs_ssh.h) */

#endif
