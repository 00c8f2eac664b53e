/*
 * The endpoints: which method, who may, and the functions that a request runs through.  `begin` has
 * seen the head, `data` is called with each piece of the body, `finish` at its end; each answers
 * through exchange.h, and `finish` must.  NULL: nothing to do.
 */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "server/exchange.h"

struct api {
	enum endpoint endpoint;
	const char *method;
	enum access need;
	const char *ticket; /* the operation whose ticket takes the place of an account; NULL */
	int json;	    /* speaks Git LFS's JSON: `body` is gathered */
	void (*begin)(struct exchange *e);
	void (*data)(struct exchange *e, const void *p, size_t len);
	void (*finish)(struct exchange *e);
};

/* NULL: no such endpoint with that method; *methods (comma-separated) are those it has. */
const struct api *api_find(const struct exchange *e, const char **methods);

void api_batch(struct exchange *e);

void api_get(struct exchange *e);
void api_head(struct exchange *e);
void api_put_begin(struct exchange *e);
void api_put_data(struct exchange *e, const void *p, size_t len);
void api_put_finish(struct exchange *e);
void api_verify(struct exchange *e);

void api_locks_list(struct exchange *e);
void api_locks_create(struct exchange *e);
void api_locks_verify(struct exchange *e);
void api_locks_remove(struct exchange *e);

/* Who is behind the request, and may they?  0, or answered (401, 403, 503). */
int api_authorize(struct exchange *e);
/* The user of this request has that much; otherwise answered (401, 403). */
int api_require(struct exchange *e, enum access need);

#endif
