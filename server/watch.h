/*
 * Connections whose request does not come: libmicrohttpd closes those that are silent, this one
 * those that drip.  A head has the time that silence has, from the connection's beginning or the
 * request before.
 */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

struct watch;
struct watched;

/* 0, ERR_NOMEM, ERR_IO. */
int watch_start(struct watch **out, unsigned seconds);
void watch_stop(struct watch *w);

/* A connection has begun; NULL when out of memory (it is not watched then). */
struct watched *watch_add(struct watch *w, int fd);
/* It is about to end: the descriptor is not touched after this.  Fine with NULL. */
void watch_remove(struct watch *w, struct watched *c);
/* A head is waited for; or it is complete. */
void watch_expect(struct watch *w, struct watched *c, int waiting);

#endif
