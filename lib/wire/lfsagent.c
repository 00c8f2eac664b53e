/*
 * Lines for transfer agents and from them (see lfsagent.h).
 */
#include "lib/wire/lfsagent.h"
#include "lib/base/err.h"
#include "lib/base/isotime.h"
#include "lib/wire/lfsjson_internal.h"

#include <stdlib.h>
#include <string.h>

static int end_line(struct json *j, struct buf *out)
{
	int rc = json_format(j, out, 0);

	if (rc == 0 && (!out->len || out->p[out->len - 1] != '\n'))
		rc = buf_addch(out, '\n');
	return rc;
}

int lfsagent_init_format(
	struct buf *out, enum lfs_operation op, const char *remote, int concurrent, unsigned n)
{
	struct json j;

	json_init(&j);
	json_string(&j, j.root, "event", "init");
	json_string(&j, j.root, "operation", lfs_operation_name(op));
	json_string(&j, j.root, "remote", remote);
	json_bool(&j, j.root, "concurrent", concurrent);
	json_uint(&j, j.root, "concurrenttransfers", n);
	return end_line(&j, out);
}

/* "Name: value" lines become members. */
static int put_headers(struct json *j, cJSON *action, const struct strvec *headers)
{
	cJSON *into = json_object(j, action, "header");

	for (size_t i = 0; i < headers->n; i++) {
		const char *line = headers->v[i], *colon = strstr(line, ": ");
		char *name = colon ? strndup(line, (size_t)(colon - line)) : NULL;

		if (!name)
			return colon ? err_set(ERR_NOMEM, "out of memory") : 0;
		json_string(j, into, name, colon + 2);
		free(name);
	}
	return 0;
}

static int put_action(struct json *j, const struct lfs_action *a)
{
	cJSON *action;
	char when[ISOTIME_LEN + 1];

	if (!a) {
		json_string(j, j->root, "action", NULL);
		return 0;
	}
	action = json_object(j, j->root, "action");
	json_string(j, action, "href", a->href);
	if (a->expires_at) {
		isotime_format(when, a->expires_at);
		when[10] = 'T';
		json_string(j, action, "expires_at", when);
	}
	return put_headers(j, action, &a->headers);
}

int lfsagent_object_format(struct buf *out, enum lfs_operation op, const struct oid *oid,
	uint64_t size, const char *path, const struct lfs_action *action)
{
	char hex[OID_HEX_LEN + 1];
	struct json j;
	int rc;

	oid_to_hex(hex, oid);
	json_init(&j);
	json_string(&j, j.root, "event", lfs_operation_name(op));
	json_string(&j, j.root, "oid", hex);
	json_uint(&j, j.root, "size", size);
	if (path)
		json_string(&j, j.root, "path", path);
	rc = put_action(&j, action);
	if (rc < 0) {
		json_release(&j);
		return rc;
	}
	return end_line(&j, out);
}

int lfsagent_terminate_format(struct buf *out)
{
	return buf_addstr(out, "{\"event\":\"terminate\"}\n");
}

void lfsagent_message_release(struct lfsagent_message *m)
{
	free(m->path);
	free(m->error);
	memset(m, 0, sizeof(*m));
}

/* "error": {"code":…, "message":…}: 1 and the words (NULL: none), 0 if there is none, negative. */
static int get_error(char **out, const cJSON *root)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
	const char *text;

	*out = NULL;
	if (!error || cJSON_IsNull(error))
		return 0;
	text = cJSON_GetStringValue(
		cJSON_IsObject(error) ? cJSON_GetObjectItemCaseSensitive(error, "message") : error);
	if (text && *text) {
		*out = strndup(text, LFSJSON_STRING_MAX);
		if (!*out)
			return err_set(ERR_NOMEM, "out of memory");
		err_printable(*out);
	}
	return 1;
}

int lfsagent_ready_parse(const char *line, size_t len)
{
	cJSON *root = NULL;
	char *why = NULL;
	int rc = lfsjson_parse(&root, line, len, "answer to 'init'");

	if (rc == 0)
		rc = get_error(&why, root);
	if (rc > 0)
		rc = err_set(ERR_REMOTE, "%s", why ? why : "it is not ready, and does not say why");
	cJSON_Delete(root);
	free(why);
	return rc;
}

static int get_event(enum lfsagent_event *out, const cJSON *root)
{
	char *event = NULL;
	int rc = lfsjson_need_string(&event, root, "event", LFSJSON_STRING_MAX);

	if (rc == 0 && strcmp(event, "progress") == 0)
		*out = LFSAGENT_PROGRESS;
	else if (rc == 0 && strcmp(event, "complete") == 0)
		*out = LFSAGENT_COMPLETE;
	else if (rc == 0)
		rc = err_set(ERR_INVALID, "unknown event '%.50s'", event);
	free(event);
	return rc;
}

static int get_oid(struct oid *out, const cJSON *root)
{
	char *hex = NULL;
	int rc = lfsjson_need_string(&hex, root, "oid", LFSJSON_STRING_MAX);

	if (rc == 0 && (strlen(hex) != OID_HEX_LEN || oid_from_hex(out, hex) < 0))
		rc = err_set(ERR_INVALID, "'oid' is none");
	free(hex);
	return rc;
}

int lfsagent_message_parse(struct lfsagent_message *m, const char *line, size_t len)
{
	cJSON *root = NULL;
	int rc = lfsjson_parse(&root, line, len, "line of the agent");

	memset(m, 0, sizeof(*m));
	if (rc == 0)
		rc = get_event(&m->event, root);
	if (rc == 0)
		rc = get_oid(&m->oid, root);
	if (rc == 0 && m->event == LFSAGENT_PROGRESS)
		rc = lfsjson_get_uint(&m->bytes, root, "bytesSoFar", (uint64_t)1 << 53);
	if (rc >= 0 && m->event == LFSAGENT_COMPLETE) {
		rc = get_error(&m->error, root);
		m->failed = rc > 0;
		if (rc >= 0)
			rc = lfsjson_get_string(&m->path, root, "path", LFSJSON_STRING_MAX);
	}
	cJSON_Delete(root);
	if (rc < 0)
		lfsagent_message_release(m);
	return rc < 0 ? rc : 0;
}
