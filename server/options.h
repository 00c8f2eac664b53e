/*
 * The command line of git-dvx-server (git-dvx-server(1)).
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "server/accounts_file.h"

struct options {
	const char *http, *store, *state_given, *htpasswd, *tokens, *anonymous_given;
	const char *tls_cert, *tls_key, *base_url_given;
	uint64_t max_size, cache_size;
	int trust_proxy, log, connections, timeout, ticket_seconds, jobs;
	/* filled by options_check */
	struct buf state;    /* directory, absolute */
	struct buf base_url; /* without a slash at the end; empty: none */
	enum access anonymous;
};

#define OPTIONS_INIT                                                                               \
	{                                                                                          \
		.max_size = INT64_MAX, .connections = 512, .timeout = 60, .ticket_seconds = 1800   \
	}

/* 0; 1: help was printed; ERR_INVALID. */
int options_parse(struct options *o, int argc, char **argv);
/* Is it all there, and does it fit together?  0, ERR_INVALID, ERR_DENIED: nobody would be asked for
 * credentials at an address that others reach. */
int options_check(struct options *o);
void options_release(struct options *o);

#endif
