/*
 * GGUF, versions 2 and 3: counts, metadata by key, the list of tensors, padding, data.
 *
 * How long all that is nobody says beforehand, so it is read through a window that moves along, up
 * to TENSOR_HEADER_MAX.  Counts and lengths are only ever believed as far as the bytes reach: what
 * is kept of a file is never more than what was read of it.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/tensor/tensor_internal.h"
#include "lib/tensor/tensor_window.h"

enum {
	NAME_BYTES_MAX = 65535,
	TEXT_BYTES_MAX = 16 * 1024 * 1024,
	LIST_SHOWN = 8, /* longer lists are shown by their hash */
	LIST_DEPTH_MAX = 4,
	ALIGNMENT_DEFAULT = 32,
	ALIGNMENT_MAX = 1 << 20
};

enum value_type {
	VALUE_UINT8,
	VALUE_INT8,
	VALUE_UINT16,
	VALUE_INT16,
	VALUE_UINT32,
	VALUE_INT32,
	VALUE_FLOAT32,
	VALUE_BOOL,
	VALUE_STRING,
	VALUE_ARRAY,
	VALUE_UINT64,
	VALUE_INT64,
	VALUE_FLOAT64,
	VALUE_TYPES
};

static const struct {
	const char *name;
	unsigned size; /* 0: of any length */
} types[VALUE_TYPES] = {
	[VALUE_UINT8] = {"uint8", 1},
	[VALUE_INT8] = {"int8", 1},
	[VALUE_UINT16] = {"uint16", 2},
	[VALUE_INT16] = {"int16", 2},
	[VALUE_UINT32] = {"uint32", 4},
	[VALUE_INT32] = {"int32", 4},
	[VALUE_FLOAT32] = {"float32", 4},
	[VALUE_BOOL] = {"bool", 1},
	[VALUE_STRING] = {"string", 0},
	[VALUE_ARRAY] = {"array", 0},
	[VALUE_UINT64] = {"uint64", 8},
	[VALUE_INT64] = {"int64", 8},
	[VALUE_FLOAT64] = {"float64", 8},
};

/* A name: something, and without NUL. */
static int read_name(
	struct tensor_window *w, struct tensor_file *t, struct buf *scratch, const char **out)
{
	int rc;

	buf_reset(scratch);
	rc = tensor_window_string(w, scratch, NAME_BYTES_MAX);
	if (rc < 0)
		return rc;
	if (scratch->len == 0 || strlen(scratch->p) != scratch->len)
		return err_set(ERR_INVALID, "a name in its header is none; the file is damaged");
	*out = tensor_keep(t, scratch->p, scratch->len);
	return *out ? 0 : ERR_NOMEM;
}

/* --- metadata ----------------------------------------------------------------------------------
 */

