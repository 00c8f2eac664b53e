/*
 * Locks of a local Git repository: lfs_lock_ops over the book that lies in it.
 */
#ifndef TRANSFER_LFS_LOCKS_BOOK_H
#define TRANSFER_LFS_LOCKS_BOOK_H

#include "lib/setup/remotes.h"
#include "transfer/depot/lockbook.h"
#include "transfer/lfs/lfs_locks.h"

enum { LFS_LOCKS_OWNER_MAX = 256 };

/* "<repository>/dvx/server/locks" of a spec of kind REMOTE_GITDIR. */
int lfs_locks_book_open(struct lockbook **out, const struct remote_spec *spec);
/* The name of the account that this process runs in. */
void lfs_locks_book_owner(char owner[static LFS_LOCKS_OWNER_MAX]);

extern const struct lfs_lock_ops lfs_locks_book; /* server: struct lockbook */

#endif
