/*
 * The key of a table is a fact about the data, so it is declared where the data is: attributes hold
 * what needs no blanks, .dvxconfig any name of a column.
 */
#include "lib/repo/tablekey.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/repo/attrs.h"

static const char attribute[] = "dvx-key", section[] = "dvx-table.", variable[] = ".key";

struct search {
	const char *path;
	const char *key, *found; /* borrowed from the configuration */
};

/* The last pattern that matches wins. */
static int look_at_setting(const char *key, const char *value, void *data)
{
	const size_t head = sizeof section - 1, tail = sizeof variable - 1;
	size_t len = strlen(key);
	struct search *s = data;
	char *pattern;

	if (len <= head + tail || strncmp(key, section, head) != 0 ||
		strcmp(key + len - tail, variable) != 0)
		return 0;
	pattern = strndup(key + head, len - head - tail);
	if (pattern == NULL)
		return err_no_memory();
	if (pathmatch_one(pattern, s->path)) {
		s->key = key;
		s->found = value;
	}
	free(pattern);
	return 0;
}

int tablekey_find(char **out, const struct repo *repo, const char *const *paths, size_t n)
{
	int rc = attrs_values(repo, attribute, paths, n, out);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct search s = {.path = paths[i]};

		if (out[i] != NULL)
			continue;
		rc = config_each(repo->config, look_at_setting, &s);
		if (rc == 0 && s.found != NULL && !(out[i] = strdup(s.found)))
			rc = err_no_memory();
	}
	for (size_t i = 0; rc < 0 && i < n; i++) {
		free(out[i]);
		out[i] = NULL;
	}
	return rc;
}

int tablekey_blame(int code, const struct repo *repo, const char *path)
{
	struct search s = {.path = path};
	char *said = strdup(err_msg()), *value = NULL;

	if (said == NULL)
		return code;
	if (attrs_values(repo, attribute, &path, 1, &value) == 0 && value == NULL)
		config_each(repo->config, look_at_setting, &s);
	if (value != NULL)
		err_set(code, "%s; the attribute '%s' names it", said, attribute);
	else if (s.key != NULL)
		err_set(code, "%s; '%s' in .dvxconfig or your configuration names it", said, s.key);
	else
		err_set(code, "%s", said);
	free(value);
	free(said);
	return code;
}
