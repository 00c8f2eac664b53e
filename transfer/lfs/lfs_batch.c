/*
 * One request of the Batch API (see lfs_batch.h).  The server's answer is put into the order of the
 * question here, so that nobody behind has to wonder whether it fits.
 */
#include "transfer/lfs/lfs_batch.h"
#include "lib/base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { LEEWAY = 5 }; /* seconds of an action's life that are not counted on */

static int format_request(struct buf *out, const struct lfs_asker *a,
	struct transfer_object *const *objects, size_t n)
{
	struct lfs_batch b = {.operation = a->endpoint->operation,
		.transfers = a->transfers,
		.ref = (char *)(uintptr_t)a->engine->ref};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct lfs_batch_object *o = lfs_batch_add(&b);

		if (!o) {
			rc = err_set(ERR_NOMEM, "out of memory");
			break;
		}
		o->oid = objects[i]->oid;
		o->size = objects[i]->size;
	}
	if (rc == 0)
		rc = lfsjson_batch_request_format(out, &b);
	b.transfers = (struct strvec)STRVEC_INIT; /* the asker's */
	b.ref = NULL;
	lfs_batch_release(&b);
	return rc;
}

/* ---- what the answer says about all of it ---- */

static int is_offered(const struct strvec *transfers, const char *name)
{
	for (size_t i = 0; i < transfers->n; i++)
		if (strcmp(transfers->v[i], name) == 0)
			return 1;
	return 0;
}

static int check_terms(const struct lfs_asker *a, const struct lfs_batch *b)
{
	if (b->hash_algo && strcmp(b->hash_algo, "sha256") != 0)
		return err_set(ERR_UNSUPPORTED,
			"the server names objects by '%.40s', and Git LFS and git-dvx know only "
			"sha256; ask whoever runs it",
			b->hash_algo);
	if (b->transfer && !is_offered(&a->transfers, b->transfer))
		return err_set(ERR_UNSUPPORTED,
			"the server wants to move objects by '%.40s'; configure the program for it "
			"(lfs.customtransfer.<name>.path), or ask whoever runs it for 'basic'",
			b->transfer);
	return 0;
}

/* ---- and about each object ---- */

static int set_error(struct lfs_batch_object *o, int code, const char *message)
{
	free(o->error);
	o->error_code = code;
	o->error = strdup(message);
	return o->error ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* What belongs to the connection, or would change what is asked for, is not the server's to say. */
static int may_send(const char *header)
{
	static const char *const ours[] = {"Accept-Encoding:", "Connection:", "Content-Length:",
		"Expect:", "Host:", "Range:", "TE:", "Trailer:", "Transfer-Encoding:", "Upgrade:"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strncasecmp(header, ours[i], strlen(ours[i])) == 0)
			return 0;
	return 1;
}

static void drop_headers(struct strvec *headers)
{
	size_t kept = 0;

	for (size_t i = 0; i < headers->n; i++) {
		if (may_send(headers->v[i]))
			headers->v[kept++] = headers->v[i];
		else
			free(headers->v[i]);
	}
	headers->n = kept;
	if (headers->v)
		headers->v[kept] = NULL;
}

static int check_object(struct lfs_batch_object *o, const struct transfer_object *wanted)
{
	int has_action = 0;
	char text[128];

	for (int k = 0; k < LFS_ACTIONS; k++) {
		if (!o->actions[k])
			continue;
		has_action = 1;
		drop_headers(&o->actions[k]->headers);
	}
	if (!has_action || o->error_code || o->size == wanted->size || o->size == LFS_SIZE_UNKNOWN)
		return 0;
	snprintf(text, sizeof(text), "it has one of %llu bytes under this id, not of %llu",
		(unsigned long long)o->size, (unsigned long long)wanted->size);
	return set_error(o, 422, text);
}

static size_t place_of(const struct oid *oid, struct transfer_object *const *objects, size_t n)
{
	size_t i = 0;

	while (i < n && !oid_eq(&objects[i]->oid, oid))
		i++;
	return i;
}

/* Into the order of the question.  An object that is answered twice keeps its first answer. */
static int sort_answers(struct lfs_batch *out, struct lfs_batch *got,
	struct transfer_object *const *objects, size_t n)
{
	char hex[OID_HEX_LEN + 1];
	size_t at;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		struct lfs_batch_object *o = lfs_batch_add(out);

		if (!o)
			return err_set(ERR_NOMEM, "out of memory");
		o->oid = objects[i]->oid;
		o->size = LFS_SIZE_UNKNOWN;
		o->error_code = -1; /* until it is answered */
	}
	for (size_t i = 0; i < got->n; i++) {
		struct lfs_batch_object *o = &got->objects[i], none = {.size = 0};

		at = place_of(&o->oid, objects, n);
		if (at == n) {
			oid_to_hex(hex, &o->oid);
			return err_set(ERR_REMOTE,
				"the server answers about object %s, which it was not asked about",
				hex);
		}
		if (out->objects[at].error_code != -1)
			continue;
		out->objects[at] = *o;
		*o = none;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct lfs_batch_object *o = &out->objects[i];

		rc = o->error_code == -1 ? set_error(o, 500, "its answer leaves out this object")
					 : check_object(o, objects[i]);
	}
	return rc;
}

