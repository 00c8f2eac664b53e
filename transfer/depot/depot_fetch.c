/*
 * From the store to the cache.  Who wants an object puts it into a queue; a few threads take from
 * it: all small objects at once, after a moment in which more may come, so that they are read in as
 * few requests as possible; large ones by themselves, readable while they grow.  What was only
 * foretold comes after what somebody waits for, and is dropped when there is too much of it.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/depot/depot_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	THREADS = 4,
	LARGE_MAX = 3, /* at once: one thread is always there for small ones */
	GATHER_MS = 3,
	SMALL = 4 * 1024 * 1024, /* is fetched together with others */
	RUN_OBJECTS = 2000,
	FORETOLD_MAX = 20 * 1000, /* in the queue */
	BUCKETS = 4096
};
static const uint64_t run_bytes = (uint64_t)256 * 1024 * 1024;
static const uint64_t foretold_bytes_max = (uint64_t)1024 * 1024 * 1024;

struct fetcher {
	struct depot *depot;
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	struct fetch *buckets[BUCKETS]; /* those that have not ended */
	struct fetch *first, **last;	/* the queue, linked by `after` */
	size_t foretold;		/* in the queue */
	uint64_t foretold_bytes;
	int large;     /* large ones that are being fetched */
	int gathering; /* a thread waits for more */
	int closing;
	pthread_t threads[THREADS];
	int n_threads;
};

/* What one run of the engine fetches. */
struct batch {
	struct fetcher *fetcher;
	struct transfer_object *objects;
	struct fetch **fetches; /* beside the objects */
	size_t n;
	int large;
};

/* ---- one fetch; under the lock ---- */

static struct fetch **bucket_of(struct fetcher *f, const struct oid *oid)
{
	return &f->buckets[be16_get(oid->id) % BUCKETS];
}

static struct fetch *lookup(struct fetcher *f, const struct oid *oid)
{
	struct fetch *x = *bucket_of(f, oid);

	while (x && !oid_eq(&x->oid, oid))
		x = x->next;
	return x;
}

static void forget(struct fetcher *f, struct fetch *x)
{
	struct fetch **p = bucket_of(f, &x->oid);

	while (*p && *p != x)
		p = &(*p)->next;
	if (*p)
		*p = x->next;
}

static void unref(struct fetch *x)
{
	if (--x->refs)
		return;
	if (x->fd >= 0)
		close(x->fd);
	pthread_cond_destroy(&x->moved);
	free(x->message);
	free(x);
}

static void end(struct fetch *x, int rc)
{
	struct fetcher *f = x->fetcher;

	forget(f, x);
	x->ended = 1;
	x->running = 0;
	x->rc = rc;
	if (rc < 0)
		x->message = strdup(err_msg());
	else
		x->have = x->size;
	pthread_cond_broadcast(&x->moved);
	unref(x);
}

/* ---- watching it grow ---- */

static void begun(struct transfer_watch *w, int fd)
{
	struct fetch *x = (struct fetch *)w;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	pthread_mutex_lock(&x->fetcher->lock);
	if (x->fd >= 0)
		close(x->fd);
	x->fd = copy;
	x->have = 0;
	x->attempt++;
	pthread_mutex_unlock(&x->fetcher->lock);
}

static void grown(struct transfer_watch *w, uint64_t size)
{
	struct fetch *x = (struct fetch *)w;

	pthread_mutex_lock(&x->fetcher->lock);
	x->have = size;
	pthread_cond_broadcast(&x->moved);
	pthread_mutex_unlock(&x->fetcher->lock);
}

/* Bytes from the start that may be given out: the last one only when all of them were checked. */
static uint64_t allowed(const struct fetch *x)
{
	return x->ended || x->have < x->size ? x->have : x->size - 1;
}

