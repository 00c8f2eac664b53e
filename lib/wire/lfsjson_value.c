/*
 * JSON values that came from outside, for lfsjson.c and lfsjson_locks.c.  cJSON parses; this bounds
 * what it is given (a hostile document of 16 MiB would otherwise become 600 MB of values) and
 * refuses what C strings cannot hold or a terminal would obey.
 */
#include "lib/wire/lfsjson_internal.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/wire/lfsjson.h"

static const uint64_t exact_max = (uint64_t)1 << 53;

/* Count what becomes values, and find NUL, raw or escaped.  `copy` is NUL-terminated. */
static int look_over(const char *copy, size_t len, const char *what)
{
	size_t values = 0;
	int quoted = 0;

	for (size_t i = 0; i < len; i++) {
		char c = copy[i];

		if (c == '\0')
			return err_set(ERR_INVALID, "%s: NUL in JSON", what);
		if (c == '\\' && quoted) {
			if (strncmp(copy + i, "\\u0000", 6) == 0)
				return err_set(ERR_INVALID, "%s: NUL in a string", what);
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted) {
			values += c == ',' || c == '[' || c == '{' || c == ':';
		}
		if (values > LFSJSON_VALUES_MAX)
			return err_set(ERR_LIMIT, "%s: more than %d JSON values", what,
				LFSJSON_VALUES_MAX);
	}
	return utf8_valid(copy) ? 0 : err_set(ERR_INVALID, "%s: JSON that is not UTF-8", what);
}

int lfsjson_parse(cJSON **out, const char *text, size_t len, const char *what)
{
	struct buf copy = {.max = LFS_JSON_MAX};
	int rc = buf_add(&copy, text, len); /* for the NUL behind it */

	*out = NULL;
	if (rc == ERR_LIMIT)
		err_set(rc, "%s: more than %d bytes of JSON", what, LFS_JSON_MAX);
	if (rc == 0)
		rc = look_over(buf_str(&copy), len, what);
	if (rc == 0) {
		*out = cJSON_ParseWithOpts(buf_str(&copy), NULL, 1);
		if (!cJSON_IsObject(*out))
			rc = err_set(ERR_INVALID, "%s: not a JSON object", what);
	}
	if (rc < 0) {
		cJSON_Delete(*out);
		*out = NULL;
	}
	buf_release(&copy);
	return rc;
}

/* The member, or NULL when it is absent or null. */
static const cJSON *member(const cJSON *object, const char *key)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNull(m) ? NULL : m;
}

int lfsjson_get_string(char **out, const cJSON *object, const char *key, size_t max)
{
	const cJSON *m = member(object, key);

	*out = NULL;
	if (!m)
		return 0;
	if (!cJSON_IsString(m))
		return err_set(ERR_INVALID, "'%s' is not a string", key);
	if (strlen(m->valuestring) > max)
		return err_set(ERR_LIMIT, "'%s' is longer than %zu bytes", key, max);
	for (const char *p = m->valuestring; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f ||
			((unsigned char)*p == 0xc2 && ((unsigned char)p[1] & 0xe0) == 0x80))
			return err_set(ERR_INVALID, "control character in '%s'", key);
	if (m->valuestring[0] && !(*out = strdup(m->valuestring)))
		return err_set(ERR_NOMEM, "out of memory");
	return 0;
}

int lfsjson_need_string(char **out, const cJSON *object, const char *key, size_t max)
{
	int rc = lfsjson_get_string(out, object, key, max);

	return rc == 0 && !*out ? err_set(ERR_INVALID, "no '%s'", key) : rc;
}

int lfsjson_get_uint(uint64_t *out, const cJSON *object, const char *key, uint64_t max)
{
	const cJSON *m = member(object, key);
	uint64_t value;

	if (!m)
		return 0;
	if (!cJSON_IsNumber(m) || !(m->valuedouble >= 0 && m->valuedouble <= (double)exact_max))
		return err_set(ERR_INVALID, "'%s' is not a whole number", key);
	value = (uint64_t)m->valuedouble;
	if ((double)value < m->valuedouble || value > max)
		return err_set(ERR_INVALID, "'%s' is not a whole number up to %" PRIu64, key, max);
	*out = value;
	return 1;
}

int lfsjson_get_bool(int *out, const cJSON *object, const char *key)
{
	const cJSON *m = member(object, key);

	if (!m)
		return 0;
	if (!cJSON_IsBool(m))
		return err_set(ERR_INVALID, "'%s' is neither true nor false", key);
	*out = cJSON_IsTrue(m);
	return 1;
}

int lfsjson_get_array(const cJSON **out, const cJSON *object, const char *key)
{
	*out = member(object, key);
	return !*out || cJSON_IsArray(*out) ? 0 : err_set(ERR_INVALID, "'%s' is not an array", key);
}

int lfsjson_get_object(const cJSON **out, const cJSON *object, const char *key)
{
	*out = member(object, key);
	return !*out || cJSON_IsObject(*out) ? 0
					     : err_set(ERR_INVALID, "'%s' is not an object", key);
}
