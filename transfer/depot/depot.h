/*
 * What stands behind our servers of whole objects (docs/lfs-server.md): objects come and go one at
 * a time, by name, from many clients at once; behind it they lie as packs and chunks in a blob
 * store, or in a Git repository's own place.
 *
 *   put  -> <state>/incoming/<aa>/<oid> (hashed, durable: acknowledged) -> many at a time -> store
 *   get  <- <state>/incoming | <state>/cache <- many at a time <- store
 *
 * What was acknowledged survives kill -9 and a store that cannot be reached: it waits in
 * `incoming`, is read from there, and goes on at the next start.  Without paths there is no
 * "previous version" to deduplicate against, so a sketch of each object (similar.h) finds the one
 * that it resembles. Everything here may be called from many threads.
 */
#ifndef TRANSFER_DEPOT_H
#define TRANSFER_DEPOT_H

#include <sys/types.h>

#include "lib/setup/config.h"
#include "lib/store/oid.h"

struct depot;

struct depot_options {
	const char *store;	/* directory or URL of a blob store; or NULL: */
	const char *name;	/* of the remote that this is, for its settings
				   (dvx-remote.<name>.*); NULL: the URL is the name */
	const char *repository; /* a Git directory, whose data is kept in and beside it
				   (REMOTE_GITDIR) */
	const char *state; /* directory of ours: incoming, cache, sketches, locks; made if needed */
	const struct config *config;
	uint64_t cache_bytes; /* of objects kept readable; 0: 4 GiB */
	unsigned settle_ms;   /* how long incoming objects wait for company; 0: 1000 */
	int jobs;	      /* 0: as many as fit */
	/* Something failed in the background, and is tried again.  From any thread; may be NULL. */
	void (*warn)(const char *message, void *data);
	void *data;
};

/* Takes up what an earlier process left in `incoming`.  Several processes may have one state (SSH):
 * each object is settled by one of them.  0; ERR_DENIED, ERR_INVALID, ERR_IO with what to do. */
int depot_open(struct depot **out, const struct depot_options *o);
/* Settle what can be settled, and end.  0, or why something stays in `incoming` (which is no loss).
 */
int depot_close(struct depot *d);
/* Wait until everything that was put before this call is in the store. */
int depot_settle(struct depot *d);

struct depot_object {
	struct oid oid;
	uint64_t size; /* STORE_SIZE_UNKNOWN: any */
	int here;      /* out: 1 it is, and `size` is its size; 0: it is not; negative enum err:
			* cannot tell, err_msg() is why for the last */
};
/* Which are here?  Asks the store once for all of them (and not at all for what is incoming or
 * cached). 0, or ERR_REMOTE… when nothing can be said. */
int depot_find(struct depot *d, struct depot_object *objects, size_t n);
/* The same for somebody who will not send what is here: what only the cache has counts as absent,
 * for a gc may have removed it from the store, or be about to. */
int depot_find_kept(struct depot *d, struct depot_object *objects, size_t n);
/* These are going to be read: fetch them together, in the background. */
void depot_foretell(struct depot *d, const struct depot_object *objects, size_t n);

/* Write an object: begin, data…, finish; free in every case.  finish: 0, durable and readable by
 * everybody; ERR_CORRUPT: other bytes or another length than announced; ERR_IO: not written,
 * err_msg() (a full disk: ERR_LIMIT).  More data than announced is ERR_CORRUPT at once. */
struct depot_writer;
int depot_put_begin(
	struct depot_writer **out, struct depot *d, const struct oid *oid, uint64_t size);
int depot_put_data(struct depot_writer *w, const void *p, size_t len);
int depot_put_finish(struct depot_writer *w);
void depot_put_free(struct depot_writer *w);

/* Read an object.  ERR_NOTFOUND: not here. */
struct depot_reader;
int depot_get_begin(
	struct depot_reader **out, struct depot *d, const struct oid *oid, uint64_t *size);
/* Bytes from `offset`, waiting for them if they are on their way: the count (0 at the end only), or
 * negative: ERR_CORRUPT when the store's copy is damaged (the last piece of a damaged object is
 * never given out), ERR_REMOTE… */
ssize_t depot_get_read(struct depot_reader *r, uint64_t offset, void *into, size_t len);
/* A descriptor to send from in the kernel, when all of it lies in a file and was checked; else -1.
 * Borrowed. */
int depot_get_fd(struct depot_reader *r);
void depot_get_free(struct depot_reader *r);

#endif
