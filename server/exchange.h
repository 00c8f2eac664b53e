/*
 * One request and its answer.  libmicrohttpd calls with the head, the body in pieces, and the end;
 * an endpoint is three functions that are called then (api.h), any of which may answer: what comes
 * after that of the body is read and forgotten.
 */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include <microhttpd.h>
#include <time.h>

#include "lib/base/buf.h"
#include "server/server.h"
#include "server/target.h"

/* The headers that matter, as they came; NULL: absent. */
struct exchange_headers {
	const char *accept, *authorization, *content_length, *content_type, *expect, *host, *range;
	const char *transfer_encoding, *forwarded_host, *forwarded_proto;
	const char *twice; /* one of them that came twice */
};

struct api;

struct exchange {
	struct server *server;
	struct MHD_Connection *connection;
	struct exchange_headers headers;
	struct target target;
	char *path;	    /* without query; for the log */
	int target_failure; /* of target_parse */
	const char *method;
	const struct api *api;
	char id[17];
	struct accounts_answer who; /* user "": nobody said */
	int has_ticket;
	struct ticket ticket;
	int begun;
	struct timespec since;
	uint64_t received, forgotten; /* bytes of the body */
	struct buf body;	      /* of JSON endpoints */
	struct depot_writer *writer;  /* of a PUT */
	unsigned status;	      /* of the answer; 0: none yet */
	struct MHD_Response *answer;  /* until it was handed over */
	uint64_t sent;		      /* bytes of the answer's body */
	char *failure;		      /* what the log says besides */
};

struct exchange *exchange_new(struct server *s, struct MHD_Connection *c, const char *target);
void exchange_free(struct exchange *e);
/* Note the headers; NULL connection values are left out. */
void exchange_read_headers(struct exchange *e);
/* Seconds since it began. */
double exchange_seconds(const struct exchange *e);
/* 1 if so few bytes came or went in so long a time that the other end seems to hold us up. */
int exchange_is_slow(const struct exchange *e, uint64_t bytes);

/* ---- answers: the first one counts ---- */

/* A body of Git LFS's media type; the buffer is taken over. */
void exchange_answer_json(struct exchange *e, unsigned status, struct buf *json);
/* `body` bytes will be sent; the response is taken over, NULL is an answer of 503. */
void exchange_answer(
	struct exchange *e, unsigned status, struct MHD_Response *response, uint64_t bytes);
/* {"message":…,"request_id":…} */
void exchange_refuse(struct exchange *e, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for the error at hand: by its code when it is the client's doing; for what is ours,
 * `status`, a general sentence, and the message in the log. */
void exchange_fail(struct exchange *e, int code, unsigned status);
void exchange_add_header(struct exchange *e, const char *name, const char *value);
/* How a client reaches the endpoints, without a slash at its end; appended.  0, ERR_INVALID. */
int exchange_base_url(struct buf *out, const struct exchange *e);

#endif
