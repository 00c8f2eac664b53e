/*
 * The journal of files whose data still has to come: one file per rehydration under
 * "<git_dir>/dvx/pending/", flock()ed by its living owner and removed when nothing is left.  What a
 * killed, interrupted or lock-starved rehydration leaves behind is found here by the hooks and by
 * `git dvx checkout`; an empty directory costs the hooks one readdir.
 */
#ifndef LIB_WORKTREE_PENDING_H
#define LIB_WORKTREE_PENDING_H

#include <stddef.h>
#include <stdint.h>

#include "lib/store/oid.h"

struct pending_item {
	const char *path; /* below the worktree */
	struct oid oid;
	uint64_t size;
	uint8_t blob[32]; /* id of the pointer blob (20 bytes used with SHA-1) */
};

struct pending;

/* Begin: writes all items in one go.  0, ERR_LIMIT, ERR_IO… */
int pending_begin(
	struct pending **out, const char *git_dir, const struct pending_item *items, size_t n);
/* Replace by what is left (n == 0: removes the file); the lock is kept.  pending_free() still has
 * to follow. */
int pending_end(struct pending *p, const struct pending_item *left, size_t n);
/* Free without touching the file: if there still is one it stays as the record, without an owner
 * now.  NULL is fine. */
void pending_free(struct pending *p);

/* 1 if any journal without a living owner exists, readable or not; 0 if none. */
int pending_any(const char *git_dir);
/* Visit the items of every journal without a living owner; `fn` returning non-zero stops (1 is
 * returned).  ERR_CORRUPT after all others were visited: a journal could not be read (damaged, or
 * of a later version), so look at the whole worktree. */
int pending_each(
	const char *git_dir, int (*fn)(const struct pending_item *i, void *data), void *data);
/* Remove every journal without a living owner (those of a later version stay). */
int pending_clear(const char *git_dir);

#endif
