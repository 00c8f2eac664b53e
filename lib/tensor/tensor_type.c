/*
 * Types of elements.  Everything that is a number of at most 64 bits becomes a double on its way
 * into the norms; all else - quantized blocks, strings, dates, records - has a size alone.
 */
#include "lib/tensor/tensor_type.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "lib/tensor reads numbers as this machine has them, which must be little-endian"
#endif

/* --- names -------------------------------------------------------------------------------------
 */

int tensor_type_of_safetensors(struct tensor_type *out, const char *name)
{
	static const struct {
		const char *name;
		enum tensor_kind kind;
		uint32_t size;
	} types[] = {
		{"F64", TENSOR_F64, 8},
		{"F32", TENSOR_F32, 4},
		{"F16", TENSOR_F16, 2},
		{"BF16", TENSOR_BF16, 2},
		{"F8_E4M3", TENSOR_F8_E4M3, 1},
		{"F8_E5M2", TENSOR_F8_E5M2, 1},
		{"F8_E8M0", TENSOR_BYTES, 1},
		{"I8", TENSOR_I8, 1},
		{"I16", TENSOR_I16, 2},
		{"I32", TENSOR_I32, 4},
		{"I64", TENSOR_I64, 8},
		{"U8", TENSOR_U8, 1},
		{"U16", TENSOR_U16, 2},
		{"U32", TENSOR_U32, 4},
		{"U64", TENSOR_U64, 8},
		{"BOOL", TENSOR_BOOL, 1},
		{"C64", TENSOR_C64, 8},
	};

	*out = (struct tensor_type){.unit_elements = 1};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(types[i].name, name) == 0) {
			out->kind = types[i].kind;
			out->unit = types[i].size;
			return 1;
		}
	}
	return 0;
}

const char *tensor_type_of_ggml(struct tensor_type *out, uint32_t number)
{
	static const struct {
		const char *name; /* NULL: removed, or never given out */
		uint16_t elements, bytes;
		enum tensor_kind kind;
	} types[] = {
		[0] = {"F32", 1, 4, TENSOR_F32},
		[1] = {"F16", 1, 2, TENSOR_F16},
		[2] = {"Q4_0", 32, 18, TENSOR_BYTES},
		[3] = {"Q4_1", 32, 20, TENSOR_BYTES},
		[6] = {"Q5_0", 32, 22, TENSOR_BYTES},
		[7] = {"Q5_1", 32, 24, TENSOR_BYTES},
		[8] = {"Q8_0", 32, 34, TENSOR_BYTES},
		[9] = {"Q8_1", 32, 36, TENSOR_BYTES},
		[10] = {"Q2_K", 256, 84, TENSOR_BYTES},
		[11] = {"Q3_K", 256, 110, TENSOR_BYTES},
		[12] = {"Q4_K", 256, 144, TENSOR_BYTES},
		[13] = {"Q5_K", 256, 176, TENSOR_BYTES},
		[14] = {"Q6_K", 256, 210, TENSOR_BYTES},
		[15] = {"Q8_K", 256, 292, TENSOR_BYTES},
		[16] = {"IQ2_XXS", 256, 66, TENSOR_BYTES},
		[17] = {"IQ2_XS", 256, 74, TENSOR_BYTES},
		[18] = {"IQ3_XXS", 256, 98, TENSOR_BYTES},
		[19] = {"IQ1_S", 256, 50, TENSOR_BYTES},
		[20] = {"IQ4_NL", 32, 18, TENSOR_BYTES},
		[21] = {"IQ3_S", 256, 110, TENSOR_BYTES},
		[22] = {"IQ2_S", 256, 82, TENSOR_BYTES},
		[23] = {"IQ4_XS", 256, 136, TENSOR_BYTES},
		[24] = {"I8", 1, 1, TENSOR_I8},
		[25] = {"I16", 1, 2, TENSOR_I16},
		[26] = {"I32", 1, 4, TENSOR_I32},
		[27] = {"I64", 1, 8, TENSOR_I64},
		[28] = {"F64", 1, 8, TENSOR_F64},
		[29] = {"IQ1_M", 256, 56, TENSOR_BYTES},
		[30] = {"BF16", 1, 2, TENSOR_BF16},
		[34] = {"TQ1_0", 256, 54, TENSOR_BYTES},
		[35] = {"TQ2_0", 256, 66, TENSOR_BYTES},
		[39] = {"MXFP4", 32, 17, TENSOR_BYTES},
		[40] = {"NVFP4", 64, 36, TENSOR_BYTES},
		[41] = {"Q1_0", 128, 18, TENSOR_BYTES},
	};

	*out = (struct tensor_type){.unit_elements = 1};
	if (number >= sizeof(types) / sizeof(*types) || !types[number].name)
		return NULL;
	out->kind = types[number].kind;
	out->unit = types[number].bytes;
	out->unit_elements = types[number].elements;
	return types[number].name;
}

