/*
 * What tensors a model file holds (docs/tensor-diff.md): safetensors, NumPy's .npy and .npz, GGUF.
 * Headers are read and bounded; data are read in pieces.  Pickles are programs: they are named, not
 * opened.
 */
#ifndef LIB_TENSOR_TENSOR_H
#define LIB_TENSOR_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum tensor_format {
	TENSOR_SAFETENSORS = 1,
	TENSOR_NPY,
	TENSOR_NPZ,
	TENSOR_GGUF,
	TENSOR_PICKLE /* .pkl .pickle .pt .pth .joblib, or content that begins like one: refused */
};
/* By the first bytes (head_len of them, may be 0), else by extension.  1 and *out, or 0: none. */
int tensor_format_of(const char *path, const void *head, size_t head_len, enum tensor_format *out);
/* What tensor_open would say of a file of this name, without looking into it: 0, or ERR_INVALID and
 * "<path>: ..." for a pickle. */
int tensor_check_path(const char *path);

enum { TENSOR_DIMS_MAX = 32, TENSOR_HEADER_MAX = 100 * 1024 * 1024 };

struct tensor {
	const char *name;
	const char *dtype; /* as the format spells it: "F32", "<f8", "Q4_K" */
	uint64_t shape[TENSOR_DIMS_MAX];
	unsigned n_dims;
	uint64_t elements;
	uint64_t bytes; /* of its data in the file, uncompressed */
	size_t place;	/* where they are, for lib/tensor itself */
};
/* "key = value" of the file's own metadata (__metadata__, GGUF's key-value pairs). */
struct tensor_meta {
	const char *key, *value; /* long ones shortened: "[string; 32000]" with their hash */
};

/* An open model file; its headers are read. */
struct tensor_file;
/* `fd` (borrowed until tensor_close, read by pread) has `size` bytes; `name` and the first bytes
 * say which format it is (tensor_format_of).  0; ERR_INVALID "<name>: …" for what is damaged, a
 * pickle (the message says what to do) or no model file, ERR_LIMIT, ERR_UNSUPPORTED (a version of
 * the format that is not known), ERR_IO, ERR_NOMEM. */
int tensor_open(struct tensor_file **out, const char *name, int fd, uint64_t size);
void tensor_close(struct tensor_file *t); /* NULL is fine */
/* Sorted by name (metadata: by key); borrowed. */
const struct tensor *tensor_list(const struct tensor_file *t, size_t *n);
const struct tensor_meta *tensor_metadata(const struct tensor_file *t, size_t *n);
/* The 128-bit hash of a tensor's data, all of which are read (XXH3: not one to trust against
 * malice). 0; ERR_INVALID: the file is damaged; ERR_IO. */
int tensor_hash(uint64_t hash[static 2], struct tensor_file *t, const struct tensor *x);
/* "[768, 3072]", "[]" for a scalar. */
int tensor_shape_format(struct buf *out, const struct tensor *t);

#endif
