/*
 * A thread for each connection: what is behind it (hashing, durable writes, a store far away) waits
 * often and long, and its threads cost little else than their connection's buffer.
 *
 *   on_target -> (head) on_request -> (body, in pieces) on_request… -> (end) on_request ->
 * on_completed
 */
#include "server/listener.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/isotime.h"
#include "server/address.h"
#include "server/api.h"
#include "server/httptext.h"
#include "server/watch.h"

enum {
	BUFFER = 128 * 1024,
	STACK = 256 * 1024,
	POLL_MS = 20,
	PAUSE_MS = 100, /* when there are no descriptors or no memory left */
	SLACK = 64	/* connections that have ended, and that libmicrohttpd still counts */
};

struct listener {
	struct server *server;
	struct MHD_Daemon *daemon;
	struct watch *watch;
	struct buf url;
	int fd; /* listens */
	pthread_t acceptor;
	int accepts; /* the thread is there */
	sem_t free;  /* connections that there may be more */
};

/* ---- bodies ---- */

/* A body that nobody wants is read all the same, or else the client would not see the answer: it is
 * still writing when the connection ends. */
static int forget_data(struct exchange *e, size_t len)
{
	e->forgotten += len;
	return e->forgotten <= SERVER_DRAIN_MAX;
}

static void gather(struct exchange *e, const void *p, size_t len)
{
	struct server *s = e->server;
	size_t total = atomic_fetch_add(&s->json_bytes, len) + len;
	int rc = total <= SERVER_JSON_TOTAL ? buf_add(&e->body, p, len) : ERR_REMOTE;

	if (rc == 0)
		return;
	atomic_fetch_sub(&s->json_bytes, len);
	if (rc == ERR_LIMIT)
		exchange_refuse(e, MHD_HTTP_CONTENT_TOO_LARGE, "a request of more than %d bytes",
			SERVER_JSON_MAX);
	else
		exchange_refuse(e, MHD_HTTP_SERVICE_UNAVAILABLE, "too many large requests at once");
}

/* 0 when the connection has to end. */
static int take_data(struct exchange *e, const void *p, size_t len)
{
	e->received += len;
	if (exchange_is_slow(e, e->received))
		return 0;
	if (e->status)
		return forget_data(e, len);
	if (e->api->json)
		gather(e, p, len);
	else if (e->api->data)
		e->api->data(e, p, len);
	else
		return forget_data(e, len);
	return 1;
}

/* ---- heads ---- */

static void check_json_head(struct exchange *e)
{
	const struct exchange_headers *h = &e->headers;
	uint64_t len = 0;

	if (!httptext_accepts_json(h->accept))
		exchange_refuse(e, MHD_HTTP_NOT_ACCEPTABLE, "this server answers with %s",
			"application/vnd.git-lfs+json");
	else if (strcmp(e->method, "GET") != 0 && !httptext_is_json(h->content_type))
		exchange_refuse(e, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "send %s",
			"application/vnd.git-lfs+json");
	else if (h->content_length && httptext_number(&len, h->content_length) < 0)
		exchange_refuse(e, MHD_HTTP_BAD_REQUEST, "a Content-Length that is none");
	else if (len > SERVER_JSON_MAX)
		exchange_refuse(e, MHD_HTTP_CONTENT_TOO_LARGE, "a request of more than %d bytes",
			SERVER_JSON_MAX);
}

static void refuse_target(struct exchange *e)
{
	int rc = e->target_failure;
	char *why = e->failure;

	e->failure = NULL;
	exchange_refuse(e,
		rc == ERR_NOTFOUND  ? MHD_HTTP_NOT_FOUND
		: rc == ERR_LIMIT   ? MHD_HTTP_URI_TOO_LONG
		: rc == ERR_INVALID ? MHD_HTTP_BAD_REQUEST
				    : MHD_HTTP_SERVICE_UNAVAILABLE,
		"%s", why ? why : "no such target");
	free(why);
}

/* Is it known where the body ends? */
static int is_framed(const struct exchange_headers *h)
{
	return !h->transfer_encoding || strcasecmp(h->transfer_encoding, "chunked") == 0;
}

/* Somebody in front of us may see the end of such a request elsewhere, and what comes behind it
 * may be another's (RFC 9112, 6.1 and 6.3): 0, or answered, as the connection's last. */
