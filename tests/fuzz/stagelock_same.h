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

/* The value of a block of that name, or NULL. */
static inline const struct node *value_of(const struct lock_blocks *b, const char *name)
{
	const struct lock_block *block = lock_block_find(b, name);

	return block != NULL ? block->value : NULL;
}

/* Both say the same, known or not, but for environments that no stage names. */
static inline void require_same_documents(const struct stagelock *x, const struct stagelock *y)
{
	require(x->stages.n == y->stages.n && x->others.n == y->others.n);
	for (size_t i = 0; i < x->stages.n; i++)
		require(node_equal(
			x->stages.v[i].value, value_of(&y->stages, x->stages.v[i].name)));
	for (size_t i = 0; i < x->others.n; i++)
		require(node_equal(
			x->others.v[i].value, value_of(&y->others, x->others.v[i].name)));
	for (size_t i = 0; i < y->environments.n; i++)
		require(node_equal(y->environments.v[i].value,
			value_of(&x->environments, y->environments.v[i].name)));
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

#endif
