/*
 * What both directions of a basic transfer need (see lfs_basic.h), and the upload.
 */
#include "transfer/lfs/lfs_basic.h"
#include "lib/base/err.h"
#include "transfer/blob/upsource.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { ANSWER_MAX = 1024 * 1024 }; /* of a storage server to an upload: nobody reads it */

/* ---- both directions ---- */

static int ask_again(struct lfs_job *j)
{
	struct lfs_batch fresh;
	int rc = lfs_batch_ask(&fresh, j->asker, &j->object, 1);

	if (rc < 0)
		return rc;
	lfs_batch_release(&j->answer);
	j->answer = fresh;
	return 0;
}

int lfs_job_action(struct lfs_job *j, enum lfs_action_kind kind, const struct lfs_action **out)
{
	const struct lfs_batch_object *o = &j->answer.objects[0];
	int rc = 0;

	*out = NULL;
	/* What is over as soon as it comes is used all the same: clocks differ. */
	if (o->actions[kind] && lfs_action_is_old(o->actions[kind]) && !j->renewed) {
		j->renewed = 1;
		rc = ask_again(j);
		o = &j->answer.objects[0];
	}
	if (rc < 0)
		return rc;
	if (o->error_code)
		return lfs_batch_error(o);
	*out = o->actions[kind];
	return 0;
}

/* May the server's word be over, although it seemed good?  (S3 says 403 then.) */
static int may_be_over(const struct lfs_job *j, enum lfs_action_kind kind, int rc)
{
	const struct lfs_action *a = j->answer.objects[0].actions[kind];

	return !j->renewed && a && a->expires_at &&
	       (rc == ERR_DENIED || rc == ERR_NOTFOUND || rc == ERR_INVALID);
}

int lfs_job_again(struct lfs_job *j, enum lfs_action_kind kind, int rc,
	const struct http_response *response, unsigned *tries)
{
	struct lfs_client *client = j->asker->client;
	const struct lfs_action *a;
	int wait;

	if (rc == ERR_INTERRUPTED)
		return rc;
	if (may_be_over(j, kind, rc)) {
		j->renewed = 1;
		rc = ask_again(j);
		return rc < 0 ? rc : 1;
	}
	wait = lfs_client_retry_ms(client, rc, response, (*tries)++);
	if (wait < 0) {
		a = j->answer.objects[0].actions[kind];
		if (rc == ERR_DENIED && a && lfs_action_is_old(a))
			return err_set(rc,
				"%s (what the server allowed is over by this machine's "
				"clock: is that right?)",
				err_msg());
		return rc;
	}
	rc = lfs_client_wait(client, wait);
	j->renewed = 0;
	return rc < 0 ? rc : 1;
}

/* ---- upload ---- */

/* What is sent: a file, or (fd < 0) bytes. */
struct body {
	int fd;
	struct buf bytes;
};

static int ignore(const void *p, size_t len, void *data)
{
	(void)p, (void)len, (void)data;
	return 0;
}

static int open_file(struct body *b, const char *path)
{
	b->fd = open(path, O_RDONLY | O_CLOEXEC);
	return b->fd < 0 ? err_sys("cannot open '%s'", path) : 0;
}

/* Checked before: not every server does it. */
static int body_open(struct body *b, struct engine *e, const struct transfer_object *o)
{
	struct buf path = BUF_INIT;
	int rc;

	if (o->file) {
		rc = upsource_stream(e, o, ignore, NULL);
		if (rc == 0)
			rc = open_file(b, o->file);
	} else if (store_whole_path(e->store, &o->oid, o->size, &path)) {
		rc = store_check(e->store, &o->oid, o->size);
		if (rc == 0)
			rc = open_file(b, path.p);
	} else {
		rc = upsource_read(e, o, &b->bytes);
	}
	buf_release(&path);
	return rc;
}

static void body_close(struct body *b)
{
	if (b->fd >= 0)
		close(b->fd);
	buf_release(&b->bytes);
}

static int names_type(const struct strvec *headers)
{
	for (size_t i = 0; i < headers->n; i++)
		if (strncasecmp(headers->v[i], "Content-Type:", 13) == 0)
			return 1;
	return 0;
}

/* `bytes` of the object are done in all. */
static void report(uint64_t bytes, void *data)
{
	struct lfs_job *j = data;

	engine_progress(j->asker->engine, bytes - j->reported);
	j->reported = bytes;
}

static int put(struct lfs_job *j, const struct lfs_action *a, const struct body *b,
	struct http_response *response)
{
	const struct lfs_request q = {.method = "PUT",
		.href = a->href,
		.headers = &a->headers,
		.authenticated = j->answer.objects[0].authenticated,
		.data = b->fd < 0 ? buf_str(&b->bytes) : NULL,
		.fd = b->fd,
		.len = j->object->size,
		.sent = report,
		.sent_data = j,
		.content_type = names_type(&a->headers) ? NULL : "application/octet-stream",
		.max = ANSWER_MAX,
		.once = 1};

	return lfs_client_request(j->asker->client, &q, response);
}

/* TRANSFER_OK: sent; TRANSFER_PRESENT: nothing is to be sent. */
static int send_body(struct lfs_job *j, struct body *b)
{
	struct http_response response = {0};
	const struct lfs_action *a;
	unsigned tries = 0;
	int rc;

	do {
		rc = lfs_job_action(j, LFS_ACTION_UPLOAD, &a);
		if (rc < 0 || !a)
			break;
		if (b->fd < 0 && !b->bytes.p)
			rc = body_open(b, j->asker->engine, j->object);
		if (rc < 0)
			break;
		rc = put(j, a, b, &response);
		if (rc < 0)
			rc = lfs_job_again(j, LFS_ACTION_UPLOAD, rc, &response, &tries);
	} while (rc > 0);
	if (rc == 0)
		rc = a ? TRANSFER_OK : TRANSFER_PRESENT;
	http_response_release(&response);
	return rc;
}

int lfs_basic_verify(struct lfs_job *j)
{
	const struct lfs_action *a;
	struct http_response response = {0};
	struct buf text = BUF_INIT;
	struct lfs_request q = {.method = "POST",
		.authenticated = j->answer.objects[0].authenticated,
		.content_type = LFS_MEDIA_TYPE,
		.max = ANSWER_MAX};
	int rc = lfs_job_action(j, LFS_ACTION_VERIFY, &a);

	if (rc < 0 || !a)
		return rc;
	rc = lfsjson_verify_format(&text, &j->object->oid, j->object->size);
	q.href = a->href;
	q.headers = &a->headers;
	q.data = buf_str(&text);
	q.len = text.len;
	if (rc == 0)
		rc = lfs_client_request(j->asker->client, &q, &response);
	http_response_release(&response);
	buf_release(&text);
	return rc < 0 ? err_prefix(rc, "the server does not confirm it") : 0;
}

int lfs_basic_upload(struct lfs_job *j)
{
	struct body body = {.fd = -1};
	int rc = send_body(j, &body);

	body_close(&body);
	if (rc == TRANSFER_OK) {
		j->travelled = j->object->size;
		report(j->object->size, j);
		rc = lfs_basic_verify(j);
	}
	if (rc < 0 || rc == TRANSFER_PRESENT)
		report(0, j);
	return rc == 0 ? TRANSFER_OK : rc;
}