/* The fewest digits that read back the same. */
static int add_float(struct buf *out, double value, int is_single)
{
	char text[32];

	for (int digits = is_single ? 6 : 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (is_single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
			break;
	}
	return buf_addstr(out, text);
}

static int add_number(struct buf *out, enum value_type type, uint64_t bits)
{
	float single;
	double wide;
	uint32_t low = (uint32_t)bits;

	switch (type) {
	case VALUE_INT8:
		return buf_addf(out, "%d", (int8_t)bits);
	case VALUE_INT16:
		return buf_addf(out, "%d", (int16_t)bits);
	case VALUE_INT32:
		return buf_addf(out, "%d", (int32_t)bits);
	case VALUE_INT64:
		return buf_addf(out, "%lld", (long long)bits);
	case VALUE_BOOL:
		return buf_addstr(out, bits ? "true" : "false");
	case VALUE_FLOAT32:
		memcpy(&single, &low, sizeof single);
		return add_float(out, (double)single, 1);
	case VALUE_FLOAT64:
		memcpy(&wide, &bits, sizeof wide);
		return add_float(out, wide, 0);
	default:
		return buf_addf(out, "%llu", (unsigned long long)bits);
	}
}

static int read_value(struct tensor_window *w, struct buf *out, uint32_t type, unsigned depth);

static int skip_values(struct tensor_window *w, uint32_t type, uint64_t n)
{
	int rc = 0;

	if (types[type].size > 0)
		return n > tensor_window_left(w) / types[type].size
			       ? tensor_window_ends(w)
			       : tensor_window_skip(w, n * types[type].size);
	if (type != VALUE_STRING)
		return err_set(ERR_UNSUPPORTED, "a list of more than %d lists in the metadata",
			LIST_SHOWN);
	for (; rc == 0 && n > 0; n--) {
		uint64_t len;

		rc = tensor_window_u64(w, &len);
		if (rc == 0)
			rc = tensor_window_skip(w, len);
	}
	return rc;
}

/* "[string; 32000] hash 0123456789abcdef" */
static int read_long_list(struct tensor_window *w, struct buf *out, uint32_t type, uint64_t n)
{
	int rc = tensor_window_hash(w);
	uint64_t hash;

	if (rc == 0)
		rc = skip_values(w, type, n);
	hash = tensor_window_hashed(w);
	return rc < 0 ? rc
		      : buf_addf(out, "[%s; %llu] hash %016llx", types[type].name,
				(unsigned long long)n, (unsigned long long)hash);
}

static int read_list(struct tensor_window *w, struct buf *out, unsigned depth)
{
	uint32_t type;
	uint64_t n;
	int rc = tensor_window_u32(w, &type);

	if (rc == 0)
		rc = tensor_window_u64(w, &n);
	if (rc < 0)
		return rc;
	if (type >= VALUE_TYPES || depth == LIST_DEPTH_MAX)
		return err_set(ERR_UNSUPPORTED, "a kind of metadata that is not known here (%u)",
			(unsigned)type);
	if (n > LIST_SHOWN)
		return read_long_list(w, out, type, n);
	rc = buf_addch(out, '[');
	for (uint64_t i = 0; rc == 0 && i < n; i++) {
		rc = i > 0 ? buf_addstr(out, ", ") : 0;
		if (rc == 0)
			rc = read_value(w, out, type, depth + 1);
	}
	return rc == 0 ? buf_addch(out, ']') : rc;
}

/* Append the value as text. */
static int read_value(struct tensor_window *w, struct buf *out, uint32_t type, unsigned depth)
{
	uint64_t bits = 0;
	int rc;

	if (type == VALUE_STRING)
		return tensor_window_string(w, out, TEXT_BYTES_MAX);
	if (type == VALUE_ARRAY)
		return read_list(w, out, depth);
	if (type >= VALUE_TYPES)
		return err_set(ERR_UNSUPPORTED, "a kind of metadata that is not known here (%u)",
			(unsigned)type);
	rc = tensor_window_get(w, &bits, types[type].size);
	return rc == 0 ? add_number(out, type, le64toh(bits)) : rc;
}

static int read_pair(
	struct tensor_window *w, struct tensor_file *t, struct buf *scratch, uint64_t *alignment)
{
	const char *key = NULL, *value;
	uint32_t type = 0;
	int rc = read_name(w, t, scratch, &key);

	if (rc == 0)
		rc = tensor_window_u32(w, &type);
	if (rc < 0)
		return rc;
	buf_reset(scratch);
	rc = read_value(w, scratch, type, 0);
	if (rc < 0)
		return err_prefix(rc, "metadata '%s'", key);
	if (strcmp(key, "general.alignment") == 0) {
		*alignment = strtoull(buf_str(scratch), NULL, 10);
		if (type != VALUE_UINT32 || *alignment == 0 || *alignment > ALIGNMENT_MAX)
			return err_set(
				ERR_INVALID, "general.alignment is none; the file is damaged");
	}
	value = tensor_keep_short(t, buf_str(scratch), scratch->len);
	return value ? tensor_add_meta(t, key, value) : ERR_NOMEM;
}

/* --- tensors -----------------------------------------------------------------------------------
 */

static int name_type(
	struct tensor_file *t, struct tensor *x, struct tensor_place *place, uint32_t number)
{
	char unknown[32];

	x->dtype = tensor_type_of_ggml(&place->type, number);
	if (x->dtype)
		return 0;
	snprintf(unknown, sizeof unknown, "type %u", (unsigned)number);
	x->dtype = tensor_keep(t, unknown, strlen(unknown));
	return x->dtype ? 0 : ERR_NOMEM;
}

static int read_tensor(struct tensor_window *w, struct tensor_file *t, struct buf *scratch)
{
	struct tensor x = {.name = NULL};
	struct tensor_place place = {.offset = 0};
	uint32_t dims = 0, type = 0;
	int rc = read_name(w, t, scratch, &x.name);

	if (rc == 0)
		rc = tensor_window_u32(w, &dims);
	if (rc == 0 && dims > TENSOR_DIMS_MAX)
		rc = err_set(ERR_LIMIT, "%s: more than %d dimensions", x.name, TENSOR_DIMS_MAX);
	while (rc == 0 && x.n_dims < dims)
		rc = tensor_window_u64(w, &x.shape[x.n_dims++]);
	if (rc == 0)
		rc = tensor_window_u32(w, &type);
	if (rc == 0)
		rc = tensor_window_u64(w, &place.offset);
	if (rc == 0)
		rc = name_type(t, &x, &place, type);
	if (rc == 0)
		rc = tensor_measure(&x, &place.type);
	return rc == 0 ? tensor_add(t, &x, &place) : rc;
}

/* Data that begin somewhere; what their type does not say goes on to the next ones. */
struct extent {
	struct tensor *x;
	struct tensor_place *place;
};

/* Those without data come before the one that begins at the same place. */
static int by_offset(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	if (x->place->offset != y->place->offset)
		return x->place->offset < y->place->offset ? -1 : 1;
	return x->x->bytes < y->x->bytes ? -1 : x->x->bytes > y->x->bytes;
}

static int check_extent(const struct extent *e, uint64_t end, uint64_t data, uint64_t alignment)
{
	struct tensor *x = e->x;
	uint64_t from = e->place->offset;

	if (from % alignment != 0)
		return err_set(
			ERR_INVALID, "%s: its data are not aligned; the file is damaged", x->name);
	if (from > data || (from < data && x->bytes > data - from))
		return err_set(ERR_INVALID, "%s: its data end behind the file, which was cut short",
			x->name);
	if (from == data && x->bytes > 0)
		return err_set(ERR_INVALID,
			"%s: its data begin behind the file, which was cut short", x->name);
	if (e->place->type.unit == 0)
		x->bytes = end - from;
	if (x->bytes > end - from)
		return err_set(ERR_INVALID,
			"%s: its data overlap those of another tensor; the file "
			"is damaged",
			x->name);
	return 0;
}

/* Data in bounds and apart; offsets of the file instead of the data. */
static int place_tensors(struct tensor_file *t, uint64_t header, uint64_t alignment)
{
	uint64_t start = (header + alignment - 1) / alignment * alignment;
	uint64_t data = t->size > start ? t->size - start : 0;
	struct extent *v = calloc(t->n ? t->n : 1, sizeof(*v));
	int rc = v ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < t->n; i++)
		v[i] = (struct extent){&t->v[i], &t->places[i]};
	if (rc == 0 && t->n > 0)
		qsort(v, t->n, sizeof(*v), by_offset);
	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		uint64_t end = i + 1 < t->n ? v[i + 1].place->offset : data;

		rc = check_extent(&v[i], end < data ? end : data, data, alignment);
	}
	for (size_t i = 0; rc == 0 && i < t->n; i++)
		t->places[i].offset += start;
	free(v);
	return rc;
}

