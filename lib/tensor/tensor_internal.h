/*
 * What the files of lib/tensor share: an open file while its header is read, and where the data of
 * its tensors are.
 */
#ifndef LIB_TENSOR_TENSOR_INTERNAL_H
#define LIB_TENSOR_TENSOR_INTERNAL_H

#include "lib/base/pathpool.h"
#include "lib/tensor/tensor.h"
#include "lib/tensor/tensor_type.h"

enum { TENSORS_MAX = 1 << 18, TENSOR_META_MAX = 1 << 16 };

struct tensor_npz;

struct tensor_place {
	struct tensor_type type;
	uint64_t offset; /* of the first byte, in the file; of a compressed member: in its content
			  */
	int fortran;	 /* the first index runs fastest */
	int compressed;	 /* a member of `npz`, found by the two numbers that minizip goes by */
	uint64_t directory_pos, directory_index;
};

struct tensor_file {
	enum tensor_format format;
	char *name;
	int fd;
	uint64_t size;
	struct pathpool *strings; /* of tensors and metadata */
	struct tensor *v;
	size_t n, cap;
	struct tensor_place *places; /* n; by tensor.place */
	size_t places_cap;
	struct tensor_meta *meta;
	size_t n_meta, meta_cap;
	struct tensor_npz *npz; /* of TENSOR_NPZ */
};

/* A copy that lives as long as the file; NULL: out of memory. */
const char *tensor_keep(struct tensor_file *t, const char *text, size_t len);
/* The same, a long text by its beginning, its length and its hash. */
const char *tensor_keep_short(struct tensor_file *t, const char *text, size_t len);
/* Add a tensor whose strings are kept already.  0, ERR_LIMIT, ERR_NOMEM. */
int tensor_add(struct tensor_file *t, const struct tensor *x, const struct tensor_place *place);
/* Add metadata; `value` is kept already.  0, ERR_LIMIT, ERR_NOMEM. */
int tensor_add_meta(struct tensor_file *t, const char *key, const char *value);
/* x->elements out of its shape, and x->bytes if a unit of the type has a size.  0, or ERR_INVALID
 * "<tensor>: ..." for what is too large, or is no whole number of blocks. */
int tensor_measure(struct tensor *x, const struct tensor_type *type);
const struct tensor_place *tensor_place(const struct tensor_file *t, const struct tensor *x);

/* Read all that comes before data.  Errors without the file's name. */
int tensor_safetensors_read(struct tensor_file *t);
int tensor_npy_read(struct tensor_file *t);
int tensor_npz_read(struct tensor_file *t);
int tensor_gguf_read(struct tensor_file *t);

/* The header of an array: of its first TENSOR_NPY_PREFIX bytes (or all that there is) *text_at and
 * *text_len, where its text lies.  0, ERR_INVALID, ERR_UNSUPPORTED. */
enum { TENSOR_NPY_PREFIX = 12 };
int tensor_npy_prefix(size_t *text_at, size_t *text_len, const uint8_t *head, size_t len);
/* That text: shape and dtype into *x, type and order into *place. */
int tensor_npy_header(struct tensor_file *t, struct tensor *x, struct tensor_place *place,
	const char *text, size_t len);

/* Compressed members: one at a time, from its beginning, `skip` bytes left out. */
int tensor_npz_open(struct tensor_npz *z, const struct tensor_place *place);
/* Exactly `len` bytes.  0, ERR_INVALID (damaged), ERR_IO. */
int tensor_npz_next(struct tensor_npz *z, void *data, size_t len);
/* 0, or ERR_INVALID: all of it was read, and its checksum is another one. */
int tensor_npz_end(struct tensor_npz *z);
void tensor_npz_free(struct tensor_npz *z);

#endif
