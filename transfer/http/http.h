/*
 * HTTP requests (RFC 9110, 9112, 9113), for whoever needs them: blob stores in S3, credentials,
 * servers of whole objects.  One background thread runs all transfers of a `struct http` and keeps
 * the connections, so that requests of many threads share them (and share one connection where the
 * server speaks HTTP/2 over TLS); the callers wait, or take what arrives.
 *
 * It does what it is asked once, for http:// and https:// only: nothing is tried again, no redirect
 * is followed, nothing is decompressed, no credentials of its own are sent, no cookies are saved.
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
struct http_response;

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
	int http1;	      /* HTTP/1.1 even where the server offers HTTP/2 */

	/* The client's own certificate and key (PEM); NULL: none; no key: it is in the same file.
	 */
	const char *cert, *key;
	const char *key_passphrase; /* NULL: the key is not encrypted; nobody is asked */
	const char *cookie_file;    /* cookies to send, each to its own hosts; NULL: none */
};

/* What Git's configuration and environment say for this URL, as Git itself takes it: http.<url>.*
 * and http.* of proxy, sslVerify, sslCAInfo, sslCAPath, sslCert, sslKey, version, cookieFile,
 * lowSpeedLimit and lowSpeedTime (which is how long a server may be silent); GIT_SSL_NO_VERIFY,
 * GIT_SSL_CAINFO, GIT_SSL_CAPATH, GIT_SSL_CERT, GIT_SSL_KEY, GIT_HTTP_LOW_SPEED_LIMIT,
 * GIT_HTTP_LOW_SPEED_TIME.  Only the user's own configuration counts.  `url` may be NULL: http.*
 * alone.  Strings are borrowed from `c` and the environment. */
void http_options_from_git_url(struct http_options *o, const struct config *c, const char *url);
/* The same with no URL, and no certificate of the user's: for servers that are not Git's. */
void http_options_from_git(struct http_options *o, const struct config *c);
/* 1 if the key of the user's certificate for this URL is encrypted, by
 * http.sslCertPasswordProtected or GIT_SSL_CERT_PASSWORD_PROTECTED: key_passphrase is the caller's
 * to find. */
int http_key_is_protected(const struct config *c, const char *url);

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
	/* Now and then, on the caller's thread: so many bytes of it are on their way (less than
	 * before when it is sent again).  May be NULL. */
	void (*sent)(uint64_t bytes, void *data);
	void *sent_data;
	int expect_continue; /* let the server refuse a large body before it is sent (HTTP/1.1) */

	/* Where the body of an answer 2xx goes: into `into`, or (NULL) into response->body.  More
	 * than `max` bytes of it are an error.
	 * With `sink`, that of an answer 200 or 206 goes there instead, in pieces, on the caller's
	 * thread, after `begin` (may be NULL) has seen status and headers; while the caller is slow
	 * to take them, the connection waits.  Negative returns end the request and are returned.
	 * `max` 0: as much as comes.  When the connection breaks, sink has had all that arrived. */
	void *into;
	size_t max;
	int (*begin)(const struct http_response *response, void *data);
	int (*sink)(const void *p, size_t len, void *data);
	void *sink_data;

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

/* What "Retry-After" says, in seconds or as a date: milliseconds from `now` (seconds since 1970),
 * an hour at most; 0 for nothing. */
unsigned http_retry_after_ms(const struct http_response *r, int64_t now);

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
