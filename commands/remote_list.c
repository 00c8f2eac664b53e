/*
 * `git dvx remote list`: names, places and settings.  A secret is "set", and nothing else is ever
 * printed of it.
 */
#include <stdio.h>
#include <string.h>

#include "commands/json.h"
#include "commands/remote.h"
#include "commands/remote_options.h"
#include "commands/remote_url.h"
#include "lib/base/err.h"
#include "lib/setup/remotes.h"

struct list_state {
	const struct config *c;
	const char *default_name;
	struct json *json; /* NULL: text */
	cJSON *array;
};

/* "accessKeyId" as configuration keys have it. */
static void lower(char *out, size_t size, const char *text)
{
	size_t i;

	for (i = 0; i + 1 < size && text[i] != '\0'; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	out[i] = '\0';
}

static void list_settings(const struct list_state *s, cJSON *item, const char *name)
{
	size_t n;
	const struct remote_option *o = remote_option_table(&n);
	cJSON *settings = json_object(s->json, item, "settings");

	for (size_t i = 0; i < n; i++) {
		char key[64];
		const char *value;

		lower(key, sizeof(key), o[i].variable);
		value = remotes_setting(s->c, name, key);
		if (value != NULL && o[i].type != REMOTE_OPTION_URL)
			json_string(s->json, settings, o[i].name,
				o[i].place == REMOTE_OPTION_SECRET ? "set" : value);
	}
}

static void list_json(const struct list_state *s, const char *name, const char *url, int is_default)
{
	cJSON *item = json_item(s->json, s->array);

	json_string(s->json, item, "name", name);
	json_string(s->json, item, "url", url);
	json_bool(s->json, item, "default", is_default);
	list_settings(s, item, name);
}

static int list_one(const char *key, const char *value, void *data)
{
	const struct list_state *s = data;
	struct buf name = BUF_INIT, url = BUF_INIT;
	size_t len = strlen(key), head = strlen("dvx-remote."), tail = strlen(".url");
	int is_default, rc;

	if (strncmp(key, "dvx-remote.", head) != 0 || len <= head + tail ||
		strcmp(key + len - tail, ".url") != 0 || config_get(s->c, key) != value)
		return 0; /* another key, or a value that a later one overrides */
	rc = buf_add(&name, key + head, len - head - tail);
	if (rc == 0)
		rc = remote_url_masked(&url, value);
	if (rc < 0)
		goto done;
	is_default = s->default_name != NULL && strcmp(s->default_name, name.p) == 0;
	if (s->json != NULL)
		list_json(s, name.p, buf_str(&url), is_default);
	else
		printf("%s\t%s%s\n", name.p, buf_str(&url), is_default ? "\t(default)" : "");
done:
	buf_release(&name);
	buf_release(&url);
	return rc;
}

int remote_list(const struct remote_args *a)
{
	struct list_state s = {.c = a->ctx->c, config_get(a->ctx->c, "dvx.remote")};
	struct json json;
	int rc;

	if (a->n != 0)
		return command_usage("'git dvx remote list' takes no arguments");
	if (!a->json)
		return config_each(a->ctx->c, list_one, &s);
	json_init(&json);
	s.json = &json;
	s.array = json_array(&json, json.root, "remotes");
	rc = config_each(a->ctx->c, list_one, &s);
	json.failed |= rc < 0;
	return json_print(&json);
}
