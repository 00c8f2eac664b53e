/*
 * safetensors: eight bytes with the length of a JSON header, the header, the data.
 *
 * The header comes from anywhere and says where to read, so nothing of it is believed: its values
 * are counted before cJSON makes a tree of them, types and shapes must give the sizes that the
 * offsets say, and the tensors must cover the data without overlaps or holes (as the format wants
 * it, so that a file cannot be two things at once).
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/utf8.h"
#include "lib/tensor/tensor_internal.h"

enum { LENGTH_LEN = 8, VALUES_MAX = 4 * 1000 * 1000 };

/* Count the values of the text, and refuse what cJSON would read in a way of its own. */
static int check_text(const char *text, size_t len)
{
	size_t values = 0;
	int in_string = 0;

	if (strlen(text) != len || !utf8_valid(text))
		return err_set(ERR_INVALID, "the header is not UTF-8; the file is damaged");
	for (const char *p = text; *p; p++) {
		if (in_string && *p == '\\') {
			if (strncmp(p, "\\u0000", 6) == 0)
				return err_set(ERR_INVALID, "a NUL character in the header");
			p += p[1] != '\0';
		} else if (*p == '"') {
			in_string = !in_string;
		} else if (!in_string && strchr(",[{", *p) != NULL && ++values > VALUES_MAX) {
			return err_set(ERR_LIMIT, "the header has more than %d values", VALUES_MAX);
		}
	}
	return 0;
}

static int parse(cJSON **out, const char *text, size_t len)
{
	const char *end = NULL;
	int rc = check_text(text, len);

	if (rc < 0)
		return rc;
	*out = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	if (!*out)
		return err_set(ERR_INVALID,
			"the header is not JSON (at byte %zu); the file is damaged",
			end ? (size_t)(end - text) : 0);
	if (strspn(end, " \t\r\n") != len - (size_t)(end - text))
		return err_set(ERR_INVALID, "something stands behind the JSON of the header");
	if (!cJSON_IsObject(*out))
		return err_set(ERR_INVALID, "the header is no JSON object");
	return 0;
}

/* A whole number that a double holds exactly. */
static int get_size(uint64_t *out, const cJSON *item)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 0x1p53)
		return -1;
	*out = (uint64_t)item->valuedouble;
	return (double)*out == item->valuedouble ? 0 : -1;
}

static int read_shape(struct tensor *x, const cJSON *shape)
{
	const cJSON *item;

	if (!cJSON_IsArray(shape))
		return err_set(ERR_INVALID, "%s: it has no shape", x->name);
	cJSON_ArrayForEach(item, shape)
	{
		if (x->n_dims == TENSOR_DIMS_MAX)
			return err_set(
				ERR_LIMIT, "%s: more than %d dimensions", x->name, TENSOR_DIMS_MAX);
		if (get_size(&x->shape[x->n_dims++], item) < 0)
			return err_set(ERR_INVALID, "%s: its shape is none", x->name);
	}
	return 0;
}

static int read_offsets(struct tensor *x, struct tensor_place *place, const cJSON *offsets)
{
	uint64_t begin, end;

	if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
		get_size(&begin, offsets->child) < 0 || get_size(&end, offsets->child->next) < 0 ||
		end < begin)
		return err_set(ERR_INVALID, "%s: its data_offsets are none", x->name);
	place->offset = begin;
	if (place->type.unit == 0)
		x->bytes = end - begin;
	else if (x->bytes != end - begin)
		return err_set(ERR_INVALID, "%s: %llu bytes of data, where its shape takes %llu",
			x->name, (unsigned long long)(end - begin), (unsigned long long)x->bytes);
	return 0;
}

static int read_tensor(struct tensor_file *t, const cJSON *item)
{
	const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(item, "dtype");
	struct tensor x = {.name = tensor_keep(t, item->string, strlen(item->string))};
	struct tensor_place place = {.offset = 0};
	int rc;

	if (!x.name)
		return ERR_NOMEM;
	if (!cJSON_IsString(dtype))
		return err_set(ERR_INVALID, "%s: it has no dtype", x.name);
	x.dtype = tensor_keep_short(t, dtype->valuestring, strlen(dtype->valuestring));
	if (!x.dtype)
		return ERR_NOMEM;
	tensor_type_of_safetensors(&place.type, x.dtype);
	rc = read_shape(&x, cJSON_GetObjectItemCaseSensitive(item, "shape"));
	if (rc == 0)
		rc = tensor_measure(&x, &place.type);
	if (rc == 0)
		rc = read_offsets(
			&x, &place, cJSON_GetObjectItemCaseSensitive(item, "data_offsets"));
	return rc == 0 ? tensor_add(t, &x, &place) : rc;
}

