/*
 * Sizes in JSON, every digit of them: cJSON keeps numbers as doubles, which are exact up to 2^53,
 * and sizes go up to 2^63 - 1.  So long integers are made strings before cJSON sees them.
 */
#include "lib/base/err.h"
#include "lib/wire/lfsjson.h"
#include "lib/wire/lfsjson_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_DIGITS = 16, INT64_DIGITS = 19 };

/* Bytes of the string that begins at text[0] == '"', quotes included. */
static size_t string_len(const char *text, size_t len)
{
	size_t i = 1;

	while (i < len && text[i] != '"')
		i += text[i] == '\\' ? 2 : 1;
	return i < len ? i + 1 : len;
}

/* Bytes of a number: all that may occur in one. */
static size_t number_len(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && (isalnum((unsigned char)text[i]) || strchr("+-.", text[i])) && text[i])
		i++;
	return i;
}

static int is_long_integer(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)text[i]))
			return 0;
	return len >= LONG_DIGITS && text[0] != '0';
}

/* Append the text with long integers in quotes. */
static int quote_integers(struct buf *out, const char *text, size_t len)
{
	size_t i = 0, n;
	int rc = 0;

	while (rc == 0 && i < len) {
		n = 1;
		if (text[i] == '"')
			n = string_len(text + i, len - i);
		else if (isdigit((unsigned char)text[i]) || text[i] == '-')
			n = number_len(text + i, len - i);
		if (is_long_integer(text + i, n)) {
			rc = buf_addch(out, '"');
			if (rc == 0)
				rc = buf_add(out, text + i, n);
			if (rc == 0)
				rc = buf_addch(out, '"');
		} else {
			rc = buf_add(out, text + i, n);
		}
		i += n;
	}
	return rc;
}

int lfsjson_parse_sizes(cJSON **out, const char *text, size_t len, const char *what)
{
	struct buf quoted = {.max = LFS_JSON_MAX};
	int rc = quote_integers(&quoted, text, len);

	*out = NULL;
	if (rc == ERR_LIMIT)
		err_set(rc, "%s: more than %d bytes of JSON", what, LFS_JSON_MAX);
	if (rc == 0)
		rc = lfsjson_parse(out, buf_str(&quoted), quoted.len, what);
	buf_release(&quoted);
	return rc;
}

int lfsjson_get_size(uint64_t *out, const cJSON *object)
{
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(object, "size");
	const char *digits = cJSON_GetStringValue(size);
	unsigned long long value;

	if (!digits)
		return lfsjson_get_uint(out, object, "size", INT64_MAX);
	if (!is_long_integer(digits, strlen(digits)))
		return err_set(ERR_INVALID, "'size' is not a number of bytes");
	errno = 0;
	value = strtoull(digits, NULL, 10);
	if (strlen(digits) > INT64_DIGITS || errno || value > INT64_MAX)
		return err_set(ERR_INVALID, "'size' is over 2^63 - 1 bytes");
	*out = value;
	return 1;
}
