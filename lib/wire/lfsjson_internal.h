/*
 * JSON values for the two halves of lfsjson.h: one bounded document in, members out, with every
 * check in one place.  (Output: json.h.)
 */
#ifndef LIB_WIRE_LFSJSON_INTERNAL_H
#define LIB_WIRE_LFSJSON_INTERNAL_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/wire/json.h"
#include "lib/wire/lfsjson.h"

enum {
	LFSJSON_VALUES_MAX = 512 * 1024, /* in one document: cJSON takes 80 bytes for the least */
	LFSJSON_STRING_MAX = 4096,	 /* paths, names, ids */
	LFSJSON_HREF_MAX = 16 * 1024	 /* URLs with signatures, values of headers */
};

/* Parse a document whose root is an object; *out is to be freed by cJSON_Delete.  `what` ("answer
 * of the server") is for messages.  0; ERR_INVALID: no JSON, not UTF-8, with NUL in a string, or
 * something behind it; ERR_LIMIT: over LFS_JSON_MAX or LFSJSON_VALUES_MAX; ERR_NOMEM. */
int lfsjson_parse(cJSON **out, const char *text, size_t len, const char *what);

/* A member that is a string of at most `max` bytes without control characters, copied to the heap;
 * one that is absent, null or empty: *out = NULL.  0, ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int lfsjson_get_string(char **out, const cJSON *object, const char *key, size_t max);
/* The same where it must be there: ERR_INVALID if not. */
int lfsjson_need_string(char **out, const cJSON *object, const char *key, size_t max);
/* A whole number from 0 to `max` (2^53 at most, which a double holds exactly).  1; 0 and *out
 * unchanged when it is absent or null; ERR_INVALID. */
int lfsjson_get_uint(uint64_t *out, const cJSON *object, const char *key, uint64_t max);
/* true or false.  1, 0, ERR_INVALID as above. */
int lfsjson_get_bool(int *out, const cJSON *object, const char *key);
/* An array (*out NULL when it is absent or null) or an object.  0, ERR_INVALID. */
int lfsjson_get_array(const cJSON **out, const cJSON *object, const char *key);
int lfsjson_get_object(const cJSON **out, const cJSON *object, const char *key);

/* Of an action: its member "header", appended as "Name: value"; and when it expires (0: never), by
 * expires_in, which counts from `now` and beats expires_at; 0, and the year 1, are how servers
 * written in some languages say that it is not set.  0, ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int lfsjson_get_headers(struct strvec *out, const cJSON *action);
int lfsjson_get_expiry(int64_t *out, const cJSON *action, int64_t now);

extern const char *const lfsjson_action_names[];

/* Sizes in bytes, up to INT64_MAX, are exact in a document that was parsed by this: otherwise as
 * lfsjson_parse. */
int lfsjson_parse_sizes(cJSON **out, const char *text, size_t len, const char *what);
/* Its member "size".  1; 0 and *out unchanged when it is absent or null; ERR_INVALID. */
int lfsjson_get_size(uint64_t *out, const cJSON *object);

/* Locks as members of a document: a lock's own ("id", "path"…), and the lists of a page with its
 * cursor. */
void lfsjson_put_lock(struct json *j, cJSON *into, const struct lfs_lock *l);
void lfsjson_put_page(struct json *j, const struct lfs_lock_page *p, int verification);
/* 0, ERR_INVALID, ERR_LIMIT, ERR_NOMEM; what was filled until then is to be released. */
int lfsjson_get_lock(struct lfs_lock *l, const cJSON *from);
int lfsjson_get_page(struct lfs_lock_page *p, const cJSON *root, int verification);

#endif
