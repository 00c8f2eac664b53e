/*
 * Hashes a stream in a second thread: the caller fills a block, writes it to where it goes, and
 * hands it over, so that an object costs the longer of hashing and writing and not their sum.  The
 * fast sums of segments are taken on the caller's side, which has time to spare.  Short streams
 * never start the thread.
 */
#include "lib/store/store_internal.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { RING = 4 };

struct hasher {
	struct oid_ctx oid;
	uint8_t *blocks; /* RING blocks */
	size_t lens[RING];
	/* the ring: pushed - hashed blocks wait or are being hashed */
	uint64_t pushed, hashed;
	int ending, threaded, alone;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	/* sums */
	XXH3_state_t *segment;
	size_t in_segment;
	struct sums sums;
};

void sums_release(struct sums *x)
{
	free(x->digests);
	memset(x, 0, sizeof *x);
}

int hasher_new(struct hasher **out)
{
	struct hasher *h = calloc(1, sizeof *h);

	*out = NULL;
	if (!h)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->moved, NULL);
	oid_init(&h->oid);
	h->alone = workers_default() < 2;
	h->blocks = malloc((size_t)RING * STORE_BLOCK); /* pages that are never used cost nothing */
	h->segment = XXH3_createState();
	if (!h->blocks || !h->segment) {
		hasher_free(h);
		return err_set(ERR_NOMEM, "out of memory");
	}
	XXH3_128bits_reset(h->segment);
	*out = h;
	return 0;
}

static void stop_thread(struct hasher *h)
{
	if (!h->threaded)
		return;
	pthread_mutex_lock(&h->lock);
	h->ending = 1;
	pthread_cond_broadcast(&h->moved);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	h->threaded = 0;
}

void hasher_free(struct hasher *h)
{
	if (!h)
		return;
	stop_thread(h);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->moved);
	if (h->segment)
		XXH3_freeState(h->segment);
	sums_release(&h->sums);
	free(h->blocks);
	free(h);
}

static uint8_t *block_of(const struct hasher *h, uint64_t number)
{
	return h->blocks + number % RING * STORE_BLOCK;
}

/* Hash all that waits; the lock is not needed when there is no thread. */
static void hash_waiting(struct hasher *h)
{
	for (; h->hashed < h->pushed; h->hashed++)
		oid_update(&h->oid, block_of(h, h->hashed), h->lens[h->hashed % RING]);
}

static void *hash_loop(void *data)
{
	struct hasher *h = data;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		while (h->hashed == h->pushed && !h->ending)
			pthread_cond_wait(&h->moved, &h->lock);
		if (h->hashed == h->pushed)
			break;
		pthread_mutex_unlock(&h->lock);
		oid_update(&h->oid, block_of(h, h->hashed), h->lens[h->hashed % RING]);
		pthread_mutex_lock(&h->lock);
		h->hashed++;
		pthread_cond_broadcast(&h->moved);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

uint8_t *hasher_block(struct hasher *h)
{
	if (!h->threaded)
		return block_of(h, h->pushed);
	pthread_mutex_lock(&h->lock);
	while (h->pushed - h->hashed >= RING)
		pthread_cond_wait(&h->moved, &h->lock);
	pthread_mutex_unlock(&h->lock);
	return block_of(h, h->pushed);
}

static int end_segment(struct hasher *h)
{
	XXH128_canonical_t digest;
	struct sums *x = &h->sums;

	if (array_room(&x->digests, x->n, &x->cap, sizeof(*x->digests)) < 0)
		return ERR_NOMEM;
	XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(h->segment));
	memcpy(x->digests[x->n++], digest.digest, sizeof digest.digest);
	XXH3_128bits_reset(h->segment);
	h->in_segment = 0;
	return 0;
}

static int sum_block(struct hasher *h, const uint8_t *p, size_t len)
{
	int rc = 0;

	while (len && rc == 0) {
		size_t room = STORE_SEGMENT - h->in_segment, n = len < room ? len : room;

		XXH3_128bits_update(h->segment, p, n);
		h->in_segment += n;
		p += n;
		len -= n;
		if (h->in_segment == STORE_SEGMENT)
			rc = end_segment(h);
	}
	return rc;
}

int hasher_push(struct hasher *h, size_t len)
{
	int rc = sum_block(h, block_of(h, h->pushed), len);

	if (rc < 0)
		return rc;
	h->lens[h->pushed % RING] = len;
	if (!h->threaded && !h->alone && h->pushed == 1)
		h->threaded = pthread_create(&h->thread, NULL, hash_loop, h) == 0;
	if (!h->threaded) {
		h->pushed++;
		if (h->pushed > 1 || h->alone)
			hash_waiting(h);
		return 0;
	}
	pthread_mutex_lock(&h->lock);
	h->pushed++;
	pthread_cond_broadcast(&h->moved);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

int hasher_finish(struct hasher *h, struct oid *oid, struct sums *sums)
{
	int rc = h->in_segment ? end_segment(h) : 0;

	stop_thread(h);
	hash_waiting(h);
	oid_final(&h->oid, oid);
	if (sums) {
		*sums = h->sums;
		memset(&h->sums, 0, sizeof h->sums);
	}
	return rc;
}
