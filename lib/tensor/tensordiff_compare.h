/*
 * Comparing the data of two tensors of one shape.
 */
#ifndef LIB_TENSOR_TENSORDIFF_COMPARE_H
#define LIB_TENSOR_TENSORDIFF_COMPARE_H

#include "lib/tensor/tensor_internal.h"
#include "lib/tensor/tensordiff.h"

struct tensordiff_compare {
	struct tensor_file *old, *now;
	uint8_t *buf_old, *buf_now; /* of TENSORDIFF_PIECE bytes each */
	const volatile int *stop;
};
enum { TENSORDIFF_PIECE = 256 * 1024 };

/* Both files and `stop` (NULL: never) are borrowed until the release.  0 or ERR_NOMEM; release it
 * in either case. */
int tensordiff_compare_init(struct tensordiff_compare *c, struct tensor_file *old,
	struct tensor_file *now, const volatile int *stop);
void tensordiff_compare_release(struct tensordiff_compare *c);

/* ERR_INTERRUPTED if one is to stop, else 0. */
int tensordiff_compare_stopped(const struct tensordiff_compare *c);
/* 1 if all bytes are the same, 0 if not, or a negative error.  Sizes may differ (0, then). */
int tensordiff_compare_bytes(
	struct tensordiff_compare *c, const struct tensor *old, const struct tensor *now);
/* Fill the counts and norms of x, whose tensors have one shape.  0 or a negative error. */
int tensordiff_compare_values(struct tensordiff_compare *c, struct tensordiff_change *x);

#endif