/* By its letter and size in bytes; what is no number has a size only. */
static enum tensor_kind numpy_kind(char letter, uint32_t size)
{
	static const struct {
		char letter;
		uint32_t size;
		enum tensor_kind kind;
	} types[] = {
		{'f', 8, TENSOR_F64},
		{'f', 4, TENSOR_F32},
		{'f', 2, TENSOR_F16},
		{'i', 1, TENSOR_I8},
		{'i', 2, TENSOR_I16},
		{'i', 4, TENSOR_I32},
		{'i', 8, TENSOR_I64},
		{'u', 1, TENSOR_U8},
		{'u', 2, TENSOR_U16},
		{'u', 4, TENSOR_U32},
		{'u', 8, TENSOR_U64},
		{'b', 1, TENSOR_BOOL},
		{'c', 8, TENSOR_C64},
		{'c', 16, TENSOR_C128},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].letter == letter && types[i].size == size)
			return types[i].kind;
	return TENSOR_BYTES;
}

int tensor_type_of_numpy(struct tensor_type *out, const char *text, size_t len)
{
	enum { SIZE_MAX_BYTES = 1 << 24 };
	uint32_t size = 0;
	char order, letter;
	size_t i = 2;

	*out = (struct tensor_type){.unit_elements = 1};
	if (len < 2 || strchr("<>|=", text[0]) == NULL || text[0] == '\0')
		return 0;
	order = text[0];
	letter = text[1];
	if (letter == 'O') /* pointers to Python objects: pickled, of any length */
		return 1;
	if (letter == '\0' || strchr("biufcSaUVmM", letter) == NULL || i == len)
		return 0;
	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		size = size * 10 + (uint32_t)(text[i] - '0');
		if (size > SIZE_MAX_BYTES)
			return 0;
	}
	if (letter == 'm' || letter == 'M') { /* "[25s]": what it counts */
		if (size != 8 || (i < len && (text[i] != '[' || text[len - 1] != ']')))
			return 0;
	} else if (i != len) {
		return 0;
	}
	out->kind = numpy_kind(letter, size);
	out->unit = letter == 'U' ? size * 4 : size;
	out->swapped = order == '>' && out->kind != TENSOR_BYTES && size > 1;
	return 1;
}

/* --- numbers -----------------------------------------------------------------------------------
 */

static double of_f16(uint16_t bits)
{
	/* the exponent is put where a float has it, then moved from F16's bias to F32's */
	uint32_t magnitude = (uint32_t)(bits & 0x7fff) << 13;
	float f;

	if ((bits & 0x7c00) == 0x7c00)
		magnitude |= 0x7f800000;
	memcpy(&f, &magnitude, sizeof f);
	if ((bits & 0x7c00) != 0x7c00)
		f *= 0x1p112F;
	return bits & 0x8000 ? -(double)f : (double)f;
}

static double of_f8_e4m3(uint8_t bits)
{
	unsigned exponent = bits >> 3 & 15, mantissa = bits & 7;
	double x;

	if ((bits & 0x7f) == 0x7f)
		return NAN;
	x = exponent ? ldexp(8 + mantissa, (int)exponent - 10) : ldexp(mantissa, -9);
	return bits & 0x80 ? -x : x;
}