static int read_metadata(struct tensor_file *t, const cJSON *map)
{
	const cJSON *item;
	int rc = cJSON_IsObject(map) ? 0 : err_set(ERR_INVALID, "__metadata__ is no JSON object");

	cJSON_ArrayForEach(item, map)
	{
		const char *key, *value;

		if (rc < 0)
			break;
		if (!cJSON_IsString(item))
			return err_set(
				ERR_INVALID, "__metadata__: '%s' is no string", item->string);
		key = tensor_keep_short(t, item->string, strlen(item->string));
		value = tensor_keep_short(t, item->valuestring, strlen(item->valuestring));
		rc = key && value ? tensor_add_meta(t, key, value) : ERR_NOMEM;
	}
	return rc;
}

struct range {
	uint64_t begin, end;
	const char *name;
};

static int by_range(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* Each tensor begins where the one before ends, and the last one where the file does. */
static int check_ranges(struct tensor_file *t, uint64_t data)
{
	struct range *v = calloc(t->n ? t->n : 1, sizeof(*v));
	uint64_t at = 0;
	int rc = v ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < t->n; i++)
		v[i] = (struct range){
			t->places[i].offset, t->places[i].offset + t->v[i].bytes, t->v[i].name};
	if (rc == 0 && t->n > 0)
		qsort(v, t->n, sizeof(*v), by_range);
	for (size_t i = 0; rc == 0 && i < t->n; at = v[i++].end) {
		if (v[i].end > data)
			rc = err_set(ERR_INVALID,
				"%s: its data end at byte %llu of %llu; the file is cut short",
				v[i].name, (unsigned long long)v[i].end, (unsigned long long)data);
		else if (v[i].begin != at)
			rc = err_set(ERR_INVALID, "%s: its data %s; the file is damaged", v[i].name,
				v[i].begin < at ? "overlap those of another tensor"
						: "begin behind a gap");
	}
	if (rc == 0 && at != data)
		rc = err_set(ERR_INVALID, "%llu bytes at its end belong to no tensor",
			(unsigned long long)(data - at));
	free(v);
	return rc;
}

static int read_items(struct tensor_file *t, const cJSON *root)
{
	const cJSON *item;
	int rc = 0;

	cJSON_ArrayForEach(item, root)
	{
		if (rc < 0)
			break;
		if (strcmp(item->string, "__metadata__") == 0)
			rc = read_metadata(t, item);
		else
			rc = read_tensor(t, item);
	}
	return rc;
}

int tensor_safetensors_read(struct tensor_file *t)
{
	struct buf text = BUF_INIT;
	cJSON *root = NULL;
	uint64_t length = 0;
	ssize_t n = fs_pread_full(t->fd, &length, sizeof length, 0);
	int rc = n < 0 ? (int)n : 0;

	length = le64toh(length);
	if (rc == 0 && (n < LENGTH_LEN || length < 2 || length > t->size - LENGTH_LEN))
		rc = err_set(ERR_INVALID, "no safetensors file, or one that was cut short");
	else if (rc == 0 && length > TENSOR_HEADER_MAX)
		rc = err_set(ERR_LIMIT, "a header of more than %d MiB", TENSOR_HEADER_MAX >> 20);
	if (rc == 0)
		rc = buf_grow(&text, length);
	if (rc == 0) {
		n = fs_pread_full(t->fd, text.p, length, LENGTH_LEN);
		rc = n < 0 ? (int)n : 0;
	}
	if (rc == 0) {
		text.len = (size_t)n;
		text.p[n] = '\0';
		rc = parse(&root, text.p, text.len);
	}
	if (rc == 0)
		rc = read_items(t, root);
	if (rc == 0)
		rc = check_ranges(t, t->size - LENGTH_LEN - length);
	for (size_t i = 0; i < t->n; i++)
		t->places[i].offset += LENGTH_LEN + length;
	cJSON_Delete(root);
	buf_release(&text);
	return rc;
}
