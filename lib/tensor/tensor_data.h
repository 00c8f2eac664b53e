/*
 * The data of one tensor, read from their beginning in pieces, wherever they are.
 */
#ifndef LIB_TENSOR_TENSOR_DATA_H
#define LIB_TENSOR_TENSOR_DATA_H

#include "lib/tensor/tensor_internal.h"

struct tensor_data {
	struct tensor_file *file;
	const struct tensor_place *place;
	uint64_t at, size;
};

/* 0 or a negative error.  At most one at a time of each file.  Nothing is to be closed. */
int tensor_data_open(struct tensor_data *d, struct tensor_file *file, const struct tensor *x);
/* Exactly `len` bytes, which are not more than are left.  0; ERR_INVALID: the file is damaged, or
 * became shorter; ERR_IO. */
int tensor_data_next(struct tensor_data *d, void *out, size_t len);
static inline uint64_t tensor_data_left(const struct tensor_data *d)
{
	return d->size - d->at;
}

#endif