/* Swap the bytes of the numbers in `data` that are `width` bytes each. */
static void swap_bytes(uint8_t *data, size_t n, size_t width)
{
	for (uint8_t *p = data; n > 0; n--, p += width) {
		for (size_t i = 0; i < width / 2; i++) {
			uint8_t b = p[i];

			p[i] = p[width - 1 - i];
			p[width - 1 - i] = b;
		}
	}
}

/* One loop per type; `read` makes a double of *x. */
#define LOAD(ctype, read)                                                                          \
	do {                                                                                       \
		const uint8_t *p = data;                                                           \
		for (size_t i = 0; i < n; i++, p += sizeof(ctype)) {                               \
			ctype x;                                                                   \
			memcpy(&x, p, sizeof x);                                                   \
			out[i] = (read);                                                           \
		}                                                                                  \
	} while (0)

static double of_bf16(uint16_t bits)
{
	uint32_t wide = (uint32_t)bits << 16;
	float f;

	memcpy(&f, &wide, sizeof f);
	return (double)f;
}

static void load(double *out, enum tensor_kind kind, const void *data, size_t n)
{
	switch (kind) {
	case TENSOR_C64:
		n *= 2;
		LOAD(float, (double)x);
		break;
	case TENSOR_C128:
		n *= 2;
		LOAD(double, x);
		break;
	case TENSOR_F64:
		LOAD(double, x);
		break;
	case TENSOR_F32:
		LOAD(float, (double)x);
		break;
	case TENSOR_F16:
		LOAD(uint16_t, of_f16(x));
		break;
	case TENSOR_BF16:
		LOAD(uint16_t, of_bf16(x));
		break;
	case TENSOR_F8_E4M3:
		LOAD(uint8_t, of_f8_e4m3(x));
		break;
	case TENSOR_F8_E5M2: /* the upper half of an F16 */
		LOAD(uint8_t, of_f16((uint16_t)(x << 8)));
		break;
	case TENSOR_I8:
		LOAD(int8_t, (double)x);
		break;
	case TENSOR_I16:
		LOAD(int16_t, (double)x);
		break;
	case TENSOR_I32:
		LOAD(int32_t, (double)x);
		break;
	case TENSOR_I64:
		LOAD(int64_t, (double)x);
		break;
	case TENSOR_U8:
		LOAD(uint8_t, (double)x);
		break;
	case TENSOR_U16:
		LOAD(uint16_t, (double)x);
		break;
	case TENSOR_U32:
		LOAD(uint32_t, (double)x);
		break;
	case TENSOR_U64:
		LOAD(uint64_t, (double)x);
		break;
	case TENSOR_BOOL:
		LOAD(uint8_t, x != 0 ? 1.0 : 0.0);
		break;
	case TENSOR_BYTES:
		memset(out, 0, n * sizeof(*out));
		break;
	}
}

void tensor_type_load(double *out, const struct tensor_type *type, const void *data, size_t n)
{
	enum { AT_ONCE = 4096 };
	size_t per = tensor_type_is_complex(type) ? 2 : 1;
	uint8_t swapped[AT_ONCE];

	if (!type->swapped) {
		load(out, type->kind, data, n);
		return;
	}
	for (size_t done = 0, part; done < n; done += part) {
		part = n - done < AT_ONCE / type->unit ? n - done : AT_ONCE / type->unit;
		memcpy(swapped, (const uint8_t *)data + done * type->unit, part * type->unit);
		swap_bytes(swapped, part * per, type->unit / per);
		load(out + done * per, type->kind, swapped, part);
	}
}

void tensor_type_load_words(
	uint64_t *out, const struct tensor_type *type, const void *data, size_t n)
{
	memcpy(out, data, n * sizeof(*out));
	for (size_t i = 0; type->swapped && i < n; i++)
		out[i] = be64toh(out[i]);
}
