/*
 * Differences of two states' values, with the direction of numbers.
 */
#ifndef LIB_METRICS_VALUEDIFF_H
#define LIB_METRICS_VALUEDIFF_H

#include "lib/metrics/values.h"

struct value_change {
	const char *file, *key;	      /* borrowed from the values */
	const struct node *old, *now; /* NULL: not there */
	int has_delta;
	double delta; /* now - old, of numbers; without the noise of binary fractions */
};
struct value_changes {
	struct value_change *v;
	size_t n, cap;
	struct strvec keys; /* memory */
};
/* In the order of the newer state, then what only the older one has; with `all` unchanged ones,
 * too.  Borrows from both. */
int valuediff(
	struct value_changes *out, const struct values *old, const struct values *now, int all);
void value_changes_release(struct value_changes *c);

/* A number with `precision` significant digits (0: 5), as in "0.92" "-0.00012" "1.2e+09"; ints
 * whole. */
int value_format(struct buf *out, const struct node *n, int precision);
/* 1 and the change where it is one of integers. */
int value_change_whole(int64_t *out, const struct value_change *c);
/* The change with its sign, "+0.0227" "-3" "0"; nothing where there is none. */
int value_change_format(struct buf *out, const struct value_change *c, int precision);

#endif
