/*
 * Types of elements: how safetensors, NumPy and GGML spell them, and their numbers as doubles.
 */
#ifndef LIB_TENSOR_TENSOR_TYPE_H
#define LIB_TENSOR_TENSOR_TYPE_H

#include <stddef.h>
#include <stdint.h>

enum tensor_kind {
	TENSOR_BYTES = 0, /* no numbers, or quantized ones: compared by their bytes */
	TENSOR_F64,
	TENSOR_F32,
	TENSOR_F16,
	TENSOR_BF16,
	TENSOR_F8_E4M3, /* the "fn" kind: no infinities */
	TENSOR_F8_E5M2,
	TENSOR_I8,
	TENSOR_I16,
	TENSOR_I32,
	TENSOR_I64,
	TENSOR_U8,
	TENSOR_U16,
	TENSOR_U32,
	TENSOR_U64,
	TENSOR_BOOL,
	TENSOR_C64, /* complex: two floats */
	TENSOR_C128
};

struct tensor_type {
	enum tensor_kind kind;
	uint32_t unit;		/* bytes that belong together; 0: not known */
	uint32_t unit_elements; /* so many elements: 1, more in a block of a quantized type */
	int swapped;		/* big-endian */
};

/* By name as safetensors spells it: 1, or 0 and a type of bytes whose size is not known. */
int tensor_type_of_safetensors(struct tensor_type *out, const char *name);
/* By GGML's number: its name, or NULL and a type of bytes whose size is not known. */
const char *tensor_type_of_ggml(struct tensor_type *out, uint32_t number);
/* By NumPy's array-protocol string ("<f8", "|S10", "<M8[ns]"): 1, or 0: it is none. */
int tensor_type_of_numpy(struct tensor_type *out, const char *text, size_t len);

static inline int tensor_type_is_complex(const struct tensor_type *t)
{
	return t->kind == TENSOR_C64 || t->kind == TENSOR_C128;
}
/* n elements as doubles; of complex types n pairs.  64-bit integers are rounded. */
void tensor_type_load(double *out, const struct tensor_type *type, const void *data, size_t n);
/* n 64-bit integers in this machine's byte order. */
void tensor_type_load_words(
	uint64_t *out, const struct tensor_type *type, const void *data, size_t n);

#endif