static int check_framing(struct exchange *e)
{
	const struct exchange_headers *h = &e->headers;

	if (h->twice)
		exchange_refuse(e, MHD_HTTP_BAD_REQUEST, "'%s' came twice", h->twice);
	else if (h->content_length && h->transfer_encoding)
		exchange_refuse(e, MHD_HTTP_BAD_REQUEST, "two ways to tell the body's length");
	else if (!is_framed(h))
		exchange_refuse(e, MHD_HTTP_BAD_REQUEST, "a Transfer-Encoding that is not known");
	else
		return 0;
	exchange_add_header(e, "Connection", "close");
	return -1;
}

static void begin(struct exchange *e, const char *method)
{
	const char *methods = NULL;

	e->method = method;
	exchange_read_headers(e);
	if (check_framing(e) < 0)
		return;
	if (e->target_failure < 0) {
		refuse_target(e);
		return;
	}
	e->api = api_find(e, &methods);
	if (!e->api) {
		exchange_refuse(
			e, MHD_HTTP_METHOD_NOT_ALLOWED, "the method is not one of: %s", methods);
		exchange_add_header(e, "Allow", methods);
		return;
	}
	if (api_authorize(e) < 0)
		return;
	if (e->api->json)
		check_json_head(e);
	if (!e->status && e->api->begin)
		e->api->begin(e);
}

/* ---- libmicrohttpd's calls ---- */

static enum MHD_Result hand_over(struct exchange *e)
{
	enum MHD_Result rc;

	if (atomic_load(&e->server->stopping))
		exchange_add_header(e, "Connection", "close");
	rc = MHD_queue_response(e->connection, e->status, e->answer);
	MHD_destroy_response(e->answer);
	e->answer = NULL;
	return rc;
}

/* The answer need not wait for a body that will not come, or is too long to be waited for. */
static int is_answered_at_once(const struct exchange *e)
{
	uint64_t len = 0;

	if (!is_framed(&e->headers))
		return 1;
	if (e->headers.expect && strcasecmp(e->headers.expect, "100-continue") == 0)
		return 1;
	return e->headers.content_length &&
	       (httptext_number(&len, e->headers.content_length) < 0 || len > SERVER_DRAIN_MAX);
}

static void finish(struct exchange *e)
{
	if (e->status)
		return;
	if (e->api->json) {
		while (sem_wait(&e->server->working) < 0)
			;
		e->api->finish(e);
		sem_post(&e->server->working);
	} else {
		e->api->finish(e);
	}
}

static struct watched *watched_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **context)
{
	struct listener *l = cls;
	struct exchange *e = *context;

	(void)url;
	(void)version;
	if (!e)
		return MHD_NO; /* out of memory */
	if (!e->begun) {
		e->begun = 1;
		watch_expect(l->watch, watched_of(c), 0);
		begin(e, method);
		return e->status && is_answered_at_once(e) ? hand_over(e) : MHD_YES;
	}
	if (*len) {
		size_t n = *len;

		*len = 0;
		return take_data(e, data, n) ? MHD_YES : MHD_NO;
	}
	finish(e);
	MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, 0U); /* starts it anew */
	MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, l->server->timeout);
	return hand_over(e);
}

static void *on_target(void *cls, const char *target, struct MHD_Connection *c)
{
	struct listener *l = cls;
	struct exchange *e = exchange_new(l->server, c, target);

	if (e)
		atomic_fetch_add(&l->server->requests, 1);
	return e;
}

/* One that there is no endpoint for may be called anything, also what a terminal obeys. */
static const char *printable_method(const struct exchange *e)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return e->method && !e->method[strspn(e->method, letters)] ? e->method : "-";
}

static void log_exchange(const struct exchange *e, int complete)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct buf from = BUF_INIT;
	char when[ISOTIME_LEN + 1];

	isotime_format(when, time(NULL));
	if (!i || address_format(&from, i->client_addr) < 0)
		buf_reset(&from);
	fprintf(stderr, "%s %s %s \"%s %s\" %u in=%llu out=%llu ms=%.0f id=%s%s%s%s\n", when,
		from.len ? from.p : "-",
		*e->who.user	? e->who.user
		: e->has_ticket ? "(ticket)"
				: "-",
		printable_method(e), e->path ? e->path : "-", e->status,
		(unsigned long long)e->received, (unsigned long long)e->sent,
		exchange_seconds(e) * 1000, e->id, complete ? "" : " (aborted)",
		e->failure ? ": " : "", e->failure ? e->failure : "");
	buf_release(&from);
}

