/*
 * AWS Signature Version 4 for requests with an Authorization header, and the encoding of paths and
 * queries that it prescribes.  Pure: no clock, no I/O.
 *
 * Specification: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header
 * (AWS Signature Version 4)" and "Signature Calculations for the Authorization Header:
 * Transferring Payload in a Single Chunk"; HMAC is RFC 2104 over SHA-256 (FIPS 180-4).
 */
#ifndef TRANSFER_SIGV4_H
#define TRANSFER_SIGV4_H

#include <stddef.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"

/* What requests are signed with; all owned. */
struct sigv4_keys {
	char *id;     /* access key id */
	char *secret; /* secret access key */
	char *token;  /* session token of temporary keys, or NULL */
};

/* Overwrite and free the strings.  Fine on a zeroed struct. */
void sigv4_keys_release(struct sigv4_keys *k);
/* Make `out` (zeroed or released) a copy; `token` may be NULL or "".  0; ERR_NOMEM; ERR_INVALID
 * when a part is empty or has a byte that no header may hold (the message never shows it). */
int sigv4_keys_set(struct sigv4_keys *out, const char *id, const char *secret, const char *token);

/* Values of payload_sha256 besides 64 hex digits. */
#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define SIGV4_EMPTY_PAYLOAD    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* A request to be signed; all borrowed. */
struct sigv4_request {
	const char *method; /* "GET" */
	const char *host;   /* as in the Host header: with the port if it is not the default */
	const char *path;   /* "/bucket/key", encoded once: sigv4_encode_path */
	const struct strvec *query; /* "key=value" or "key", each encoded, in any order; or NULL */
	const struct strvec *headers; /* "Name: value", sent by the caller besides those that
				       * sigv4_sign appends; each is signed.  NULL: none */
	const char *payload_sha256;
};

/* What the signature is good for. */
struct sigv4_scope {
	const char *region;
	const char *service; /* "s3" */
	time_t now;
};

/* Append to `headers_out` what has to be sent besides request->headers and Host, as "Name: value":
 * x-amz-content-sha256, x-amz-date, x-amz-security-token (temporary keys), Authorization.  The
 * derived key is remembered per thread for the (day, region, service, secret) used last.  0;
 * ERR_INVALID (a header without a colon); ERR_NOMEM. */
int sigv4_sign(struct strvec *headers_out, const struct sigv4_request *request,
	const struct sigv4_keys *keys, const struct sigv4_scope *scope);

/* Append `text` percent-encoded: all but A-Z a-z 0-9 - . _ ~ as %XX in capitals.  For keys and
 * values of queries. */
int sigv4_encode(struct buf *out, const char *text);
/* The same, slashes kept: for paths. */
int sigv4_encode_path(struct buf *out, const char *path);
/* Append the query in its canonical form (sorted, each with a '='), without a '?'. */
int sigv4_add_query(struct buf *out, const struct strvec *query);

#endif
