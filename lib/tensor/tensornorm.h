/*
 * By how much the numbers of two tensors differ: sums over pieces that come one after the other.
 * Pure.
 */
#ifndef LIB_TENSOR_TENSORNORM_H
#define LIB_TENSOR_TENSORNORM_H

#include "lib/tensor/tensor_type.h"

struct tensornorm {
	struct tensor_type old, now;
	long double squares_old, squares_now, squares_diff;
	double max_diff;
	uint64_t changed; /* elements whose bytes differ; between types: whose values do */
	uint64_t odd_old,
		odd_now; /* NaN and infinite ones; they count in nothing else but `changed`
			  */
};

/* 1 if both types are numbers, so that norms can be had; else only `changed` is counted, which
 * needs equal types. */
int tensornorm_init(
	struct tensornorm *s, const struct tensor_type *old, const struct tensor_type *now);
/* The next n units (elements, or blocks of a quantized type) of both. */
void tensornorm_add(struct tensornorm *s, const void *old, const void *now, size_t n);

#endif
