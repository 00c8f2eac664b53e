/*
 * JSON output.  Numbers go in as raw text, because cJSON keeps doubles and a size has up to 63
 * bits.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/json.h"
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

void json_string(struct json *j, cJSON *object, const char *key, const char *value)
{
	check(j, value != NULL ? cJSON_AddStringToObject(object, key, value)
			       : cJSON_AddNullToObject(object, key));
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

int json_print(struct json *j)
{
	char *text = j->failed ? NULL : cJSON_Print(j->root);

	cJSON_Delete(j->root);
	j->root = NULL;
	if (text == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	puts(text);
	free(text);
	return 0;
}
