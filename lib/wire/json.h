/*
 * JSON output: cJSON behind calls whose failure (out of memory) is noticed once, at the end.
 */
#ifndef LIB_WIRE_JSON_H
#define LIB_WIRE_JSON_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/base/buf.h"

struct json {
	cJSON *root;
	int failed;
};

/* The root is an object, or an array (whose items are json_item's). */
void json_init(struct json *j);
void json_init_array(struct json *j);
void json_string(
	struct json *j, cJSON *object, const char *key, const char *value);	/* NULL: null */
void json_uint(struct json *j, cJSON *object, const char *key, uint64_t value); /* every digit */
void json_bool(struct json *j, cJSON *object, const char *key, int value);
/* A value that is JSON already, copied as it is. */
void json_raw(struct json *j, cJSON *object, const char *key, const char *text);
/* A new array or object in `object`.  NULL when out of memory; all functions take that. */
cJSON *json_array(struct json *j, cJSON *object, const char *key);
cJSON *json_object(struct json *j, cJSON *object, const char *key);
/* A new object at the end of an array. */
cJSON *json_item(struct json *j, cJSON *array);
/* A string at the end of an array. */
void json_item_string(struct json *j, cJSON *array, const char *value);
/* Append the text (on one line, or laid out for people) and free.  0, ERR_NOMEM, ERR_LIMIT. */
int json_format(struct json *j, struct buf *out, int for_people);
/* Forget what was not printed; fine for a zeroed one, and after json_format. */
void json_release(struct json *j);

#endif
