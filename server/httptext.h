/*
 * What the headers of a request say (RFC 9110).  Pure: text in, values out; every text may be NULL.
 */
#ifndef SERVER_HTTPTEXT_H
#define SERVER_HTTPTEXT_H

#include <stdint.h>

struct httptext_range {
	uint64_t offset, len;
};
/* `Range`, of an object of `size` bytes.  1: this part is asked for; 0: all of it, also for what is
 * no single range of bytes; ERR_LIMIT: a part that it has not. */
int httptext_range(struct httptext_range *out, const char *header, uint64_t size);

/* `Accept`: 1 if one of Git LFS's JSON will do. */
int httptext_accepts_json(const char *header);
/* `Content-Type`: 1 if it is JSON, or not said. */
int httptext_is_json(const char *header);

/* `Host`, `X-Forwarded-Host`: 1 if it is nothing but a name or address and a port. */
int httptext_is_host(const char *host);

enum httptext_scheme { HTTPTEXT_NONE, HTTPTEXT_BASIC, HTTPTEXT_BEARER, HTTPTEXT_OTHER };
struct httptext_credentials {
	enum httptext_scheme scheme;
	char *user;   /* Basic */
	char *secret; /* password or token */
};
/* `Authorization`.  0; ERR_INVALID: Basic that is not "<user>:<password>" in base64, or with
 * control bytes; ERR_LIMIT; ERR_NOMEM. */
int httptext_credentials(struct httptext_credentials *out, const char *header);
/* Forgets them, too. */
void httptext_credentials_release(struct httptext_credentials *c);

/* A number of decimal digits alone.  0 or ERR_INVALID. */
int httptext_number(uint64_t *out, const char *text);

#endif
