/*
 * JSON output.  Numbers go in as raw text, because cJSON keeps doubles and a size has up to 63
 * bits.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/wire/json.h"
#include "lib/base/err.h"
#include "lib/base/utf8.h"

void json_init(struct json *j)
{
	j->root = cJSON_CreateObject();
	j->failed = j->root == NULL;
}

void json_init_array(struct json *j)
{
	j->root = cJSON_CreateArray();
	j->failed = j->root == NULL;
}

/* cJSON's functions take NULL objects and then return NULL themselves. */
static cJSON *check(struct json *j, cJSON *made)
{
	if (made == NULL)
		j->failed = 1;
	return made;
}

void json_string(struct json *j, cJSON *object, const char *key, const char *value)
{
	struct buf text = BUF_INIT;

	if (value == NULL)
		check(j, cJSON_AddNullToObject(object, key));
	else if (utf8_add(&text, value) == 0) /* paths may hold any bytes */
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

void json_raw(struct json *j, cJSON *object, const char *key, const char *text)
{
	check(j, cJSON_AddRawToObject(object, key, text));
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

void json_item_string(struct json *j, cJSON *array, const char *value)
{
	struct buf text = BUF_INIT;
	cJSON *item = NULL;

	if (array != NULL && utf8_add(&text, value) == 0)
		item = cJSON_CreateString(buf_str(&text));
	if (item == NULL || !cJSON_AddItemToArray(array, item)) {
		cJSON_Delete(item);
		j->failed = 1;
	}
	buf_release(&text);
}

int json_format(struct json *j, struct buf *out, int for_people)
{
	char *text = NULL;
	int rc;

	if (!j->failed)
		text = for_people ? cJSON_Print(j->root) : cJSON_PrintUnformatted(j->root);
	json_release(j);
	rc = text ? buf_addstr(out, text) : err_set(ERR_NOMEM, "out of memory");
	cJSON_free(text);
	return rc;
}
