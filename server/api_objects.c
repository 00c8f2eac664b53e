/*
 * Objects themselves: GET, HEAD, PUT and the verification behind an upload (Git LFS's
 * docs/api/basic-transfers.md).  What is wrong with a PUT is known when its head or its last byte
 * is there; the depot acknowledges it when it is durable.
 */
#include "server/api.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/store/store.h"
#include "lib/wire/lfsjson.h"
#include "server/httptext.h"

enum { BLOCK = 64 * 1024 };

/* ---- GET and HEAD ---- */

/* A part of an object on its way. */
struct sending {
	struct exchange *e;
	struct depot_reader *reader;
	uint64_t offset;
};

/* Silence while the store delivers is not the client's: setting the time-out anew starts it anew.
 */
static void restart_timeout(struct exchange *e)
{
	MHD_set_connection_option(e->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	MHD_set_connection_option(e->connection, MHD_CONNECTION_OPTION_TIMEOUT, e->server->timeout);
}

static ssize_t send_piece(void *cls, uint64_t at, char *into, size_t max)
{
	struct sending *s = cls;
	ssize_t n;

	if (exchange_is_slow(s->e, at))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = depot_get_read(s->reader, s->offset + at, into, max);
	restart_timeout(s->e);
	if (n > 0)
		return n;
	if (n < 0) {
		free(s->e->failure);
		s->e->failure = strdup(err_msg());
	}
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

static void sending_free(void *cls)
{
	struct sending *s = cls;

	depot_get_free(s->reader);
	free(s);
}

/* The reader is taken over. */
static struct MHD_Response *stream(
	struct exchange *e, struct depot_reader *r, const struct httptext_range *part)
{
	struct sending *s = calloc(1, sizeof(*s));
	struct MHD_Response *response;

	if (!s) {
		depot_get_free(r);
		return NULL;
	}
	*s = (struct sending){e, r, part->offset};
	response = MHD_create_response_from_callback(part->len, BLOCK, send_piece, s, sending_free);
	if (!response)
		sending_free(s);
	return response;
}

static struct MHD_Response *nothing(void)
{
	static char none[] = "";

	return MHD_create_response_from_buffer(0, none, MHD_RESPMEM_PERSISTENT);
}

/* From the file in the kernel, if there is one and nothing encrypts on the way. */
static struct MHD_Response *respond(
	struct exchange *e, struct depot_reader *r, const struct httptext_range *part)
{
	struct MHD_Response *response = NULL;
	int fd = e->server->tls ? -1 : depot_get_fd(r);

	if (part->len == 0) {
		depot_get_free(r);
		return nothing();
	}
	if (fd < 0)
		return stream(e, r, part);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return stream(e, r, part);
	response = MHD_create_response_from_fd_at_offset64(part->len, fd, part->offset);
	if (!response)
		close(fd);
	depot_get_free(r);
	return response;
}

static void describe(struct exchange *e)
{
	char etag[OID_HEX_LEN + 3] = "\"";

	oid_to_hex(etag + 1, &e->target.oid);
	memcpy(etag + 1 + OID_HEX_LEN, "\"", 2);
	exchange_add_header(e, "Content-Type", "application/octet-stream");
	exchange_add_header(e, "Accept-Ranges", "bytes");
	exchange_add_header(e, "ETag", etag);
}

static void refuse_range(struct exchange *e, uint64_t size)
{
	char text[64];

	exchange_refuse(e, MHD_HTTP_RANGE_NOT_SATISFIABLE, "%s", err_msg());
	snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
	exchange_add_header(e, "Content-Range", text);
}

void api_get(struct exchange *e)
{
	struct httptext_range part;
	struct depot_reader *r = NULL;
	uint64_t size = 0;
	char text[96];
	int rc = depot_get_begin(&r, e->server->depot, &e->target.oid, &size);

	if (rc < 0) {
		if (rc == ERR_NOTFOUND)
			err_set(rc, "the object is not here");
		exchange_fail(e, rc, MHD_HTTP_SERVICE_UNAVAILABLE);
		return;
	}
	rc = httptext_range(&part, e->headers.range, size);
	if (rc < 0) {
		depot_get_free(r);
		refuse_range(e, size);
		return;
	}
	exchange_answer(
		e, rc ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, respond(e, r, &part), part.len);
	describe(e);
	if (rc) {
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part.offset,
			part.offset + part.len - 1, size);
		exchange_add_header(e, "Content-Range", text);
	}
}

/* 0 and its size; otherwise answered. */
static int find(struct exchange *e, const struct oid *oid, uint64_t *size)
{
	struct depot_object o = {.oid = *oid, .size = STORE_SIZE_UNKNOWN};
	int rc = depot_find(e->server->depot, &o, 1);

	if (rc == 0 && o.here == 0)
		rc = err_set(ERR_NOTFOUND, "the object is not here");
	if (rc == 0 && o.here < 0)
		rc = o.here;
	if (rc < 0)
		exchange_fail(e, rc, MHD_HTTP_SERVICE_UNAVAILABLE);
	*size = o.size;
	return rc;
}

static ssize_t send_none(void *cls, uint64_t at, char *into, size_t max)
{
	(void)cls;
	(void)at;
	(void)into;
	(void)max;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

void api_head(struct exchange *e)
{
	uint64_t size;

	if (find(e, &e->target.oid, &size) < 0)
		return;
	exchange_answer(e, MHD_HTTP_OK,
		size ? MHD_create_response_from_callback(size, BLOCK, send_none, NULL, NULL)
		     : nothing(),
		0);
	describe(e);
}

/* ---- PUT ---- */

/* How many bytes will come?  0, or answered. */
static int put_size(struct exchange *e, uint64_t *size)
{
	const char *length = e->headers.content_length;
	int rc = length ? httptext_number(size, length) : 0;

	if (rc < 0) {
		exchange_refuse(e, MHD_HTTP_BAD_REQUEST, "a Content-Length that is none");
	} else if (!length && !e->has_ticket) {
		exchange_refuse(e, MHD_HTTP_LENGTH_REQUIRED, "say how many bytes will come");
	} else if (length && e->has_ticket && *size != e->ticket.size) {
		exchange_refuse(e, MHD_HTTP_UNPROCESSABLE_CONTENT,
			"%" PRIu64 " bytes were announced, not %" PRIu64, e->ticket.size, *size);
	} else {
		if (!length)
			*size = e->ticket.size;
		if (*size <= e->server->max_size)
			return 0;
		exchange_refuse(e, MHD_HTTP_CONTENT_TOO_LARGE,
			"the object is larger than this server takes");
	}
	return -1;
}

static void refuse_put(struct exchange *e, int code)
{
	depot_put_free(e->writer);
	e->writer = NULL;
	if (code ==
		ERR_NOTFOUND) /* a directory of ours is gone: nothing that the client asked for */
		code = err_set(ERR_IO, "%s", err_msg());
	if (code == ERR_CORRUPT)
		exchange_refuse(e, MHD_HTTP_UNPROCESSABLE_CONTENT, "%s", err_msg());
	else
		exchange_fail(e, code,
			code == ERR_LIMIT ? MHD_HTTP_INSUFFICIENT_STORAGE
					  : MHD_HTTP_INTERNAL_SERVER_ERROR);
}

void api_put_begin(struct exchange *e)
{
	uint64_t size;
	int rc;

	if (put_size(e, &size) < 0)
		return;
	rc = depot_put_begin(&e->writer, e->server->depot, &e->target.oid, size);
	if (rc < 0)
		refuse_put(e, rc);
}

void api_put_data(struct exchange *e, const void *p, size_t len)
{
	int rc = depot_put_data(e->writer, p, len);

	if (rc < 0)
		refuse_put(e, rc);
}

void api_put_finish(struct exchange *e)
{
	int rc = depot_put_finish(e->writer);

	if (rc < 0)
		refuse_put(e, rc);
	else
		exchange_answer(e, MHD_HTTP_OK, nothing(), 0);
}

/* ---- verify ---- */

void api_verify(struct exchange *e)
{
	uint64_t size = 0, here = 0;
	struct oid oid;
	int rc = lfsjson_verify_parse(&oid, &size, buf_str(&e->body), e->body.len);

	if (rc == 0 && !oid_eq(&oid, &e->target.oid))
		rc = err_set(ERR_INVALID, "the body is about another object");
	if (rc < 0) {
		exchange_fail(e, rc, MHD_HTTP_INTERNAL_SERVER_ERROR);
		return;
	}
	if (find(e, &oid, &here) < 0)
		return;
	if (here != STORE_SIZE_UNKNOWN && here != size)
		exchange_refuse(e, MHD_HTTP_UNPROCESSABLE_CONTENT,
			"the object has %" PRIu64 " bytes, not %" PRIu64, here, size);
	else
		exchange_answer(e, MHD_HTTP_OK, nothing(), 0);
}
