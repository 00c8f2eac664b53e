/*
 * One request in terms of libcurl: options, headers, where the body comes from and where the answer
 * goes.  Prepared in the caller's thread; the callbacks run in the engine's.
 */
#include "transfer/http/http_internal.h"
#include "lib/base/err.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BUFFER_SIZE = 256 * 1024 }; /* each direction of each transfer */

/* ---- callbacks ---- */

/* The caller reads it meanwhile. */
static void say_sent(struct http_job *job, uint64_t bytes)
{
	__atomic_store_n(&job->sent, bytes, __ATOMIC_RELAXED);
}

static size_t give_body(char *into, size_t size, size_t n, void *data)
{
	struct http_job *job = data;
	const struct http_request *q = job->request;
	uint64_t left = q->len - job->sent;
	size_t len = size * n;
	ssize_t got;

	if (len > left)
		len = (size_t)left;
	if (len == 0)
		return 0;
	if (q->data) {
		memcpy(into, (const char *)q->data + job->sent, len);
		say_sent(job, job->sent + len);
		return len;
	}
	do
		got = pread(q->fd, into, len, (off_t)(q->offset + job->sent));
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		job->file_error = got < 0 ? errno : -1;
		return CURL_READFUNC_ABORT;
	}
	say_sent(job, job->sent + (uint64_t)got);
	return (size_t)got;
}

/* A connection that had died since its last use: libcurl begins again on another. */
static int rewind_body(void *data, curl_off_t offset, int origin)
{
	struct http_job *job = data;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > job->request->len)
		return CURL_SEEKFUNC_FAIL;
	say_sent(job, (uint64_t)offset);
	return CURL_SEEKFUNC_OK;
}

static size_t take_error_body(struct http_response *r, const char *bytes, size_t len)
{
	size_t room = r->body.len < HTTP_ERROR_BODY_MAX ? HTTP_ERROR_BODY_MAX - r->body.len : 0;

	if (buf_add(&r->body, bytes, len < room ? len : room) < 0)
		return 0;
	return len;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *data)
{
	struct http_job *job = data;
	const struct http_request *q = job->request;
	struct http_response *r = job->response;
	size_t len = size * n;

	if (http_stream_wanted(job))
		return http_stream_put(job, bytes, len);
	if (r->status / 100 != 2 || q->sink) {
		r->received += len;
		if (r->received > 16 * (size_t)HTTP_ERROR_BODY_MAX)
			job->too_long = 1;
		return job->too_long ? 0 : take_error_body(r, bytes, len);
	}
	if (len > q->max - r->received) {
		job->too_long = 1;
		r->body_too_long = 1;
		return 0;
	}
	if (q->into)
		memcpy((char *)q->into + r->received, bytes, len);
	else if (buf_add(&r->body, bytes, len) < 0)
		return 0;
	r->received += len;
	return len;
}

/* "Name: value\r\n" becomes "name: value". */
static int add_header(struct http_response *r, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name = colon ? (size_t)(colon - line) : 0;
	const char *value;
	char *copy;
	int rc;

	if (name == 0)
		return 0;
	while (len > name + 1 && strchr(" \t\r\n", line[len - 1]))
		len--;
	for (value = colon + 1; value < line + len && (*value == ' ' || *value == '\t'); value++)
		;
	rc = strvec_pushf(
		&r->headers, "%.*s: %.*s", (int)name, line, (int)(line + len - value), value);
	if (rc < 0)
		return rc;
	copy = r->headers.v[r->headers.n - 1];
	for (size_t i = 0; i < name; i++)
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] - 'A' + 'a');
	return 0;
}

static size_t take_header(char *line, size_t size, size_t n, void *data)
{
	struct http_job *job = data;
	struct http_response *r = job->response;
	size_t len = size * n;

	if (job->stream.begun) /* trailers, while the caller may look at the headers */
		return len;
	job->header_bytes += len;
	if (job->header_bytes > HTTP_HEADERS_MAX) {
		job->too_long = 1;
		return 0;
	}
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) { /* of this answer, or of 100 before it */
		const char *space = memchr(line, ' ', len);

		strvec_release(&r->headers);
		r->status = space ? (int)strtol(space, NULL, 10) : 0;
		return len;
	}
	return add_header(r, line, len) < 0 ? 0 : len;
}

/* ---- preparation ---- */

static int add_line(struct http_job *job, const char *line)
{
	struct curl_slist *more = job->curl->slist_append(job->headers, line);

	if (!more)
		return err_set(ERR_NOMEM, "out of memory");
	job->headers = more;
	return 0;
}

static int set_headers(struct http_job *job)
{
	const struct strvec *given = job->request->headers;
	int rc = job->request->expect_continue ? 0 : add_line(job, "Expect:");

	for (size_t i = 0; rc == 0 && given && i < given->n; i++)
		rc = add_line(job, given->v[i]);
	if (rc == 0)
		job->curl->easy_setopt(job->easy, CURLOPT_HTTPHEADER, job->headers);
	return rc;
}