/* ---- the request ---- */

static int read_answer(struct lfs_batch *got, const struct http_response *r)
{
	const char *encoding = http_response_header(r, "content-encoding");
	int rc;

	if (encoding && strcasecmp(encoding, "identity") != 0)
		return err_set(ERR_REMOTE,
			"the server's answer is compressed (%.40s), which was not asked for",
			encoding);
	rc = lfsjson_batch_response_parse(got, buf_str(&r->body), r->body.len, time(NULL));
	if (rc == ERR_INVALID)
		return err_set(ERR_REMOTE, "%s; is there a Git LFS server at this URL?", err_msg());
	return rc;
}

int lfs_batch_ask(struct lfs_batch *out, const struct lfs_asker *a,
	struct transfer_object *const *objects, size_t n)
{
	struct buf question = BUF_INIT;
	struct http_response response = {0};
	struct lfs_batch got = {.n = 0};
	struct lfs_request q = {.method = "POST",
		.path = "/objects/batch",
		.content_type = LFS_MEDIA_TYPE,
		.max = LFS_JSON_MAX};
	int rc = format_request(&question, a, objects, n);

	memset(out, 0, sizeof(*out));
	q.data = buf_str(&question);
	q.len = question.len;
	if (rc == 0)
		rc = lfs_client_request(a->client, &q, &response);
	if (rc == ERR_LIMIT && response.status != 413) /* no room, no quota: fewer help not */
		rc = ERR_REMOTE;
	if (rc == 0)
		rc = read_answer(&got, &response);
	if (rc == 0)
		rc = check_terms(a, &got);
	if (rc == 0)
		rc = sort_answers(out, &got, objects, n);
	out->transfer = got.transfer;
	got.transfer = NULL;
	if (rc < 0)
		lfs_batch_release(out);
	lfs_batch_release(&got);
	http_response_release(&response);
	buf_release(&question);
	return rc;
}

int lfs_batch_take(struct lfs_batch *one, struct lfs_batch *from, size_t i)
{
	struct lfs_batch_object *o = lfs_batch_add(one), none = {.size = 0};

	if (!o)
		return err_set(ERR_NOMEM, "out of memory");
	*o = from->objects[i];
	from->objects[i] = none;
	return 0;
}

int lfs_action_is_old(const struct lfs_action *a)
{
	return a->expires_at && time(NULL) + LEEWAY >= a->expires_at;
}

int lfs_batch_error(const struct lfs_batch_object *o)
{
	const char *said = o->error && *o->error ? o->error : "no reason given";

	switch (o->error_code) {
	case 404:
		return err_set(ERR_NOTFOUND,
			"the server does not have it (%s); run 'git dvx push' where it was "
			"committed",
			said);
	case 410:
		return err_set(ERR_NOTFOUND, "its owner has removed it from the server (%s)", said);
	case 401:
	case 403:
		return err_set(ERR_DENIED,
			"the server does not let you (%s); ask for access to the repository", said);
	case 413:
	case 507:
	case 509:
		return err_set(ERR_LIMIT,
			"the server has no room for it, or you have used up yours (%s)", said);
	case 409:
	case 422:
		return err_set(ERR_INVALID, "the server refuses it: %s", said);
	default:
		return err_set(ERR_REMOTE, "the server says %d: %s", o->error_code, said);
	}
}
