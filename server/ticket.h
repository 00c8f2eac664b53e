/*
 * What the actions of a batch answer carry in place of an account: one operation on one object of
 * one repository, for a while (docs/lfs-server.md, "Tickets").
 *
 *   dvx1.<size, hex>.<expires, seconds since 1970, hex>.<HMAC-SHA256 of everything, hex>
 */
#ifndef SERVER_TICKET_H
#define SERVER_TICKET_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

enum { TICKET_KEY_LEN = 32 };
#define TICKET_PREFIX "dvx1."

struct ticket {
	const char *operation; /* "download", "upload", "verify" */
	const char *repository;
	struct oid oid;
	uint64_t size;
	int64_t expires;
};

/* The key in `path`: read, or made of random bytes for the owner alone (0600).  0, ERR_IO,
 * ERR_INVALID: a file that is none. */
int ticket_key(uint8_t key[static TICKET_KEY_LEN], const char *path);

/* Appended. */
int ticket_format(
	struct buf *out, const uint8_t key[static TICKET_KEY_LEN], const struct ticket *t);
/* 0: it is for what *t says, and t->size and t->expires are set; ERR_DENIED: it is not, or has
 * expired at `now`. */
int ticket_check(
	struct ticket *t, const uint8_t key[static TICKET_KEY_LEN], const char *text, int64_t now);

#endif