static void set_method(struct http_job *job)
{
	const struct curl_api *curl = job->curl;
	const struct http_request *q = job->request;

	if (strcmp(q->method, "HEAD") == 0) {
		curl->easy_setopt(job->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	curl->easy_setopt(job->easy, CURLOPT_HTTPGET, 1L);
	if (strcmp(q->method, "PUT") == 0 || strcmp(q->method, "POST") == 0 || q->len > 0) {
		curl->easy_setopt(job->easy, CURLOPT_UPLOAD, 1L);
		curl->easy_setopt(job->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->len);
		curl->easy_setopt(job->easy, CURLOPT_READFUNCTION, give_body);
		curl->easy_setopt(job->easy, CURLOPT_READDATA, job);
		curl->easy_setopt(job->easy, CURLOPT_SEEKFUNCTION, rewind_body);
		curl->easy_setopt(job->easy, CURLOPT_SEEKDATA, job);
	}
	if (strcmp(q->method, "GET") != 0)
		curl->easy_setopt(job->easy, CURLOPT_CUSTOMREQUEST, q->method);
}

static void set_tls(struct http_job *job, const struct http_settings *s)
{
	const struct curl_api *curl = job->curl;
	CURL *easy = job->easy;

	curl->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (s->insecure) {
		curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	} else if (s->ca) {
		curl->easy_setopt(easy, s->ca_is_dir ? CURLOPT_CAPATH : CURLOPT_CAINFO, s->ca);
	}
	if (!s->cert)
		return;
	curl->easy_setopt(easy, CURLOPT_SSLCERT, s->cert);
	curl->easy_setopt(easy, CURLOPT_SSLKEY, s->key ? s->key : s->cert);
	/* Without one, the TLS library would ask at the terminal. */
	curl->easy_setopt(easy, CURLOPT_KEYPASSWD, s->key_passphrase ? s->key_passphrase : "");
}

static void set_transport(struct http_job *job, const struct http_settings *s)
{
	const struct curl_api *curl = job->curl;
	CURL *easy = job->easy;
	int http2 = !s->http1 && strncasecmp(job->request->url, "https:", 6) == 0;

	curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)s->connect_ms);
	curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
	curl->easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_SIZE);
	curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl->easy_setopt(easy, CURLOPT_USERAGENT, "git-dvx/" DVX_VERSION);
	curl->easy_setopt(easy, CURLOPT_HTTP_VERSION,
		http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	curl->easy_setopt(easy, CURLOPT_PIPEWAIT, (long)http2);
	set_tls(job, s);
	if (s->cookie_file)
		curl->easy_setopt(easy, CURLOPT_COOKIEFILE, s->cookie_file);
	if (job->request->no_proxy)
		curl->easy_setopt(easy, CURLOPT_PROXY, "");
	else if (s->proxy)
		curl->easy_setopt(easy, CURLOPT_PROXY, s->proxy);
	curl->easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
}

int http_job_prepare(struct http_job *job, const struct http_settings *settings)
{
	const struct curl_api *curl = job->curl;
	CURL *easy = job->easy;
	const char *url = job->request->url;

	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return err_set(ERR_INVALID, "'%s' is not a URL of http:// or https://", url);
	if (curl->easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK)
		return err_set(ERR_NOMEM, "out of memory");
	curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, job->error);
	curl->easy_setopt(easy, CURLOPT_PRIVATE, job);
	curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl->easy_setopt(easy, CURLOPT_WRITEDATA, job);
	curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl->easy_setopt(easy, CURLOPT_HEADERDATA, job);
	set_transport(job, settings);
	set_method(job);
	return set_headers(job);
}

/* ---- watching it ---- */

int http_job_connected(const struct http_job *job)
{
	curl_off_t at = 0;

	job->curl->easy_getinfo(job->easy, CURLINFO_PRETRANSFER_TIME_T, &at);
	return at > 0;
}

uint64_t http_job_progress(const struct http_job *job)
{
	curl_off_t up = 0, down = 0;
	curl_socket_t socket = CURL_SOCKET_BAD;
	int queued = 0; /* what the kernel has taken from us and the other end has not */

	job->curl->easy_getinfo(job->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	job->curl->easy_getinfo(job->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	job->curl->easy_getinfo(job->easy, CURLINFO_ACTIVESOCKET, &socket);
	if (socket == CURL_SOCKET_BAD || ioctl(socket, SIOCOUTQ, &queued) < 0)
		queued = 0;
	return (uint64_t)up + (uint64_t)down + job->header_bytes - (uint64_t)queued;
}
