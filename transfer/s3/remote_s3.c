/*
 * The S3 kind of blob store (docs/s3.md): reading and removing; what there is to know about the
 * store as a whole.  Requests are made by s3_client; listing, writing and trying out what the
 * server can do are in remote_s3_list.c, remote_s3_put.c and remote_s3_probe.c.
 */
#include "transfer/remote/remote.h"
#include "lib/base/err.h"
#include "transfer/s3/remote_s3_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_KEY  "format"
#define FORMAT_LINE "git-dvx blob store 1\n"
#define FORMAT_MD5  "301100e824b2586dc7b4f8a9ee28ab8e"
#define FORMAT_OID  "af8a9b93e84c060a906ccf1d1db52d309713785b9f47dd17b6d024bcc9447981"

enum { PARALLEL = 16, FORMAT_LEN = sizeof(FORMAT_LINE) - 1 };

/* ---- the store as a whole ---- */

static int wrong_format(const struct remote_s3 *s, const char *line)
{
	struct buf place = BUF_INIT;

	s3_client_place(s->client, FORMAT_KEY, &place);
	err_set(ERR_UNSUPPORTED,
		"'%s' says '%.*s', but this version of git-dvx knows 'git-dvx blob store 1' only; "
		"use a newer git-dvx, or another place for the remote",
		buf_str(&place), (int)strcspn(line, "\n"), line);
	buf_release(&place);
	return ERR_UNSUPPORTED;
}

static void set_format(struct remote_s3 *s, enum remote_s3_format f)
{
	pthread_mutex_lock(&s->lock);
	s->format = f;
	pthread_mutex_unlock(&s->lock);
}

void remote_s3_format_missing(struct remote_s3 *s)
{
	set_format(s, REMOTE_S3_FORMAT_MISSING);
}

/* Read and compare.  0, ERR_NOTFOUND, ERR_UNSUPPORTED… */
static int read_format(struct remote_s3 *s)
{
	char line[64] = "";
	ssize_t n = remote_s3_get_key(s, FORMAT_KEY, 0, line, sizeof(line) - 1);

	if (n < 0)
		return (int)n;
	return strcmp(line, FORMAT_LINE) == 0 ? 0 : wrong_format(s, line);
}

int remote_s3_format_seen(struct remote_s3 *s, uint64_t size, const char *etag)
{
	int rc = 0;

	if (size != FORMAT_LEN || strcmp(etag, FORMAT_MD5) != 0)
		rc = read_format(s);
	if (rc == 0)
		set_format(s, REMOTE_S3_FORMAT_OK);
	return rc;
}

static int write_format(struct remote_s3 *s)
{
	struct s3_call call = {.op = S3_PUT,
		.method = "PUT",
		.key = FORMAT_KEY,
		.sha256 = FORMAT_OID,
		.data = FORMAT_LINE,
		.len = FORMAT_LEN};
	int rc = s3_client_call(s->client, &call);

	s3_call_release(&call);
	return rc;
}

