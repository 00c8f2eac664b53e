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

static inline int is_named(const struct stagelock *l, const char *environment)
{
	for (size_t i = 0; i < l->stages.n; i++)
		if (l->stages.v[i].environment != NULL &&
			strcmp(l->stages.v[i].environment, environment) == 0)
			return 1;
	return 0;
}

/* `y` says what `x` does, known or not.  It may lack environments that no stage names, and know one
 * that is only named in `x`. */
static inline void require_same_documents(const struct stagelock *x, const struct stagelock *y)
{
	require(x->stages.n == y->stages.n && x->others.n == y->others.n);
	for (size_t i = 0; i < x->stages.n; i++)
		require(node_equal(
			x->stages.v[i].value, value_of(&y->stages, x->stages.v[i].name)));
	for (size_t i = 0; i < x->others.n; i++)
		require(node_equal(
			x->others.v[i].value, value_of(&y->others, x->others.v[i].name)));
	for (size_t i = 0; i < x->environments.n; i++) {
		const struct lock_block *e = &x->environments.v[i];

		require(node_equal(e->value, value_of(&y->environments, e->name)) ||
			!is_named(x, e->name));
	}
}

#endif
