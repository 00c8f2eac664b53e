/*
 * What the parts of the depot share: depot.c (life, settling), depot_put.c, depot_find.c,
 * depot_get.c (readers), depot_fetch.c (from the store to the cache).
 */
#ifndef TRANSFER_DEPOT_INTERNAL_H
#define TRANSFER_DEPOT_INTERNAL_H

#include "transfer/depot/depot.h"
#include "transfer/depot/depot_cache.h"
#include "transfer/depot/spool.h"
#include "transfer/engine.h"
#include "transfer/remote/remote.h"

#include <pthread.h>

struct finder;
struct fetcher;

struct depot {
	struct buf state, dvx_dir;
	struct gitdir git; /* a synthetic one at `state`: strings are borrowed from the two above */
	struct config *config; /* borrowed */
	struct remote_spec *spec;
	struct remote *remote; /* NULL: a Git directory */
	struct similar *similar;
	struct spool *spool;
	struct depot_cache *cache;
	struct finder *finder;
	struct fetcher *fetcher;
	int jobs;
	volatile int leaving; /* downloads stop */
	void (*warn)(const char *message, void *data);
	void *data;
	/* settling */
	unsigned settle_ms;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	pthread_t settler;
	int settling; /* the thread is there */
	int closing, hurry;
	size_t waiting; /* put since the last round began */
	uint64_t waiting_bytes;
	int64_t waiting_since; /* ns, of listing_clock() */
	unsigned pause_ms;     /* after a failure */
	uint64_t begun, ended; /* rounds */
	int last_rc;	       /* of the last round */
	char last_message[512];
};

/* An engine for this depot; `answer`, `data` are the caller's. */
void depot_engine(struct depot *d, struct engine *e);

/* depot.c: something was put. */
void depot_note_put(struct depot *d, uint64_t size);
/* depot_put.c: the object waits in `incoming`: a descriptor and *size, or ERR_NOTFOUND (without a
 * message). */
int depot_open_incoming(struct depot *d, const struct oid *oid, uint64_t *size);

/* depot_find.c.  finder_new asks the store. */
int finder_new(struct finder **out, struct depot *d);
void finder_free(struct finder *f);

/* depot_fetch.c: an object on its way from the store to the cache. */
struct fetch {
	struct transfer_watch watch; /* first: it is how the transfer knows us */
	struct fetcher *fetcher;
	struct oid oid;
	uint64_t size;
	struct fetch *next;  /* in its bucket */
	struct fetch *after; /* in the queue */
	unsigned refs;	     /* readers, and one while it is queued or runs */
	int asked;	     /* somebody waits for it */
	int running, ended;
	int fd;	       /* of the file that grows; -1 before */
	uint64_t have; /* bytes in it */
	unsigned attempt;
	int rc; /* when ended */
	char *message;
	pthread_cond_t moved;
};

int fetcher_new(struct fetcher **out, struct depot *d);
void fetcher_free(struct fetcher *f);
/* Have it fetched.  `asked` 0: when there is time, if there is room.  *out (may be NULL): one
 * reference. */
int fetcher_want(
	struct fetcher *f, const struct oid *oid, uint64_t size, int asked, struct fetch **out);
/* Join what is on its way already: 1, or 0. */
int fetcher_join(struct fetcher *f, const struct oid *oid, struct fetch **out);
void fetch_unref(struct fetch *x);
/* Wait until byte `offset` may be given out, or it has ended: the count of bytes that may be given
 * out from the start of `*fd`, a duplicate for the caller if `attempt` is another than *attempt.
 * Negative: it failed. */
int64_t fetch_wait(struct fetch *x, uint64_t offset, unsigned *attempt, int *fd);

#endif
