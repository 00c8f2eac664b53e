/*
 * JSON output of the commands: cJSON behind calls whose failure (out of memory) is noticed once, at
 * the end.
 */
#ifndef COMMANDS_JSON_H
#define COMMANDS_JSON_H

#include <stdint.h>

#include <cjson/cJSON.h>

struct json {
	cJSON *root;
	int failed;
};

/* The root is an object. */
void json_init(struct json *j);
void json_string(
	struct json *j, cJSON *object, const char *key, const char *value);	/* NULL: null */
void json_uint(struct json *j, cJSON *object, const char *key, uint64_t value); /* every digit */
void json_bool(struct json *j, cJSON *object, const char *key, int value);
/* A new array or object in `object`.  NULL when out of memory; all functions take that. */
cJSON *json_array(struct json *j, cJSON *object, const char *key);
cJSON *json_object(struct json *j, cJSON *object, const char *key);
/* A new object at the end of an array. */
cJSON *json_item(struct json *j, cJSON *array);
/* Print to stdout and free.  0, or ERR_NOMEM and nothing printed. */
int json_print(struct json *j);
/* Forget what was not printed; fine for a zeroed one, and after json_print. */
void json_release(struct json *j);

#endif
