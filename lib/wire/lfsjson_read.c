/*
 * The Batch API's messages that came from the other side (see lfsjson.h).  Values come from
 * lfsjson_value.c, checked; here is what they mean.
 */
#include "lib/base/err.h"
#include "lib/base/isotime.h"
#include "lib/wire/lfsjson.h"
#include "lib/wire/lfsjson_internal.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 255, TRANSFERS_MAX = 64, HEADERS_MAX = 64 };

static int get_oid(struct oid *out, const cJSON *object)
{
	const char *hex = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "oid"));

	if (!hex || strlen(hex) != OID_HEX_LEN || oid_from_hex(out, hex) < 0)
		return err_set(ERR_INVALID, "'oid' is not an object id");
	return 0;
}

static int get_ref(char **out, const cJSON *root)
{
	const cJSON *ref;
	int rc = lfsjson_get_object(&ref, root, "ref");

	return rc == 0 && ref ? lfsjson_get_string(out, ref, "name", LFSJSON_STRING_MAX) : rc;
}

static int get_transfers(struct strvec *out, const cJSON *root)
{
	const cJSON *list, *item;
	int rc = lfsjson_get_array(&list, root, "transfers");

	cJSON_ArrayForEach(item, list)
	{
		if (rc < 0)
			break;
		if (!cJSON_IsString(item) || strlen(item->valuestring) > WORD_MAX)
			rc = err_set(ERR_INVALID, "'transfers' has something else than names");
		else if (out->n == TRANSFERS_MAX)
			rc = err_set(ERR_LIMIT, "more than %d 'transfers'", TRANSFERS_MAX);
		else
			rc = strvec_push(out, item->valuestring);
	}
	return rc;
}

/* Every object of the list becomes one of the batch. */
static int get_objects(struct lfs_batch *b, const cJSON *root, int64_t now,
	int (*get)(struct lfs_batch_object *o, const cJSON *object, int64_t now))
{
	const cJSON *list, *item;
	int rc = lfsjson_get_array(&list, root, "objects");

	if (rc == 0 && !list)
		rc = err_set(ERR_INVALID, "no 'objects'");
	cJSON_ArrayForEach(item, list)
	{
		struct lfs_batch_object *o;

		if (rc < 0)
			break;
		if (b->n == LFS_BATCH_OBJECTS_MAX)
			return err_set(ERR_LIMIT, "more than %d objects", LFS_BATCH_OBJECTS_MAX);
		o = lfs_batch_add(b);
		if (!o)
			return err_set(ERR_NOMEM, "out of memory");
		rc = cJSON_IsObject(item) ? get(o, item, now)
					  : err_set(ERR_INVALID, "not a JSON object");
		if (rc < 0)
			err_prefix(rc, "object %zu", b->n);
	}
	return rc;
}

static int get_wanted(struct lfs_batch_object *o, const cJSON *object, int64_t now)
{
	int rc = get_oid(&o->oid, object);

	(void)now;
	if (rc == 0 && (rc = lfsjson_get_size(&o->size, object)) == 0)
		rc = err_set(ERR_INVALID, "no 'size'");
	return rc < 0 ? rc : 0;
}

static int get_operation(enum lfs_operation *out, const cJSON *root)
{
	const char *name =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "operation"));

	if (name && strcmp(name, "upload") == 0)
		*out = LFS_UPLOAD;
	else if (name && strcmp(name, "download") == 0)
		*out = LFS_DOWNLOAD;
	else
		return err_set(ERR_INVALID, "'operation' is neither 'download' nor 'upload'");
	return 0;
}

int lfsjson_batch_request_parse(struct lfs_batch *b, const char *text, size_t len)
{
	cJSON *root = NULL;
	int rc = lfsjson_parse_sizes(&root, text, len, "batch request");

	memset(b, 0, sizeof(*b));
	if (rc < 0)
		return rc;
	rc = get_operation(&b->operation, root);
	if (rc == 0)
		rc = get_transfers(&b->transfers, root);
	if (rc == 0)
		rc = get_ref(&b->ref, root);
	if (rc == 0)
		rc = lfsjson_get_string(&b->hash_algo, root, "hash_algo", WORD_MAX);
	if (rc == 0)
		rc = get_objects(b, root, 0, get_wanted);
	cJSON_Delete(root);
	if (rc < 0) {
		lfs_batch_release(b);
		err_prefix(rc, "batch request");
	}
	return rc;
}

/* RFC 9110: a token. */
static int is_header_name(const char *name)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz";

	return *name && strlen(name) <= WORD_MAX && name[strspn(name, token)] == '\0';
}

int lfsjson_get_headers(struct strvec *out, const cJSON *action)
{
	const cJSON *headers, *item;
	int rc = lfsjson_get_object(&headers, action, "header");

	cJSON_ArrayForEach(item, headers)
	{
		char *value = NULL;

		if (rc < 0)
			break;
		if (!is_header_name(item->string))
			return err_set(ERR_INVALID, "'header' has a name that is none");
		if (out->n == HEADERS_MAX)
			return err_set(ERR_LIMIT, "more than %d headers", HEADERS_MAX);
		rc = lfsjson_get_string(&value, headers, item->string, LFSJSON_HREF_MAX);
		if (rc == 0)
			rc = strvec_pushf(out, "%s: %s", item->string, value ? value : "");
		free(value);
	}
	return rc;
}

