/*
 * JSON output.  Numbers go in as raw text, because cJSON keeps doubles and a size has up to 63
 * bits.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/json.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

void json_init(struct json *j)
{
	j->root = cJSON_CreateObject();
	j->failed = j->root == NULL;
}

/* cJSON's functions take NULL objects and then return NULL themselves. */
static cJSON *check(struct json *j, cJSON *made)
{
	if (made == NULL)
		j->failed = 1;
	return made;
}

/* Length of the well-formed UTF-8 sequence at `p` (RFC 3629), 0 if there is none. */
static size_t utf8_len(const unsigned char *p)
{
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0; /* also at the end of the string */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* Paths may hold any bytes, JSON may not: what is not UTF-8 becomes U+FFFD. */
static int add_utf8(struct buf *out, const char *text)
{
	int rc = 0;

	for (const char *p = text; rc == 0 && *p != '\0';) {
		size_t n = utf8_len((const unsigned char *)p);

		rc = n > 0 ? buf_add(out, p, n) : buf_addstr(out, "\xef\xbf\xbd");
		p += n > 0 ? n : 1;
	}
	return rc;
}

void json_string(struct json *j, cJSON *object, const char *key, const char *value)
{
	struct buf text = BUF_INIT;

	if (value == NULL)
		check(j, cJSON_AddNullToObject(object, key));
	else if (add_utf8(&text, value) == 0)
		check(j, cJSON_AddStringToObject(object, key, buf_str(&text)));
	else
		j->failed = 1;
	buf_release(&text);
}

void json_uint(struct json *j, cJSON *object, const char *key, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	check(j, cJSON_AddRawToObject(object, key, digits));
}

void json_bool(struct json *j, cJSON *object, const char *key, int value)
{
	check(j, cJSON_AddBoolToObject(object, key, value != 0));
}

cJSON *json_array(struct json *j, cJSON *object, const char *key)
{
	return check(j, cJSON_AddArrayToObject(object, key));
}

cJSON *json_object(struct json *j, cJSON *object, const char *key)
{
	return check(j, cJSON_AddObjectToObject(object, key));
}

cJSON *json_item(struct json *j, cJSON *array)
{
	cJSON *item = check(j, cJSON_CreateObject());

	if (item != NULL && !cJSON_AddItemToArray(array, item)) {
		cJSON_Delete(item);
		return check(j, NULL);
	}
	return item;
}

void json_release(struct json *j)
{
	cJSON_Delete(j->root);
	j->root = NULL;
}

int json_print(struct json *j)
{
	char *text = j->failed ? NULL : cJSON_Print(j->root);

	json_release(j);
	if (text == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	puts(text);
	free(text);
	return 0;
}
