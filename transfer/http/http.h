/*
 * HTTP requests (RFC 9110, 9112, 9113), for whoever needs them: blob stores in S3, credentials,
 * servers of whole objects.  One background thread runs all transfers of a `struct http` and keeps
 * the connections, so that requests of many threads share them (and share one connection where the
 * server speaks HTTP/2 over TLS); the callers wait.
 *
 * It does what it is asked once, for http:// and https:// only: nothing is tried again, no redirect
 * is followed, nothing is decompressed, no credentials of its own are sent, no cookies are kept.
 * Everything that comes in is bounded.  Headers that were sent are in no message.
 */
#ifndef TRANSFER_HTTP_H
#define TRANSFER_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/setup/config.h"

struct http;

enum {
	HTTP_TIMEOUT_MS = 30000,      /* to connect; and without a byte in either direction */
	HTTP_HEADERS_MAX = 64 * 1024, /* of an answer, all together */
	HTTP_ERROR_BODY_MAX = 64 * 1024
};

/* For all requests of a struct http.  Strings are copied.  Zeroed: the defaults. */
struct http_options {
	const char *ca;	      /* file of CA certificates, or directory; NULL: the system's */
	int insecure;	      /* do not check certificates at all */
	const char *proxy;    /* NULL: what the environment says; "": none */
	const char *ca_hint;  /* how to name another CA, for messages: a command line */
	unsigned connect_ms;  /* 0: HTTP_TIMEOUT_MS */
	unsigned stall_ms;    /* 0: HTTP_TIMEOUT_MS */
	unsigned connections; /* to one host at once at most; 0: no limit */
};

/* What Git's configuration and environment say, as Git itself takes it: http.proxy, http.sslVerify,
 * http.sslCAInfo, http.sslCAPath; GIT_SSL_NO_VERIFY, GIT_SSL_CAINFO, GIT_SSL_CAPATH.  (Sections
 * http.<url>.* are not looked at.)  Strings are borrowed from `c` and the environment. */
void http_options_from_git(struct http_options *o, const struct config *c);

/* Load libcurl; the thread starts with the first request.  0; ERR_UNSUPPORTED (no libcurl: what to
 * install), ERR_NOMEM. */
int http_new(struct http **out, const struct http_options *o);
/* No request may be in the making.  NULL is fine. */
void http_free(struct http *h);

/* A request.  All borrowed until http_perform returns. */
struct http_request {
	const char *method; /* "GET", "HEAD", "PUT", "DELETE", "POST"… */
	const char *url;
	const struct strvec *headers; /* "Name: value"; or NULL */

	/* The body: `len` bytes in memory, or (data == NULL) in a file from an offset on.  PUT and
	 * POST always have one, of 0 bytes if need be; others never. */
	const void *data;
	int fd;
	uint64_t offset, len;
	int expect_continue; /* let the server refuse a large body before it is sent (HTTP/1.1) */

	/* Where the body of an answer 2xx goes: into `into`, or (NULL) into response->body.  More
	 * than `max` bytes of it are an error. */
	void *into;
	size_t max;

	const volatile int *stop; /* non-zero: leave within 0.1 s; NULL: never */
	unsigned timeout_ms;	  /* for all of it; 0: none as long as bytes move */
	int no_proxy;
};

/* The answer.  Zero it before the first use; http_perform resets it. */
struct http_response {
	int status;	       /* 0: none came */
	struct strvec headers; /* "name: value", names in lower case */
	size_t received;       /* bytes of the body of a 2xx answer */
	struct buf body;       /* of a 2xx answer if there was no `into`; of any other answer the
				* first HTTP_ERROR_BODY_MAX bytes */
	int body_too_long;     /* more than `max`: the reason of ERR_LIMIT (else the headers are) */
	int connected;	       /* the request may have reached the server */
};
void http_response_release(struct http_response *r);
/* The value of the first header of that name (lower case), NULL if there is none.  Borrowed. */
const char *http_response_header(const struct http_response *r, const char *name);

/* Perform a request; from any thread.  0 when there was a whole answer, of any status.  Else
 * (*response holds what came until then):
 *   ERR_REMOTE       no answer, or half of one: name not found, refused, reset, silent for 30 s
 *   ERR_DENIED       the certificate is not to be trusted (why, and what to set)
 *   ERR_LIMIT        a 2xx answer of more than `max` bytes, or of headers without end
 *   ERR_INVALID      a URL that is none; a file that got shorter
 *   ERR_INTERRUPTED  *stop
 *   ERR_NOMEM
 * Messages begin with the host's name. */
int http_perform(
	struct http *h, const struct http_request *request, struct http_response *response);

#endif