int64_t fetch_wait(struct fetch *x, uint64_t offset, unsigned *attempt, int *fd)
{
	struct fetcher *f = x->fetcher;
	int64_t rc;

	pthread_mutex_lock(&f->lock);
	while (!x->ended && allowed(x) <= offset)
		pthread_cond_wait(&x->moved, &f->lock);
	rc = (int64_t)allowed(x);
	if (x->ended && x->rc < 0)
		rc = err_set(x->rc, "%s", x->message ? x->message : "out of memory");
	if (rc >= 0 && *attempt != x->attempt) {
		*attempt = x->attempt;
		*fd = x->fd < 0 ? -1 : fcntl(x->fd, F_DUPFD_CLOEXEC, 0);
		if (*fd < 0)
			rc = err_sys("cannot open an object's file again");
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

void fetch_unref(struct fetch *x)
{
	struct fetcher *f = x->fetcher;

	pthread_mutex_lock(&f->lock);
	unref(x);
	pthread_mutex_unlock(&f->lock);
}

/* ---- the queue; under the lock ---- */

static void enqueue(struct fetcher *f, struct fetch *x)
{
	x->after = NULL;
	*f->last = x;
	f->last = &x->after;
	if (!x->asked) {
		f->foretold++;
		f->foretold_bytes += x->size;
	}
}

/* Somebody waits for what was foretold. */
static void ask(struct fetcher *f, struct fetch *x)
{
	if (!x->asked && !x->running) {
		f->foretold--;
		f->foretold_bytes -= x->size;
	}
	x->asked = 1;
}

static int any(const struct fetcher *f, int asked, int small)
{
	for (const struct fetch *x = f->first; x; x = x->after) {
		if ((!asked || x->asked) && (x->size <= SMALL) == small)
			return 1;
	}
	return 0;
}

static int has_work(const struct fetcher *f)
{
	return any(f, 0, 1) || (f->large < LARGE_MAX && any(f, 0, 0));
}

static int add_to_batch(struct batch *b, struct fetch *x, size_t *cap)
{
	if (b->n == *cap) {
		size_t more = *cap ? *cap * 2 : 16;
		struct transfer_object *objects = reallocarray(b->objects, more, sizeof(*objects));
		struct fetch **fetches;

		if (objects)
			b->objects = objects;
		fetches = objects ? reallocarray(b->fetches, more, sizeof(*fetches)) : NULL;
		if (!fetches)
			return err_set(ERR_NOMEM, "out of memory");
		b->fetches = fetches;
		*cap = more;
	}
	b->objects[b->n] = (struct transfer_object){
		.oid = x->oid, .size = x->size, .to_file = 1, .watch = &x->watch};
	b->fetches[b->n++] = x;
	x->running = 1;
	return 0;
}

/* Move from the queue to the batch: those asked for (or all), small or large, up to `max`. */
static void take(struct fetcher *f, struct batch *b, size_t *cap, int asked, int small, size_t max)
{
	struct fetch **p = &f->first;
	uint64_t bytes = 0;

	for (size_t i = 0; i < b->n; i++)
		bytes += b->objects[i].size;
	while (*p && b->n < max && bytes <= run_bytes) {
		struct fetch *x = *p;

		if ((asked && !x->asked) || (x->size <= SMALL) != small) {
			p = &x->after;
			continue;
		}
		*p = x->after;
		if (f->last == &x->after)
			f->last = p;
		if (!x->asked) {
			f->foretold--;
			f->foretold_bytes -= x->size;
		}
		bytes += x->size;
		if (add_to_batch(b, x, cap) < 0)
			end(x, ERR_NOMEM);
	}
}

/* Small ones that somebody waits for, and with them what was foretold; or a large one. */
static void take_batch(struct fetcher *f, struct batch *b)
{
	size_t cap = 0;

	if (any(f, 1, 1) || f->large == LARGE_MAX || !any(f, 0, 0)) {
		take(f, b, &cap, 1, 1, RUN_OBJECTS);
		take(f, b, &cap, 0, 1, RUN_OBJECTS);
	} else {
		take(f, b, &cap, 0, 0, 1);
		b->large = 1;
		f->large++;
	}
}

/* ---- threads ---- */

static int answer(struct transfer_object *o, uint64_t bytes, void *data)
{
	struct batch *b = data;
	struct fetch *x = b->fetches[o - b->objects];
	struct depot *d = b->fetcher->depot;

	(void)bytes;
	if (o->state > 0)
		depot_cache_take(d->cache, &o->oid, o->size, o->file);
	pthread_mutex_lock(&b->fetcher->lock);
	end(x, o->state < 0 ? o->state : 0);
	pthread_mutex_unlock(&b->fetcher->lock);
	return 0;
}

static void warn(const char *message, void *data)
{
	struct batch *b = data;
	struct depot *d = b->fetcher->depot;

	if (d->warn)
		d->warn(message, d->data);
}

static void fetch_batch(struct batch *b)
{
	struct engine e;
	int rc;

	depot_engine(b->fetcher->depot, &e);
	e.answer = answer;
	e.warn = warn;
	e.data = b;
	rc = engine_run(&e, ENGINE_DOWNLOAD, b->objects, b->n);
	pthread_mutex_lock(&b->fetcher->lock);
	for (size_t i = 0; i < b->n; i++) {
		if (b->objects[i].state == TRANSFER_OPEN)
			end(b->fetches[i], rc < 0 ? rc : ERR_REMOTE);
	}
	pthread_mutex_unlock(&b->fetcher->lock);
	for (size_t i = 0; i < b->n; i++)
		transfer_object_release(&b->objects[i]);
	engine_release(&e);
}

/* Under the lock: more may come in a moment. */
static void gather(struct fetcher *f)
{
	const struct timespec moment = {0, GATHER_MS * 1000000L};

	f->gathering = 1;
	pthread_mutex_unlock(&f->lock);
	nanosleep(&moment, NULL);
	pthread_mutex_lock(&f->lock);
	f->gathering = 0;
}

static void *work(void *data)
{
	struct fetcher *f = data;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		struct batch b = {.fetcher = f};

		while (!f->closing && (f->gathering || !has_work(f)))
			pthread_cond_wait(&f->wanted, &f->lock);
		if (f->closing)
			break;
		gather(f);
		take_batch(f, &b);
		pthread_cond_broadcast(&f->wanted); /* others may take what is left */
		pthread_mutex_unlock(&f->lock);
		if (b.n)
			fetch_batch(&b);
		free(b.objects);
		free(b.fetches);
		pthread_mutex_lock(&f->lock);
		f->large -= b.large;
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* ---- outside ---- */

int fetcher_new(struct fetcher **out, struct depot *d)
{
	struct fetcher *f = calloc(1, sizeof(*f));

	*out = f;
	if (!f)
		return err_set(ERR_NOMEM, "out of memory");
	f->depot = d;
	f->last = &f->first;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wanted, NULL);
	return 0;
}

/* Under the lock: the threads are started with the first object that is wanted. */
static int start(struct fetcher *f)
{
	while (f->n_threads < THREADS) {
		if (pthread_create(&f->threads[f->n_threads], NULL, work, f) != 0)
			break;
		f->n_threads++;
	}
	return f->n_threads ? 0 : err_set(ERR_NOMEM, "cannot start a thread");
}

void fetcher_free(struct fetcher *f)
{
	struct fetch *x;

	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->closing = 1;
	pthread_cond_broadcast(&f->wanted);
	pthread_mutex_unlock(&f->lock);
	for (int i = 0; i < f->n_threads; i++)
		pthread_join(f->threads[i], NULL);
	pthread_mutex_lock(&f->lock);
	while ((x = f->first)) {
		f->first = x->after;
		end(x, err_set(ERR_INTERRUPTED, "interrupted"));
	}
	pthread_mutex_unlock(&f->lock);
	pthread_cond_destroy(&f->wanted);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int fetcher_join(struct fetcher *f, const struct oid *oid, struct fetch **out)
{
	struct fetch *x;

	pthread_mutex_lock(&f->lock);
	x = lookup(f, oid);
	if (x) {
		ask(f, x);
		x->refs++;
	}
	pthread_mutex_unlock(&f->lock);
	*out = x;
	return x != NULL;
}

static struct fetch *fetch_new(struct fetcher *f, const struct oid *oid, uint64_t size, int asked)
{
	struct fetch *x = calloc(1, sizeof(*x));
	struct fetch **bucket = bucket_of(f, oid);

	if (!x)
		return NULL;
	x->watch = (struct transfer_watch){begun, grown};
	x->fetcher = f;
	x->oid = *oid;
	x->size = size;
	x->asked = asked;
	x->refs = 1;
	x->fd = -1;
	pthread_cond_init(&x->moved, NULL);
	x->next = *bucket;
	*bucket = x;
	return x;
}

static int is_too_much(const struct fetcher *f, uint64_t size)
{
	return size > SMALL || f->foretold >= FORETOLD_MAX ||
	       f->foretold_bytes + size > foretold_bytes_max;
}

/* Under the lock. */
static int want(
	struct fetcher *f, const struct oid *oid, uint64_t size, int asked, struct fetch **out)
{
	struct fetch *x = lookup(f, oid);
	int rc = start(f);

	if (rc < 0 || (!x && !asked && is_too_much(f, size)))
		return rc;
	if (x) {
		if (asked)
			ask(f, x);
	} else {
		x = fetch_new(f, oid, size, asked);
		if (!x)
			return err_set(ERR_NOMEM, "out of memory");
		enqueue(f, x);
		pthread_cond_signal(&f->wanted);
	}
	if (out) {
		x->refs++;
		*out = x;
	}
	return 0;
}

int fetcher_want(
	struct fetcher *f, const struct oid *oid, uint64_t size, int asked, struct fetch **out)
{
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = want(f, oid, size, asked, out);
	pthread_mutex_unlock(&f->lock);
	return rc;
}
