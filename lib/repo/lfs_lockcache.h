/*
 * The locks that Git LFS took in this repository and noted in its own file, "<lfs.storage>/
 * lockcache.db" (Go's encoding/gob).  Read only, and only to be asked whether a path is in it: so
 * that a file which is edited with Git LFS's lock stays writable under our hooks.
 */
#ifndef LIB_REPO_LFS_LOCKCACHE_H
#define LIB_REPO_LFS_LOCKCACHE_H

#include "lib/base/buf.h"
#include "lib/repo/repo.h"

/* Append the file's content; a file that is not there, cannot be read or is unreasonably large
 * counts as empty.  0, ERR_NOMEM. */
int lfs_lockcache_read(struct buf *out, const struct repo *repo);
/* 1 if a lock of this path is in it, else 0.  Pure. */
int lfs_lockcache_has(const struct buf *content, const char *path);

#endif
