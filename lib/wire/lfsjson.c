/*
 * The Batch API's messages (see lfsjson.h) as values, and written; lfsjson_read.c reads them.
 */
#include "lib/wire/lfsjson.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/isotime.h"
#include "lib/wire/json.h"
#include "lib/wire/lfsjson_internal.h"

#include <stdlib.h>
#include <string.h>

const char *const lfsjson_action_names[LFS_ACTIONS] = {"download", "upload", "verify"};

/* ---- life ---- */

static void action_free(struct lfs_action *a)
{
	if (!a)
		return;
	free(a->href);
	strvec_release(&a->headers);
	free(a);
}

void lfs_batch_release(struct lfs_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		for (int k = 0; k < LFS_ACTIONS; k++)
			action_free(b->objects[i].actions[k]);
		free(b->objects[i].error);
	}
	free(b->objects);
	strvec_release(&b->transfers);
	free(b->transfer);
	free(b->ref);
	free(b->hash_algo);
	memset(b, 0, sizeof(*b));
}

struct lfs_batch_object *lfs_batch_add(struct lfs_batch *b)
{
	struct lfs_batch_object *v;

	if (array_room(&b->objects, b->n, &b->cap, sizeof(*b->objects)) < 0)
		return NULL;
	v = &b->objects[b->n++];
	memset(v, 0, sizeof(*v));
	return v;
}

struct lfs_action *lfs_batch_action(
	struct lfs_batch_object *o, enum lfs_action_kind kind, const char *href)
{
	struct lfs_action *a = calloc(1, sizeof(*a));

	if (a)
		a->href = strdup(href);
	if (!a || !a->href) {
		free(a);
		return NULL;
	}
	action_free(o->actions[kind]);
	o->actions[kind] = a;
	return a;
}

/* ---- writing ---- */

static void add_oid(struct json *j, cJSON *object, const struct oid *oid)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	json_string(j, object, "oid", hex);
}

static void add_word(struct json *j, cJSON *array, const char *word)
{
	cJSON *item = cJSON_CreateString(word);

	if (!item || !cJSON_AddItemToArray(array, item)) {
		cJSON_Delete(item);
		j->failed = 1;
	}
}

int lfsjson_batch_request_format(struct buf *out, const struct lfs_batch *b)
{
	struct json j;
	cJSON *list;

	json_init(&j);
	json_string(&j, j.root, "operation", lfs_operation_name(b->operation));
	if (b->transfers.n) {
		list = json_array(&j, j.root, "transfers");
		for (size_t i = 0; i < b->transfers.n; i++)
			add_word(&j, list, b->transfers.v[i]);
	}
	if (b->ref)
		json_string(&j, json_object(&j, j.root, "ref"), "name", b->ref);
	list = json_array(&j, j.root, "objects");
	for (size_t i = 0; i < b->n; i++) {
		cJSON *o = json_item(&j, list);

		add_oid(&j, o, &b->objects[i].oid);
		json_uint(&j, o, "size", b->objects[i].size);
	}
	json_string(&j, j.root, "hash_algo", b->hash_algo ? b->hash_algo : "sha256");
	return json_format(&j, out, 0);
}

static void add_headers(struct json *j, cJSON *action, const struct strvec *headers)
{
	cJSON *object = headers->n ? json_object(j, action, "header") : NULL;

	for (size_t i = 0; i < headers->n; i++) {
		const char *line = headers->v[i], *colon = strstr(line, ": ");
		char *name = colon ? strndup(line, (size_t)(colon - line)) : NULL;

		if (name)
			json_string(j, object, name, colon + 2);
		else
			j->failed = 1;
		free(name);
	}
}

static void add_expiry(struct json *j, cJSON *action, int64_t at, int64_t now)
{
	char text[ISOTIME_LEN + 1];

	isotime_format(text, at);
	text[10] = 'T'; /* RFC 3339 */
	json_string(j, action, "expires_at", text);
	if (at > now)
		json_uint(j, action, "expires_in", (uint64_t)(at - now));
}

static void add_actions(
	struct json *j, cJSON *object, const struct lfs_batch_object *o, int64_t now)
{
	cJSON *actions = NULL;

	for (int k = 0; k < LFS_ACTIONS; k++) {
		const struct lfs_action *a = o->actions[k];
		cJSON *action;

		if (!a)
			continue;
		if (!actions)
			actions = json_object(j, object, "actions");
		action = json_object(j, actions, lfsjson_action_names[k]);
		json_string(j, action, "href", a->href);
		add_headers(j, action, &a->headers);
		if (a->expires_at)
			add_expiry(j, action, a->expires_at, now);
	}
}

int lfsjson_batch_response_format(struct buf *out, const struct lfs_batch *b, int64_t now)
{
	struct json j;
	cJSON *list;

	json_init(&j);
	json_string(&j, j.root, "transfer", b->transfer ? b->transfer : "basic");
	list = json_array(&j, j.root, "objects");
	for (size_t i = 0; i < b->n; i++) {
		const struct lfs_batch_object *o = &b->objects[i];
		cJSON *object = json_item(&j, list);

		add_oid(&j, object, &o->oid);
		json_uint(&j, object, "size", o->size);
		if (o->authenticated)
			json_bool(&j, object, "authenticated", 1);
		add_actions(&j, object, o, now);
		if (o->error_code) {
			cJSON *error = json_object(&j, object, "error");

			json_uint(&j, error, "code", (uint64_t)o->error_code);
			json_string(&j, error, "message", o->error ? o->error : "");
		}
	}
	json_string(&j, j.root, "hash_algo", b->hash_algo ? b->hash_algo : "sha256");
	return json_format(&j, out, 0);
}

int lfsjson_verify_format(struct buf *out, const struct oid *oid, uint64_t size)
{
	struct json j;

	json_init(&j);
	add_oid(&j, j.root, oid);
	json_uint(&j, j.root, "size", size);
	return json_format(&j, out, 0);
}
