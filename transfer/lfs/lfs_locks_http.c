/*
 * The File Locking API over HTTPS (Git LFS's docs/api/locking.md): one request a call, the rest
 * (credentials, redirects, another try) is lfs_client's.
 */
#include "transfer/lfs/lfs_locks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/url.h"

/* A server that does not know the path: 404, 501, and 405 of those that know it for something else.
 */
static int no_locks(int rc, const struct http_response *r)
{
	return rc == ERR_UNSUPPORTED || rc == ERR_NOTFOUND || (rc < 0 && r->status == 405);
}

static int request(struct lfs_client *c, const char *method, const char *path,
	const struct buf *body, struct http_response *response)
{
	const struct lfs_request r = {.method = method,
		.path = path,
		.data = body ? buf_str(body) : NULL,
		.fd = -1,
		.len = body ? body->len : 0,
		.content_type = LFS_MEDIA_TYPE,
		.max = LFS_JSON_MAX};

	return lfs_client_request(c, &r, response);
}

/* An answer that ought to have a lock in it, but need not when the status says it all. */
static void take_lock(const struct http_response *r, struct lfs_lock *out)
{
	if (lfsjson_lock_parse(out, buf_str(&r->body), r->body.len) < 0)
		lfs_lock_release(out);
}

static int create(void *server, const struct lfs_lock_query *q, struct lfs_lock *out)
{
	const struct lfs_lock_query asked = {.path = q->path, .ref = q->ref};
	struct http_response response = {.status = 0};
	struct buf body = BUF_INIT, why = BUF_INIT;
	int rc = lfsjson_lock_request_format(&body, &asked);

	if (rc < 0)
		goto done;
	rc = request(server, "POST", "/locks", &body, &response);
	if (rc == 0)
		rc = lfsjson_lock_parse(out, buf_str(&response.body), response.body.len);
	else if (no_locks(rc, &response))
		rc = err_set(ERR_UNSUPPORTED, "%s", err_msg());
	if (rc == ERR_EXISTS && (rc = buf_addstr(&why, err_msg())) == 0) {
		take_lock(&response, out);
		rc = err_set(ERR_EXISTS, "%s", why.p);
	}
done:
	http_response_release(&response);
	buf_release(&body);
	buf_release(&why);
	return rc;
}

static int add_parameter(struct buf *path, const char *name, const char *value)
{
	int rc;

	if (!value)
		return 0;
	rc = buf_addf(path, "%c%s=", strchr(path->p, '?') ? '&' : '?', name);
	return rc < 0 ? rc : url_encode(path, value, 0);
}

static int page(struct lfs_client *c, const char *method, const char *path, const struct buf *body,
	int verification, struct lfs_lock_page *out)
{
	struct http_response response = {.status = 0};
	int rc = request(c, method, path, body, &response);

	if (no_locks(rc, &response))
		rc = err_set(ERR_UNSUPPORTED, "%s", err_msg());
	else if (rc == 0)
		rc = lfsjson_lock_page_parse(
			out, buf_str(&response.body), response.body.len, verification);
	http_response_release(&response);
	return rc;
}

static int list(void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out)
{
	struct buf path = BUF_INIT, limit = BUF_INIT;
	int rc = buf_addstr(&path, "/locks");

	if (rc == 0 && q->limit)
		rc = buf_addf(&limit, "%u", q->limit);
	if (rc == 0)
		rc = add_parameter(&path, "path", q->path);
	if (rc == 0)
		rc = add_parameter(&path, "id", q->id);
	if (rc == 0)
		rc = add_parameter(&path, "cursor", q->cursor);
	if (rc == 0)
		rc = add_parameter(&path, "limit", q->limit ? limit.p : NULL);
	if (rc == 0)
		rc = add_parameter(&path, "refspec", q->ref);
	if (rc == 0)
		rc = page(server, "GET", path.p, NULL, 0, out);
	buf_release(&path);
	buf_release(&limit);
	return rc;
}

static int verify(void *server, const struct lfs_lock_query *q, struct lfs_lock_page *out)
{
	const struct lfs_lock_query asked = {.cursor = q->cursor, .limit = q->limit, .ref = q->ref};
	struct buf body = BUF_INIT;
	int rc = lfsjson_lock_request_format(&body, &asked);

	if (rc == 0)
		rc = page(server, "POST", "/locks/verify", &body, 1, out);
	buf_release(&body);
	return rc;
}

static int remove_lock(void *server, const struct lfs_lock_query *q, struct lfs_lock *out)
{
	const struct lfs_lock_query asked = {.force = q->force, .ref = q->ref};
	struct http_response response = {.status = 0};
	struct buf path = BUF_INIT, body = BUF_INIT;
	int rc = buf_addstr(&path, "/locks/");

	/* Encoded or not, these two are steps of a path. */
	if (rc == 0 && (strcmp(q->id, ".") == 0 || strcmp(q->id, "..") == 0))
		rc = err_set(ERR_INVALID, "'%s' is no id of a lock", q->id);
	if (rc == 0)
		rc = url_encode(&path, q->id, 0);
	if (rc == 0)
		rc = buf_addstr(&path, "/unlock");
	if (rc == 0)
		rc = lfsjson_lock_request_format(&body, &asked);
	if (rc == 0)
		rc = request(server, "POST", path.p, &body, &response);
	if (rc == 0) /* it is gone, whatever the server tells about it */
		take_lock(&response, out);
	http_response_release(&response);
	buf_release(&path);
	buf_release(&body);
	return rc;
}

const struct lfs_lock_ops lfs_locks_http = {create, list, verify, remove_lock};
