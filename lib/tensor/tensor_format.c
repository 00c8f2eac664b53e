/*
 * Which format a model file has.  What it begins with says more than its name: a GGUF file may be
 * called "model.bin", and what torch.save() writes is a zip archive with a pickle in it.
 */
#include <string.h>
#include <strings.h>

#include "lib/tensor/tensor_internal.h"

enum { ZIP_NAME_AT = 30 };

static uint64_t le64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof x);
	return x;
}

static int ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncasecmp(text + len - n, end, n) == 0;
}

/* By the name of the first file in the archive. */
static int format_of_zip(const uint8_t *head, size_t len, enum tensor_format *out)
{
	size_t name_len;

	if (len < ZIP_NAME_AT)
		return 0;
	name_len = (size_t)(head[26] | head[27] << 8);
	if (name_len > len - ZIP_NAME_AT)
		return 0;
	if (ends_with((const char *)head + ZIP_NAME_AT, name_len, ".npy"))
		*out = TENSOR_NPZ;
	else if (ends_with((const char *)head + ZIP_NAME_AT, name_len, "data.pkl"))
		*out = TENSOR_PICKLE;
	else
		return 0;
	return 1;
}

/* PROTO with a version, then an opcode that pickles really begin with. */
static int is_pickle(const uint8_t *head, size_t len)
{
	static const char first[] = "]}()cXKGJMNU\x8a\x8c";

	if (len < 3 || head[0] != 0x80 || head[1] < 2 || head[1] > 5)
		return 0;
	return head[2] == 0x95 || (head[2] != '\0' && strchr(first, (char)head[2]) != NULL);
}

static int format_of_content(const uint8_t *head, size_t len, enum tensor_format *out)
{
	if (len >= 6 && memcmp(head, "\x93NUMPY", 6) == 0)
		*out = TENSOR_NPY;
	else if (len >= 4 && memcmp(head, "GGUF", 4) == 0)
		*out = TENSOR_GGUF;
	else if (len >= 10 && le64(head) <= TENSOR_HEADER_MAX && head[8] == '{' &&
		 (head[9] == '"' || head[9] == '}'))
		*out = TENSOR_SAFETENSORS;
	else if (len >= 4 && memcmp(head, "PK\x03\x04", 4) == 0)
		return format_of_zip(head, len, out);
	else if (is_pickle(head, len))
		*out = TENSOR_PICKLE;
	else
		return 0;
	return 1;
}

int tensor_format_of(const char *path, const void *head, size_t head_len, enum tensor_format *out)
{
	static const struct {
		const char *end;
		enum tensor_format format;
	} names[] = {
		{".safetensors", TENSOR_SAFETENSORS},
		{".npy", TENSOR_NPY},
		{".npz", TENSOR_NPZ},
		{".gguf", TENSOR_GGUF},
		{".pkl", TENSOR_PICKLE},
		{".pickle", TENSOR_PICKLE},
		{".pt", TENSOR_PICKLE},
		{".pth", TENSOR_PICKLE},
		{".joblib", TENSOR_PICKLE},
	};

	if (head_len > 0 && format_of_content(head, head_len, out))
		return 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (ends_with(path, strlen(path), names[i].end)) {
			*out = names[i].format;
			return 1;
		}
	}
	return 0;
}