static int read_prefix(struct tensor_window *w, uint64_t *tensors, uint64_t *pairs)
{
	uint32_t magic = 0, version = 0;
	int rc = tensor_window_u32(w, &magic);

	if (rc == 0)
		rc = tensor_window_u32(w, &version);
	if (rc < 0 || magic != 0x46554747)
		return rc < 0 ? rc : err_set(ERR_INVALID, "no GGUF file");
	if (version & 0xffff0000 && (version & 0xffff) == 0)
		return err_set(ERR_UNSUPPORTED, "a big-endian GGUF file, which is not read here");
	if (version != 2 && version != 3)
		return err_set(
			ERR_UNSUPPORTED, "version %u of GGUF is not known here", (unsigned)version);
	rc = tensor_window_u64(w, tensors);
	return rc == 0 ? tensor_window_u64(w, pairs) : rc;
}

int tensor_gguf_read(struct tensor_file *t)
{
	struct tensor_window *w = calloc(1, sizeof(*w));
	struct buf scratch = BUF_INIT;
	uint64_t tensors = 0, pairs = 0, alignment = ALIGNMENT_DEFAULT;
	int rc = w ? 0 : err_no_memory();

	if (rc == 0) {
		w->fd = t->fd;
		w->size = t->size < TENSOR_HEADER_MAX ? t->size : TENSOR_HEADER_MAX;
		rc = read_prefix(w, &tensors, &pairs);
	}
	for (; rc == 0 && pairs > 0; pairs--)
		rc = read_pair(w, t, &scratch, &alignment);
	for (; rc == 0 && tensors > 0; tensors--)
		rc = read_tensor(w, t, &scratch);
	if (rc == 0)
		rc = place_tensors(t, w->start + w->at, alignment);
	buf_release(&scratch);
	free(w);
	return rc;
}