static void on_completed(
	void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode how)
{
	struct listener *l = cls;
	struct exchange *e = *context;

	if (!e)
		return;
	*context = NULL;
	if (l->server->log)
		log_exchange(e, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	else if (e->status >= 500 && e->failure)
		server_warn(e->failure);
	exchange_free(e);
	watch_expect(l->watch, watched_of(c), 1);
	atomic_fetch_sub(&l->server->requests, 1);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct listener *l = cls;
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = i ? watch_add(l->watch, i->connect_fd) : NULL;
	} else if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		watch_remove(l->watch, *context);
		*context = NULL;
		sem_post(&l->free);
	}
}

/* What clients do wrong is no news. */
static void on_message(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

/* ---- connections ---- */

static void pause_ms(unsigned ms)
{
	const struct timespec t = {.tv_nsec = ms * 1000000L};

	nanosleep(&t, NULL);
}

/* libmicrohttpd would reset connections that are too many; here they wait to be accepted. */
static void *accept_run(void *data)
{
	struct listener *l = data;

	for (;;) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd;

		while (sem_wait(&l->free) < 0)
			;
		fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
		if (atomic_load(&l->server->stopping)) {
			if (fd >= 0)
				close(fd);
			return NULL;
		}
		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			pause_ms(PAUSE_MS);
		if (fd < 0 ||
			MHD_add_connection(l->daemon, fd, (struct sockaddr *)&from, len) != MHD_YES)
			sem_post(&l->free);
	}
}

static int start_acceptor(struct listener *l)
{
	if (pthread_create(&l->acceptor, NULL, accept_run, l) != 0)
		return err_set(ERR_IO, "cannot start a thread");
	l->accepts = 1;
	return 0;
}

/* Whoever is not accepted yet is refused by the kernel from now on. */
static void stop_acceptor(struct listener *l)
{
	atomic_store(&l->server->stopping, 1);
	if (!l->accepts)
		return;
	shutdown(l->fd, SHUT_RDWR);
	sem_post(&l->free);
	pthread_join(l->acceptor, NULL);
	close(l->fd);
	l->fd = -1;
}

/* ---- start and stop ---- */

static struct MHD_Daemon *start_daemon(struct listener *l, const struct listener_options *o)
{
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
			(void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			 MHD_USE_POLL | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;

	if (o->certificate)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, l, /* */
		MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,	     /* */
		MHD_OPTION_URI_LOG_CALLBACK, on_target, l,	     /* */
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, l,	     /* */
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,	     /* */
		MHD_OPTION_CONNECTION_LIMIT, o->connections + SLACK, /* */
		MHD_OPTION_CONNECTION_TIMEOUT, l->server->timeout,   /* */
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)BUFFER,  /* */
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,	     /* */
		MHD_OPTION_STRICT_FOR_CLIENT, 1,		     /* */
		MHD_OPTION_ARRAY, o->certificate ? tls : none, MHD_OPTION_END);
}

static void listener_free(struct listener *l)
{
	watch_stop(l->watch);
	sem_destroy(&l->free);
	buf_release(&l->url);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

int listener_start(struct listener **out, struct server *s, const struct listener_options *options)
{
	struct listener *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l)
		return err_set(ERR_NOMEM, "out of memory");
	l->server = s;
	sem_init(&l->free, 0, options->connections);
	rc = l->fd = address_listen(options->address);
	if (rc >= 0)
		rc = buf_addf(&l->url, "%s://", s->tls ? "https" : "http");
	if (rc >= 0)
		rc = address_of_socket(&l->url, l->fd);
	if (rc >= 0)
		rc = watch_start(&l->watch, s->timeout);
	if (rc >= 0) {
		l->daemon = start_daemon(l, options);
		if (!l->daemon)
			rc = err_set(ERR_INVALID, "libmicrohttpd cannot start%s",
				s->tls ? "; are certificate and key those of each other?" : "");
	}
	if (rc >= 0)
		rc = start_acceptor(l);
	if (rc < 0) {
		if (l->daemon)
			MHD_stop_daemon(l->daemon);
		listener_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

int listener_url(struct buf *out, const struct listener *l)
{
	return buf_addstr(out, buf_str(&l->url));
}

void listener_stop(struct listener *l, unsigned seconds)
{
	if (!l)
		return;
	stop_acceptor(l);
	for (unsigned ms = 0; atomic_load(&l->server->requests) && ms < seconds * 1000;
		ms += POLL_MS)
		pause_ms(POLL_MS);
	MHD_stop_daemon(l->daemon);
	listener_free(l);
}
