/*
 * Settling: making Git trust a file that it has just written.  Git distrusts an entry whose mtime
 * is not older than the index, in whole seconds, and would run the clean filter at the next `git
 * status` ("Racy entries" in docs/late-rehydration.md).
 */
#ifndef LIB_WORKTREE_SETTLE_H
#define LIB_WORKTREE_SETTLE_H

#include "lib/store/oid.h"
#include "lib/worktree/place.h"

/* What the file must hold. */
struct settle_expect {
	const void *text; /* exactly this, or NULL: */
	uint64_t len;	  /* bytes; at most SETTLE_MAX are looked at */
	struct oid oid;	  /* with text NULL: content of this id */
};

enum { SETTLE_MAX = 64 * 1024 };

/* If the file's mtime is in the second `racy_second` or later, give it the last nanosecond before
 * that, and make sure that it holds what is expected afterwards.  1: *st is to be patched into the
 * index; 0: nothing to do; ERR_CHANGED: it holds something else (its time is "now" again); other
 * errors. */
int settle_file(struct place *p, const char *path, int64_t racy_second,
	const struct settle_expect *e, struct stat *st);

#endif
