/*
 * Which Git blobs are pointers, and to what: "<common_dir>/dvx/pointers" (docs/pointer-cache.md), a
 * sorted table that is mapped and searched; a blob that it does not know is asked of Git once.
 * Blobs never change, so an entry never goes stale; "no pointer" is remembered, too.  A damaged
 * table is thrown away and made again.
 */
#ifndef LIB_REPO_POINTERS_H
#define LIB_REPO_POINTERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/repo/repo.h"
#include "lib/store/oid.h"
#include "lib/store/pointer.h"

struct pointers;
struct catfile;

enum pointers_state {
	POINTERS_UNKNOWN = 0, /* not asked yet */
	POINTERS_NO,	      /* a blob that is no pointer (or no blob at all) */
	POINTERS_YES,	      /* a pointer, canonical text */
	POINTERS_ODD,	      /* a pointer by another spelling: old version URL, CRLF, extensions */
	POINTERS_MISSING /* the blob is not in this repository (partial clone): nothing is known,
			    nothing was fetched */
};

struct pointers_query {
	uint8_t blob[REPO_ID_MAX]; /* in */
	int state;		   /* out: enum pointers_state */
	struct oid oid;		   /* out, of POINTERS_YES and POINTERS_ODD */
	uint64_t size;
};

/* 1 if the answer is that the blob is a pointer, in whatever spelling. */
static inline int pointers_is_pointer(const struct pointers_query *q)
{
	return q->state == POINTERS_YES || q->state == POINTERS_ODD;
}

/* `repo` is borrowed for the life of the cache.  Never fails for the sake of the cache file. */
int pointers_open(struct pointers **out, const struct repo *repo);
/* The same for a caller that has a `git cat-file` to ask, which is borrowed, too. */
int pointers_open_on(struct pointers **out, const struct repo *repo, struct catfile *cat);
/* Answer all of them; entries whose state is not POINTERS_UNKNOWN are left as they are. */
int pointers_resolve(struct pointers *p, struct pointers_query *q, size_t n);
/* Look in the cache only: 1 and the answer, or 0. */
int pointers_cached(const struct pointers *p, struct pointers_query *q);
/* Remember a pointer blob that the caller has just made. */
int pointers_add(struct pointers *p, const struct pointers_query *known);
/* Write the table if it learnt something (a failure to write is not an error), free.  NULL is fine.
 */
void pointers_close(struct pointers *p);

#endif