int remote_s3_ready_to_write(struct remote_s3 *s)
{
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	if (s->can.conditional == S3_CONDITIONAL_UNKNOWN)
		rc = remote_s3_try_out(s);
	if (rc == 0 && s->format == REMOTE_S3_FORMAT_UNKNOWN) {
		rc = read_format(s);
		s->format = rc == 0 ? REMOTE_S3_FORMAT_OK : s->format;
		if (rc == ERR_NOTFOUND) {
			s->format = REMOTE_S3_FORMAT_MISSING;
			rc = 0;
		}
	}
	if (rc == 0 && s->format == REMOTE_S3_FORMAT_MISSING) {
		rc = write_format(s);
		s->format = rc == 0 ? REMOTE_S3_FORMAT_OK : s->format;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

struct s3_capabilities remote_s3_can(struct remote_s3 *s)
{
	struct s3_capabilities can;

	pthread_mutex_lock(&s->lock);
	can = s->can;
	pthread_mutex_unlock(&s->lock);
	return can;
}

void remote_s3_remember(struct remote_s3 *s)
{
	s3_client_region(s->client, s->can.region);
	s3_capabilities_save(&s->can, s->base.context.git->dvx_dir, s->base.url, s->cache_name);
}

void remote_s3_note_region(struct remote_s3 *s)
{
	char region[64];

	pthread_mutex_lock(&s->lock);
	s3_client_region(s->client, region);
	if (!s3_client_settings(s->client)->region && strcmp(region, s->can.region) != 0)
		remote_s3_remember(s);
	pthread_mutex_unlock(&s->lock);
}

void remote_s3_cannot(struct remote_s3 *s)
{
	pthread_mutex_lock(&s->lock);
	s->can.conditional = S3_CONDITIONAL_REFUSED;
	remote_s3_remember(s);
	pthread_mutex_unlock(&s->lock);
}

/* ---- blobs ---- */

static int s3_size(struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size)
{
	struct remote_s3 *s = (struct remote_s3 *)r;
	struct s3_call call = {.op = S3_HEAD, .method = "HEAD"};
	struct buf key = BUF_INIT;
	const char *length = NULL;
	int rc = remote_s3_key(&key, c, name);

	call.key = key.p;
	if (rc == 0)
		rc = s3_client_call(s->client, &call);
	if (rc == 0) {
		length = http_response_header(&call.response, "content-length");
		if (length)
			*size = strtoull(length, NULL, 10);
		else
			rc = err_set(ERR_REMOTE,
				"remote '%s': the server does not say how large '%s' is", r->name,
				key.p);
	}
	s3_call_release(&call);
	buf_release(&key);
	return rc;
}

/* What came of bytes offset..offset+len: the count, or an error.  "Content-Range: bytes 0-9/100" */
static ssize_t check_range(
	const struct s3_call *call, uint64_t offset, size_t len, const char *place)
{
	const struct http_response *r = &call->response;
	const char *range = http_response_header(r, "content-range");
	unsigned long long from, to, total;
	struct s3_xml_error doc;
	uint64_t expected;

	if (r->status == 200 && s3_xml_error_parse(&doc, call->into, r->received) == 1)
		return err_set(ERR_REMOTE,
			"cannot read '%s': the server failed (%s, HTTP 200); that passes, run the "
			"command again",
			place, doc.code);
	if (r->status == 200 && offset == 0)
		return (ssize_t)r->received; /* all of it, and it fitted */
	if (r->status == 200)
		return err_set(ERR_REMOTE,
			"cannot read '%s': the server sends all of it when it is asked for a part; "
			"is a proxy in between?",
			place);
	if (r->status != 206 || !range ||
		sscanf(range, "bytes %llu-%llu/%llu", &from, &to, &total) != 3)
		return err_set(ERR_REMOTE,
			"cannot read '%s': the answer does not say which part it is (HTTP %d)",
			place, r->status);
	expected = total > offset && total - offset < len ? total - offset : len;
	if (from != offset || to < from || to - from + 1 != expected || r->received != expected)
		return err_set(ERR_REMOTE,
			"cannot read '%s': asked for %zu bytes from %llu on, the server sent "
			"another part (%zu bytes, '%s')",
			place, len, (unsigned long long)offset, r->received, range);
	return (ssize_t)r->received;
}

/* The server sent more than was asked for: it does not know of ranges. */
static int range_ignored(const struct s3_call *call, const char *place)
{
	return err_set(ERR_REMOTE,
		"cannot read '%s': the server sends more than the %zu bytes it was asked for "
		"(HTTP %d); is a proxy in between?",
		place, call->max, call->response.status);
}

ssize_t remote_s3_get_key(
	struct remote_s3 *s, const char *key, uint64_t offset, void *into, size_t len)
{
	struct s3_call call = {.op = S3_GET, .method = "GET", .key = key, .into = into, .max = len};
	struct buf place = BUF_INIT;
	ssize_t n = 0;

	if (len == 0)
		return 0;
	n = strvec_pushf(&call.headers, "Range: bytes=%llu-%llu", (unsigned long long)offset,
		(unsigned long long)(offset + len - 1));
	if (n == 0)
		n = s3_client_place(s->client, key, &place);
	if (n == 0)
		n = s3_client_call(s->client, &call);
	if (n == 0)
		n = check_range(&call, offset, len, place.p);
	else if (n == ERR_LIMIT && call.response.body_too_long)
		n = range_ignored(&call, place.p);
	else if (call.response.status == 416)
		n = 0; /* the blob ends before */
	s3_call_release(&call);
	buf_release(&place);
	return n;
}

static ssize_t s3_get(struct remote *r, enum remote_class c, const struct oid *name,
	uint64_t offset, void *into, size_t len)
{
	struct buf key = BUF_INIT;
	ssize_t n = remote_s3_key(&key, c, name);

	if (n == 0)
		n = remote_s3_get_key((struct remote_s3 *)r, key.p, offset, into, len);
	buf_release(&key);
	return n;
}

static int s3_remove(struct remote *r, enum remote_class c, const struct oid *name)
{
	struct remote_s3 *s = (struct remote_s3 *)r;
	struct s3_call call = {.op = S3_DELETE, .method = "DELETE"};
	struct buf key = BUF_INIT;
	int rc = remote_s3_key(&key, c, name);

	call.key = key.p;
	if (rc == 0)
		rc = s3_client_call(s->client, &call);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	s3_call_release(&call);
	buf_release(&key);
	return rc;
}

static int s3_describe(
	struct remote *r, enum remote_class c, const struct oid *name, struct buf *out)
{
	struct buf key = BUF_INIT;
	int rc = remote_s3_key(&key, c, name);

	if (rc == 0)
		rc = s3_client_place(((struct remote_s3 *)r)->client, key.p, out);
	buf_release(&key);
	return rc;
}

/* ---- life ---- */

static void s3_close(struct remote *r)
{
	struct remote_s3 *s = (struct remote_s3 *)r;

	if (!s)
		return;
	s3_client_free(s->client);
	pthread_mutex_destroy(&s->lock);
	free(s->cache_name);
	free(s);
}

static const struct remote_ops s3_ops = {
	.kind = "s3",
	.list = remote_s3_list,
	.size = s3_size,
	.get = s3_get,
	.put_begin = remote_spool,
	.put_commit = remote_s3_put_commit,
	.put_free = remote_spool_free,
	.remove = s3_remove,
	.describe = s3_describe,
	.probe = remote_s3_probe,
	.close = s3_close,
};

/* What was found out in earlier runs, if it was about the same server. */
static int recall(struct remote_s3 *s)
{
	const struct s3_settings *set = s3_client_settings(s->client);
	struct buf name = BUF_INIT;
	int rc = buf_addf(&name, "%s://%s%s", set->scheme,
		set->own_endpoint ? set->host : "amazonaws.com",
		set->own_endpoint ? set->base : "");

	if (rc < 0)
		return rc;
	s->cache_name = buf_detach(&name);
	s3_capabilities_load(&s->can, s->base.context.git->dvx_dir, s->base.url, s->cache_name);
	if (s->can.region[0])
		s3_client_set_region(s->client, s->can.region);
	return 0;
}

int remote_s3_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	struct remote_s3 *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&s->lock, NULL);
	rc = remote_init(&s->base, &s3_ops, spec, context);
	s->base.parallel = PARALLEL;
	if (rc == 0)
		rc = s3_client_new(&s->client, spec, context);
	if (rc == 0)
		rc = recall(s);
	if (rc < 0) {
		remote_close(&s->base);
		return rc;
	}
	*out = &s->base;
	return 0;
}
