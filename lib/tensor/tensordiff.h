/*
 * Which tensors of two model files were added, removed, reshaped and changed, and by how much.
 */
#ifndef LIB_TENSOR_TENSORDIFF_H
#define LIB_TENSOR_TENSORDIFF_H

#include "lib/tensor/tensor.h"

enum tensordiff_kind {
	TENSORDIFF_ADDED,
	TENSORDIFF_REMOVED,
	TENSORDIFF_RENAMED,  /* the same bytes, shape and type by another name */
	TENSORDIFF_RESHAPED, /* other shape or other type */
	TENSORDIFF_CHANGED,
	TENSORDIFF_KINDS
};
struct tensordiff_change {
	enum tensordiff_kind kind;
	const struct tensor *old, *now; /* NULL: not there; borrowed from the files */
	/* of CHANGED, and of RESHAPED where only the type is another one; of a quantized type all
	 * elements of a block that differs; 0 where elements cannot be told apart (Python objects)
	 */
	uint64_t elements_changed;
	/* the same, where elements are numbers that we can read (not of GGUF's quantized types) */
	int has_norms;
	double norm_old, norm_now; /* L2 */
	double norm_diff;	   /* L2 of now - old */
	double max_diff;	   /* largest absolute difference of an element */
	uint64_t odd_old, odd_now; /* elements that are NaN or infinite; left out of the norms */
};
struct tensordiff_meta {
	const char *key, *old, *now;
};
struct tensordiff {
	struct tensordiff_change *v; /* by kind, then by name */
	size_t n;
	size_t count[TENSORDIFF_KINDS], same;
	struct tensordiff_meta *meta;
	size_t n_meta;
};
/* Reads all data that could differ, in pieces.  `stop` may be NULL.  0; ERR_INVALID: data of a file
 * turn out to be damaged; ERR_IO, ERR_NOMEM, ERR_INTERRUPTED.  *out is to be released always. */
int tensordiff_run(struct tensordiff *out, struct tensor_file *old, struct tensor_file *now,
	const volatile int *stop);
void tensordiff_release(struct tensordiff *d);

#endif
