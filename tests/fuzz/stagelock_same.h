/*
 * Whether two dvx.lock files say the same, for the fuzzers.
 */
#ifndef TESTS_FUZZ_STAGELOCK_SAME_H
#define TESTS_FUZZ_STAGELOCK_SAME_H

#include <stdlib.h>
#include <string.h>

#include "lib/pipeline/stagelock_internal.h"

static inline void require(int condition)
{
	if (!condition)
		abort();
}

/* For stagelock_each: the other file (`data`) has the stage, and says the same of it. */
static inline int require_same_stage(const struct locked_stage *s, void *data)
{
	const struct locked_stage *other = stagelock_get(data, s->name);
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct oid key, other_key;

	require(other != NULL);
	require(locked_stage_format(&a, s) == 0 && locked_stage_format(&b, other) == 0);
	require(strcmp(a.p, b.p) == 0);
	require(locked_stage_key(&key, s) == 0 && locked_stage_key(&other_key, other) == 0);
	require(oid_eq(&key, &other_key));
	buf_release(&a);
	buf_release(&b);
	return 0;
}

/* The keys that this version does not know are the same; their order may differ. */
static inline void require_same_unknown_keys(const struct stagelock *x, const struct stagelock *y)
{
	require(x->others.n == y->others.n);
	for (size_t i = 0; i < x->others.n; i++) {
		const struct lock_block *b = &x->others.v[i];
		const struct lock_block *other = lock_block_find(&y->others, b->name);

		require(other != NULL && node_equal(b->value, other->value));
	}
}

#endif
