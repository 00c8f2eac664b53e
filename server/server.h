/*
 * What all requests share (docs/lfs-server.md, "HTTP").  Nothing in it changes after the start, but
 * what says so; it may be read from every thread.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <semaphore.h>
#include <stdatomic.h>

#include "server/accounts.h"
#include "server/ticket.h"
#include "transfer/depot/depot.h"

enum {
	SERVER_JSON_MAX = 4 * 1024 * 1024,    /* bytes of one request; more: 413 */
	SERVER_JSON_TOTAL = 64 * 1024 * 1024, /* of all requests at once; more: 503 */
	SERVER_JSON_AT_ONCE = 4,	      /* requests that are worked on, the others wait */
	SERVER_DRAIN_MAX = 64 * 1024 * 1024,  /* bytes of a refused body that are read, so
					       * that the client sees the answer */
	SERVER_RATE_MIN = 1024		      /* bytes a second, on average; slower: closed */
};

struct server {
	struct depot *depot;
	struct accounts *accounts; /* NULL: there are none */
	enum access anonymous;	   /* what needs no credentials */
	uint8_t key[TICKET_KEY_LEN];
	unsigned ticket_seconds;
	const char *locks;    /* directory of the repositories' locks */
	const char *base_url; /* how clients reach this server, without a slash at the end; NULL:
				 as they say */
	int trust_proxy;
	int tls;
	uint64_t max_size; /* of an object */
	unsigned timeout;  /* seconds of silence until a connection is closed */
	int log;	   /* a line on stderr for each request */

	sem_t working;		  /* SERVER_JSON_AT_ONCE */
	atomic_size_t json_bytes; /* held by requests under way */
	atomic_uint requests;	  /* under way */
	atomic_ullong last_id;	  /* of a request */
	atomic_int stopping;
};

/* "warning: …" and "error: …" on stderr, a line. */
void server_warn(const char *message);

#endif
