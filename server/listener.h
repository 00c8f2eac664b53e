/*
 * The listening socket and libmicrohttpd behind it: connections become exchanges (exchange.h).
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "lib/base/buf.h"
#include "server/server.h"

struct listener;

struct listener_options {
	const char *address;	       /* as address.h has it */
	const char *certificate, *key; /* PEM texts; NULL: no TLS */
	unsigned connections;	       /* at once; the others wait */
};

/* From the return on, clients are served.  0; ERR_INVALID: an address, certificate or key that is
 * none; ERR_DENIED, ERR_EXISTS, ERR_IO: the port cannot be had. */
int listener_start(struct listener **out, struct server *s, const struct listener_options *options);
/* "http://127.0.0.1:8080", with the port that was chosen; appended. */
int listener_url(struct buf *out, const struct listener *l);
/* Accept nobody any more, wait up to `seconds` for the requests under way, and end all. */
void listener_stop(struct listener *l, unsigned seconds);

#endif
