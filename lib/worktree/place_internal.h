/*
 * What place.c and place_swap.c share.
 */
#ifndef LIB_WORKTREE_PLACE_INTERNAL_H
#define LIB_WORKTREE_PLACE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/worktree/place.h"
#include "lib/worktree/place_dir.h"

struct place {
	struct place_dir top;
	int staging_fd;
	dev_t staging_dev;
	struct buf session; /* "place-<pid>-<ns>-<n>": first part of the names of temporary files */
	struct buf lock;    /* path of its lock file */
	int lock_fd;
	atomic_uint counter;
	int lacks; /* PLACE_NO_… */
	pthread_mutex_t mutex;
	struct buf near; /* a directory of the worktree, known to be on the staging's file system */
};

/* Open the directory that holds `path`, for *at() calls.  Descriptor; ERR_DENIED, ERR_CHANGED (a
 * link), ERR_NOTFOUND… */
int place_parent(struct place *p, const char *path);
/* Make f's temporary file for `path`, whose directory is `dir` (used if f->beside).  0 or an error.
 */
int place_create_temp(struct place *p, const char *path, int dir, struct place_file *f);
/* The same mount is needed for a rename, not only the same file system: write the new file (`size`
 * bytes) once more, beside its place in `dir`. */
int place_move_beside(
	struct place *p, const char *path, int dir, struct place_file *f, uint64_t size);
/* Fail with errno: that a temporary file or its directory is gone is never ERR_NOTFOUND, which is
 * for the target. */
int place_temp_error(const struct place_file *f, const char *what);

#endif
