/*
 * A ring of slots.  Threads take the ranges in order, each into the slot of its number; the one who
 * asks waits for the slot that is next.  A range is begun only when its slot was given back, which
 * bounds the memory.
 */
#include "transfer/blob/readahead.h"
#include "lib/base/err.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 32 };

struct slot {
	uint8_t *mem;
	int ready;
	int rc;
	char *message;
};

struct readahead {
	struct blobstore *blobstore;
	const struct readahead_range *ranges;
	size_t n, longest;
	size_t begun, taken; /* ranges whose reading began; that were handed out */
	struct slot slots[THREADS_MAX];
	int n_slots;
	pthread_t threads[THREADS_MAX];
	int n_threads;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int stop;
};

int readahead_exactly(
	struct blobstore *b, const struct oid *pack, uint64_t offset, void *into, size_t len)
{
	struct remote *remote = b->remote;
	struct buf where = BUF_INIT;
	ssize_t n;
	int rc = engine_check_stop(b->engine);

	if (rc < 0)
		return rc;
	n = remote->ops->get(remote, REMOTE_PACK, pack, offset, into, len);
	if (n < 0)
		return (int)n;
	if ((size_t)n == len)
		return 0;
	rc = err_set(ERR_CORRUPT, "truncated: it ends before byte %llu",
		(unsigned long long)(offset + len));
	if (remote->ops->describe(remote, REMOTE_PACK, pack, &where) == 0)
		rc = err_prefix(rc, "'%s'", where.p);
	buf_release(&where);
	return rc;
}

static int read_range(struct readahead *a, size_t i)
{
	const struct readahead_range *range = &a->ranges[i];
	struct slot *s = &a->slots[i % (size_t)a->n_slots];

	if (!s->mem)
		s->mem = malloc(READAHEAD_FRONT + a->longest);
	if (!s->mem)
		return err_set(ERR_NOMEM, "out of memory");
	return readahead_exactly(
		a->blobstore, &range->pack, range->offset, s->mem + READAHEAD_FRONT, range->length);
}

/* Under the lock: may the next range be begun? */
static int has_room(const struct readahead *a)
{
	/* the slot that was handed out last is still in use */
	size_t given_back = a->taken ? a->taken - 1 : 0;

	return a->begun < given_back + (size_t)a->n_slots;
}

static void *read_ahead(void *data)
{
	struct readahead *a = data;

	pthread_mutex_lock(&a->lock);
	for (;;) {
		struct slot *s;
		size_t i;
		int rc;

		while (!a->stop && a->begun < a->n && !has_room(a))
			pthread_cond_wait(&a->changed, &a->lock);
		if (a->stop || a->begun == a->n)
			break;
		i = a->begun++;
		pthread_mutex_unlock(&a->lock);
		rc = read_range(a, i);
		pthread_mutex_lock(&a->lock);
		s = &a->slots[i % (size_t)a->n_slots];
		s->rc = rc;
		s->message = rc < 0 ? strdup(err_msg()) : NULL;
		s->ready = 1;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

int readahead_new(struct readahead **out, struct blobstore *b, const struct readahead_range *ranges,
	size_t n, int threads)
{
	struct readahead *a = calloc(1, sizeof(*a));

	*out = NULL;
	if (!a)
		return err_set(ERR_NOMEM, "out of memory");
	a->blobstore = b;
	a->ranges = ranges;
	a->n = n;
	for (size_t i = 0; i < n; i++)
		if (ranges[i].length > a->longest)
			a->longest = ranges[i].length;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if (threads < 0 || (size_t)threads > n)
		threads = (int)(n < THREADS_MAX ? n : THREADS_MAX);
	a->n_slots = threads > 1 ? threads : 1;
	while (threads > 1 && a->n_threads < threads) {
		if (pthread_create(&a->threads[a->n_threads], NULL, read_ahead, a) != 0)
			break;
		a->n_threads++;
	}
	*out = a;
	return 0;
}

void readahead_free(struct readahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = 1;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	for (int i = 0; i < a->n_threads; i++)
		pthread_join(a->threads[i], NULL);
	for (int i = 0; i < a->n_slots; i++) {
		free(a->slots[i].mem);
		free(a->slots[i].message);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	free(a);
}

int readahead_next(struct readahead *a, uint8_t **bytes)
{
	struct slot *s;
	int rc;

	if (a->taken == a->n)
		return err_set(ERR_INVALID, "read ahead of the end");
	s = &a->slots[a->taken % (size_t)a->n_slots];
	if (a->n_threads == 0) {
		rc = read_range(a, a->taken++);
		*bytes = s->mem + READAHEAD_FRONT;
		return rc;
	}
	pthread_mutex_lock(&a->lock);
	while (!s->ready)
		pthread_cond_wait(&a->changed, &a->lock);
	s->ready = 0;
	a->taken++;
	rc = s->rc < 0 ? err_set(s->rc, "%s", s->message ? s->message : "out of memory") : 0;
	free(s->message);
	s->message = NULL;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	*bytes = s->mem ? s->mem + READAHEAD_FRONT : NULL;
	return rc;
}
