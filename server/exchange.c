/*
 * A request in memory, and how it is answered.  Failures of ours are told to the log, not to the
 * client: their messages name paths and stores.
 */
#include "server/exchange.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/wire/json.h"
#include "lib/wire/lfsjson.h"
#include "server/httptext.h"

/* ---- life ---- */

struct exchange *exchange_new(struct server *s, struct MHD_Connection *c, const char *target)
{
	struct exchange *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->server = s;
	e->connection = c;
	e->body.max = SERVER_JSON_MAX;
	clock_gettime(CLOCK_MONOTONIC, &e->since);
	snprintf(e->id, sizeof(e->id), "%016llx", atomic_fetch_add(&s->last_id, 1) + 1);
	e->path = strndup(target, strcspn(target, "?"));
	if (e->path)
		err_printable(e->path);
	e->target_failure = target_parse(&e->target, target);
	if (e->target_failure < 0)
		e->failure = strdup(err_msg());
	return e;
}

void exchange_free(struct exchange *e)
{
	if (!e)
		return;
	if (e->answer)
		MHD_destroy_response(e->answer);
	atomic_fetch_sub(&e->server->json_bytes, e->body.len);
	depot_put_free(e->writer);
	buf_release(&e->body);
	target_release(&e->target);
	free(e->path);
	free(e->failure);
	free(e);
}

static enum MHD_Result note_header(
	void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct exchange *e = cls;
	struct exchange_headers *h = &e->headers;
	const struct {
		const char *name;
		const char **slot;
	} known[] = {{"Accept", &h->accept}, {"Authorization", &h->authorization},
		{"Content-Length", &h->content_length}, {"Content-Type", &h->content_type},
		{"Expect", &h->expect}, {"Host", &h->host}, {"Range", &h->range},
		{"Transfer-Encoding", &h->transfer_encoding},
		{"X-Forwarded-Host", &h->forwarded_host},
		{"X-Forwarded-Proto", &h->forwarded_proto}};

	(void)kind;
	for (size_t i = 0; value && i < sizeof(known) / sizeof(*known); i++) {
		if (strcasecmp(known[i].name, name) != 0)
			continue;
		if (*known[i].slot && known[i].slot != &h->accept)
			h->twice = known[i].name;
		*known[i].slot = value;
	}
	return MHD_YES;
}

void exchange_read_headers(struct exchange *e)
{
	MHD_get_connection_values(e->connection, MHD_HEADER_KIND, note_header, e);
}

double exchange_seconds(const struct exchange *e)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)(t.tv_sec - e->since.tv_sec) + (double)(t.tv_nsec - e->since.tv_nsec) / 1e9;
}

int exchange_is_slow(const struct exchange *e, uint64_t bytes)
{
	double seconds = exchange_seconds(e);

	return seconds > e->server->timeout && (double)bytes < seconds * SERVER_RATE_MIN;
}

/* ---- answers ---- */

void exchange_answer(
	struct exchange *e, unsigned status, struct MHD_Response *response, uint64_t bytes)
{
	if (e->status) {
		if (response)
			MHD_destroy_response(response);
		return;
	}
	if (!response) { /* out of memory */
		static char none[] = "";

		status = MHD_HTTP_SERVICE_UNAVAILABLE;
		bytes = 0;
		response = MHD_create_response_from_buffer(0, none, MHD_RESPMEM_PERSISTENT);
	}
	e->status = status;
	e->answer = response;
	e->sent = bytes;
}

void exchange_add_header(struct exchange *e, const char *name, const char *value)
{
	if (e->answer)
		MHD_add_response_header(e->answer, name, value);
}

void exchange_answer_json(struct exchange *e, unsigned status, struct buf *json)
{
	size_t len = json->len;
	char *text = buf_detach(json);
	struct MHD_Response *r =
		text ? MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE) : NULL;

	if (text && !r)
		free(text);
	exchange_answer(e, status, r, len);
	exchange_add_header(e, "Content-Type", LFS_MEDIA_TYPE);
	exchange_add_header(e, "Cache-Control", "no-store");
}

static int format_error(struct buf *out, const char *message, const char *id)
{
	struct json j;

	json_init(&j);
	json_string(&j, j.root, "message", message);
	json_string(&j, j.root, "request_id", id);
	return json_format(&j, out, 0);
}

/* Git LFS's own header decides which way of authentication its client takes. */
static void ask_for_credentials(struct exchange *e)
{
	exchange_add_header(e, "LFS-Authenticate", "Basic realm=\"Git LFS\"");
	exchange_add_header(e, "WWW-Authenticate", "Basic realm=\"Git LFS\"");
}

void exchange_refuse(struct exchange *e, unsigned status, const char *fmt, ...)
{
	struct buf json = BUF_INIT;
	char message[512];
	va_list ap;

	if (e->status)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	err_printable(message);
	if (format_error(&json, message, e->id) < 0)
		buf_reset(&json);
	exchange_answer_json(e, status, &json);
	buf_release(&json);
	if (status == MHD_HTTP_UNAUTHORIZED)
		ask_for_credentials(e);
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		exchange_add_header(e, "Retry-After", "5");
	free(e->failure);
	e->failure = strdup(message);
}

void exchange_fail(struct exchange *e, int code, unsigned status)
{
	char *why;

	switch (code) {
	case ERR_NOTFOUND:
		exchange_refuse(e, MHD_HTTP_NOT_FOUND, "%s", err_msg());
		return;
	case ERR_INVALID:
		exchange_refuse(e, MHD_HTTP_UNPROCESSABLE_CONTENT, "%s", err_msg());
		return;
	default:
		break;
	}
	why = strdup(err_msg());
	exchange_refuse(e, status,
		status == MHD_HTTP_INSUFFICIENT_STORAGE
			? "the server has no room for this"
			: "the server's store failed; its log has more under the request's id");
	free(e->failure);
	e->failure = why;
}

/* ---- our own URL ---- */

/* The first of a list that proxies have written. */
static size_t first_len(const char *list)
{
	return strcspn(list, ", ");
}

int exchange_base_url(struct buf *out, const struct exchange *e)
{
	const struct server *s = e->server;
	const char *scheme = s->tls ? "https" : "http";
	const struct exchange_headers *h = &e->headers;
	char host[256];
	const char *from = h->host;

	if (s->base_url)
		return buf_addstr(out, s->base_url);
	if (s->trust_proxy && h->forwarded_proto) {
		int https = strncasecmp(h->forwarded_proto, "https", 5) == 0;

		scheme = https && first_len(h->forwarded_proto) == 5 ? "https" : "http";
	}
	if (s->trust_proxy && h->forwarded_host)
		from = h->forwarded_host;
	if (!from || first_len(from) >= sizeof(host))
		return err_set(ERR_INVALID, "no 'Host' in the request");
	snprintf(host, sizeof(host), "%.*s", (int)first_len(from), from);
	if (!httptext_is_host(host))
		return err_set(ERR_INVALID, "no host name in 'Host'");
	return buf_addf(out, "%s://%s", scheme, host);
}
