/*
 * POST objects/batch (Git LFS's docs/api/batch.md): what can be downloaded, what shall be uploaded.
 * The actions lead back here, each with a ticket of its own.
 */
#include "server/api.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/err.h"
#include "lib/store/store.h"
#include "lib/wire/lfsjson.h"

/* What the actions of one answer have in common. */
struct answer {
	struct exchange *e;
	struct lfs_batch *batch;
	struct buf base; /* URL of the server */
	struct buf text;
	int64_t expires;
};

/* ---- actions ---- */

static int add_action(struct answer *a, struct lfs_batch_object *o, enum lfs_action_kind kind)
{
	static const char *const operations[] = {"download", "upload", "verify"};
	const char *repository = a->e->target.repository;
	const struct ticket t = {.operation = operations[kind],
		.repository = repository,
		.oid = o->oid,
		.size = o->size,
		.expires = a->expires};
	struct lfs_action *action = NULL;
	int rc;

	buf_reset(&a->text);
	rc = buf_addstr(&a->text, buf_str(&a->base));
	if (rc == 0)
		rc = target_format(&a->text, repository,
			kind == LFS_ACTION_VERIFY ? ENDPOINT_VERIFY : ENDPOINT_OBJECT, &o->oid);
	if (rc == 0) {
		action = lfs_batch_action(o, kind, a->text.p);
		rc = action ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	if (rc < 0)
		return rc;
	action->expires_at = a->expires;
	o->authenticated = 1;
	buf_reset(&a->text);
	rc = buf_addstr(&a->text, "Authorization: Bearer ");
	if (rc == 0)
		rc = ticket_format(&a->text, a->e->server->key, &t);
	return rc < 0 ? rc : strvec_push(&action->headers, a->text.p);
}

static int set_error(struct lfs_batch_object *o, int code, const char *message)
{
	o->error_code = code;
	o->error = strdup(message);
	return o->error ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int offer_download(
	struct answer *a, struct lfs_batch_object *o, const struct depot_object *found)
{
	if (found->here == 0)
		return set_error(o, MHD_HTTP_NOT_FOUND, "the object is not here");
	if (found->size != STORE_SIZE_UNKNOWN && found->size != o->size)
		return set_error(o, MHD_HTTP_UNPROCESSABLE_CONTENT, "the object has another size");
	return add_action(a, o, LFS_ACTION_DOWNLOAD);
}

static int offer_upload(
	struct answer *a, struct lfs_batch_object *o, const struct depot_object *found)
{
	int rc;

	if (found->here > 0 && (found->size == STORE_SIZE_UNKNOWN || found->size == o->size))
		return 0; /* no actions: it is here */
	if (found->here > 0)
		return set_error(o, MHD_HTTP_UNPROCESSABLE_CONTENT, "the object has another size");
	if (o->size > a->e->server->max_size)
		return set_error(o, MHD_HTTP_UNPROCESSABLE_CONTENT,
			"the object is larger than this server takes");
	rc = add_action(a, o, LFS_ACTION_UPLOAD);
	return rc < 0 ? rc : add_action(a, o, LFS_ACTION_VERIFY);
}

static int offer(struct answer *a, struct lfs_batch_object *o, const struct depot_object *found)
{
	if (o->error_code)
		return 0;
	if (found->here < 0)
		return set_error(
			o, MHD_HTTP_INTERNAL_SERVER_ERROR, "the store cannot tell; try again");
	if (a->batch->operation == LFS_DOWNLOAD)
		return offer_download(a, o, found);
	return offer_upload(a, o, found);
}

/* ---- the request ---- */

/* Each failure is an answer: 0, or -1 when it was given. */
static int check_request(struct exchange *e, const struct lfs_batch *b)
{
	int basic = b->transfers.n == 0;

	for (size_t i = 0; i < b->transfers.n; i++)
		basic |= strcmp(b->transfers.v[i], "basic") == 0;
	if (b->operation == LFS_UPLOAD && api_require(e, ACCESS_WRITE) < 0)
		return -1;
	if (b->n > LFS_BATCH_OBJECTS_MAX)
		exchange_refuse(e, MHD_HTTP_CONTENT_TOO_LARGE,
			"more than %d objects in one request", LFS_BATCH_OBJECTS_MAX);
	else if (b->hash_algo && strcmp(b->hash_algo, "sha256") != 0)
		exchange_refuse(e, MHD_HTTP_CONFLICT, "objects are named by sha256 here");
	else if (!basic)
		exchange_refuse(e, MHD_HTTP_UNPROCESSABLE_CONTENT,
			"only the transfer adapter 'basic' is served here");
	else
		return 0;
	return -1;
}

static int find_objects(struct exchange *e, const struct lfs_batch *b, struct depot_object **out)
{
	struct depot_object *v = calloc(b->n ? b->n : 1, sizeof(*v));
	int rc;

	*out = v;
	if (!v)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < b->n; i++) {
		v[i].oid = b->objects[i].oid;
		v[i].size = STORE_SIZE_UNKNOWN;
	}
	if (b->operation == LFS_DOWNLOAD)
		return depot_find(e->server->depot, v, b->n);
	rc = depot_find_kept(e->server->depot, v, b->n);
	if (rc == ERR_REMOTE) {
		server_warn(err_msg());
		rc = 0;
	}
	/* A store that is away at the moment is no reason to take nothing; what has to go there
	 * waits here.  But nothing is said to be there already. */
	for (size_t i = 0; i < b->n; i++)
		if (v[i].here == ERR_REMOTE)
			v[i].here = 0;
	return rc;
}

/* The client will ask for what it was offered. */
static void foretell(struct exchange *e, struct depot_object *found, size_t n)
{
	size_t here = 0;

	for (size_t i = 0; i < n; i++)
		if (found[i].here > 0)
			found[here++] = found[i];
	if (here)
		depot_foretell(e->server->depot, found, here);
}

static int answer(struct answer *a, const struct depot_object *found)
{
	struct buf json = BUF_INIT;
	int rc = 0;

	a->expires = time(NULL) + a->e->server->ticket_seconds;
	for (size_t i = 0; rc == 0 && i < a->batch->n; i++)
		rc = offer(a, &a->batch->objects[i], &found[i]);
	if (rc == 0)
		rc = lfsjson_batch_response_format(&json, a->batch, time(NULL));
	if (rc == 0)
		exchange_answer_json(a->e, MHD_HTTP_OK, &json);
	buf_release(&json);
	return rc;
}

void api_batch(struct exchange *e)
{
	struct lfs_batch b = {.n = 0};
	struct answer a = {.e = e, .batch = &b};
	struct depot_object *found = NULL;
	int rc = lfsjson_batch_request_parse(&b, buf_str(&e->body), e->body.len);

	if (rc == ERR_LIMIT)
		exchange_refuse(e, MHD_HTTP_CONTENT_TOO_LARGE, "%s", err_msg());
	if (rc < 0 || check_request(e, &b) < 0)
		goto done;
	rc = exchange_base_url(&a.base, e);
	if (rc == ERR_INVALID)
		exchange_refuse(e, MHD_HTTP_BAD_REQUEST, "%s", err_msg());
	if (rc == 0)
		rc = find_objects(e, &b, &found);
	if (rc == 0)
		rc = answer(&a, found);
	if (rc == 0 && b.operation == LFS_DOWNLOAD)
		foretell(e, found, b.n);
done:
	if (rc < 0)
		exchange_fail(e, rc, MHD_HTTP_SERVICE_UNAVAILABLE);
	free(found);
	buf_release(&a.base);
	buf_release(&a.text);
	lfs_batch_release(&b);
}
