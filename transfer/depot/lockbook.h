/*
 * The locks that a server of ours keeps (docs/lfs-server.md, "Locks"): a file each below a
 * directory, made and removed durably and by one process at a time.  A lock's id begins with the
 * name of its file, which is a hash of its path.
 */
#ifndef TRANSFER_LOCKBOOK_H
#define TRANSFER_LOCKBOOK_H

#include "lib/wire/lfsjson.h"

struct lockbook;

/* Nothing is made before the first lock is. */
int lockbook_open(struct lockbook **out, const char *directory);
void lockbook_close(struct lockbook *b);

/* 0; ERR_EXISTS: *out is the lock that is there (whoever's it is); ERR_INVALID: a path that is no
 * path of a worktree: empty, absolute, with "..", "." or control bytes, too long. */
int lockbook_create(struct lockbook *b, const char *path, const char *owner, struct lfs_lock *out);
/* A page, sorted by path: q->path and q->id restrict it, q->cursor goes on. */
int lockbook_list(struct lockbook *b, const struct lfs_lock_query *q, struct lfs_lock_page *out);
/* The same of all, divided by owner. */
int lockbook_verify(struct lockbook *b, const struct lfs_lock_query *q, const char *owner,
	struct lfs_lock_page *out);
/* By q->id.  0; ERR_NOTFOUND; ERR_DENIED: another's (*out is it), and not q->force. */
int lockbook_remove(struct lockbook *b, const struct lfs_lock_query *q, const char *owner,
	struct lfs_lock *out);

#endif
