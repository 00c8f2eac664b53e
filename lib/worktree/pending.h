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

/* Visit the items of all journals, whoever owns them, without touching them: for whoever wants to
 * know which objects are still needed.  `fn` returning non-zero stops (1 is returned); ERR_CORRUPT:
 * one cannot be read. */
int pending_each(
	const char *git_dir, int (*fn)(const struct pending_item *i, void *data), void *data);

/* Journals without a living owner, taken over: as long as they are held nobody else works on them,
 * and one that is left behind later is another one.  So look at the index only after taking. */
struct pending_taken;

/* Take those that there are now (so many at once as descriptors allow; the others stay for the next
 * time).  0, also if there are none, or ERR_IO… */
int pending_take(struct pending_taken **out, const char *git_dir);
/* Visit their items; `fn` returning non-zero stops (1 is returned).  ERR_CORRUPT after all others
 * were visited: a journal could not be read (damaged, or of a later version), so look at the whole
 * worktree. */
int pending_taken_each(
	struct pending_taken *t, int (*fn)(const struct pending_item *i, void *data), void *data);
/* Let go of them, and free; NULL is fine.  With `done` they are removed (those of a later version
 * stay), and what killed writers had only begun to write; else they are abandoned again.  0 or
 * ERR_IO. */
int pending_taken_end(struct pending_taken *t, int done);

#endif