int lfsjson_get_expiry(int64_t *out, const cJSON *action, int64_t now)
{
	const cJSON *in = cJSON_GetObjectItemCaseSensitive(action, "expires_in");
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(action, "expires_at");
	const double limit = 1e12;

	*out = 0;
	if (cJSON_IsNumber(in) && in->valuedouble != 0) {
		double seconds = in->valuedouble;

		seconds = seconds > limit ? limit : seconds < -limit ? -limit : seconds;
		*out = now + (int64_t)seconds;
		if (*out <= 0)
			*out = 1;
		return 0;
	}
	if (in && !cJSON_IsNumber(in) && !cJSON_IsNull(in))
		return err_set(ERR_INVALID, "'expires_in' is not a number");
	if (!at || cJSON_IsNull(at) || !cJSON_GetStringValue(at) || !*at->valuestring)
		return 0;
	if (strncmp(at->valuestring, "0001-01-01T", 11) == 0)
		return 0;
	if (isotime_parse(out, at->valuestring) < 0)
		return err_set(ERR_INVALID, "'expires_at' is not a time");
	return 0;
}

static int get_action(
	struct lfs_batch_object *o, enum lfs_action_kind kind, const cJSON *actions, int64_t now)
{
	const cJSON *action;
	struct lfs_action *a;
	char *href = NULL;
	int rc = lfsjson_get_object(&action, actions, lfsjson_action_names[kind]);

	if (rc < 0 || !action)
		return rc;
	rc = lfsjson_need_string(&href, action, "href", LFSJSON_HREF_MAX);
	if (rc < 0)
		return err_prefix(rc, "action '%s'", lfsjson_action_names[kind]);
	a = lfs_batch_action(o, kind, href);
	free(href);
	if (!a)
		return err_set(ERR_NOMEM, "out of memory");
	rc = lfsjson_get_headers(&a->headers, action);
	if (rc == 0)
		rc = lfsjson_get_expiry(&a->expires_at, action, now);
	return rc < 0 ? err_prefix(rc, "action '%s'", lfsjson_action_names[kind]) : 0;
}

/* What a server says, on one line, fit for a terminal, and not too much of it. */
static int add_message(struct buf *out, const char *text)
{
	enum { MESSAGE_MAX = 500 };
	size_t start = out->len, len = strlen(text);
	int rc;

	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	if (len > MESSAGE_MAX) {
		len = MESSAGE_MAX;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) /* a whole letter */
			len--;
	}
	rc = buf_add(out, text, len);
	if (rc < 0)
		return rc;
	for (char *p = out->p + start; *p; p++)
		if (*p == '\n' || *p == '\t' || *p == '\r')
			*p = ' ';
	err_printable(out->p + start);
	return 0;
}

static int get_error(struct lfs_batch_object *o, const cJSON *object)
{
	enum { UNSAID = 500 };
	const cJSON *error;
	const char *message;
	struct buf text = BUF_INIT;
	int rc = lfsjson_get_object(&error, object, "error");
	uint64_t code = UNSAID;

	if (rc < 0 || !error)
		return rc;
	rc = lfsjson_get_uint(&code, error, "code", INT32_MAX);
	if (rc < 0)
		return rc;
	o->error_code = code ? (int)code : UNSAID;
	message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
	rc = add_message(&text, message ? message : "");
	if (rc == 0)
		o->error = buf_detach(&text);
	buf_release(&text);
	return rc;
}

static int get_answer(struct lfs_batch_object *o, const cJSON *object, int64_t now)
{
	const cJSON *actions;
	int rc = get_oid(&o->oid, object);

	o->size = LFS_SIZE_UNKNOWN;
	if (rc == 0)
		rc = lfsjson_get_size(&o->size, object);
	if (rc >= 0)
		rc = lfsjson_get_bool(&o->authenticated, object, "authenticated");
	if (rc >= 0)
		rc = lfsjson_get_object(&actions, object, "actions");
	if (rc == 0 && !actions) /* their name in the API's first version */
		rc = lfsjson_get_object(&actions, object, "_links");
	for (int k = 0; rc == 0 && actions && k < LFS_ACTIONS; k++)
		rc = get_action(o, k, actions, now);
	return rc == 0 ? get_error(o, object) : rc;
}

int lfsjson_batch_response_parse(struct lfs_batch *b, const char *text, size_t len, int64_t now)
{
	cJSON *root = NULL;
	int rc = lfsjson_parse_sizes(&root, text, len, "batch answer");

	memset(b, 0, sizeof(*b));
	if (rc < 0)
		return rc;
	rc = lfsjson_get_string(&b->transfer, root, "transfer", WORD_MAX);
	if (rc == 0)
		rc = lfsjson_get_string(&b->hash_algo, root, "hash_algo", WORD_MAX);
	if (rc == 0)
		rc = get_objects(b, root, now, get_answer);
	cJSON_Delete(root);
	if (rc < 0) {
		lfs_batch_release(b);
		err_prefix(rc, "batch answer");
	}
	return rc;
}

int lfsjson_verify_parse(struct oid *oid, uint64_t *size, const char *text, size_t len)
{
	cJSON *root = NULL;
	int rc = lfsjson_parse_sizes(&root, text, len, "verification");

	if (rc == 0)
		rc = get_oid(oid, root);
	if (rc == 0 && (rc = lfsjson_get_size(size, root)) == 0)
		rc = err_set(ERR_INVALID, "no 'size'");
	cJSON_Delete(root);
	return rc < 0 ? rc : 0;
}

int lfsjson_error_parse(struct buf *message, const char *text, size_t len)
{
	cJSON *root = NULL;
	const char *said, *where;
	int rc = lfsjson_parse(&root, text, len, "error");

	if (rc < 0) { /* a page of HTML, most likely */
		err_clear();
		return rc == ERR_NOMEM ? rc : 0;
	}
	said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "message"));
	where = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "documentation_url"));
	if (said)
		rc = add_message(message, said);
	if (rc == 0 && said && where && *where) {
		rc = buf_addstr(message, "; see ");
		if (rc == 0)
			rc = add_message(message, where);
	}
	cJSON_Delete(root);
	return rc;
}
