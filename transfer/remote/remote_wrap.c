/*
 * The wrapper of remotes.  Every operation is a request that is performed in one loop: wait for the
 * rate, ask the inner remote, trace, and decide whether to ask again.  All operations are
 * idempotent by contract, so asking again is always right.
 */
#include "transfer/remote/remote_wrap.h"
#include "lib/base/backoff.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/trace.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WAIT_MS = 30000, HINT_MAX_MS = 120000 };
enum { DEFAULT_RETRIES = 5 };

struct wrap {
	struct remote base;
	struct remote *inner;
	struct remote_wrap_options o;
	pthread_mutex_t lock; /* of the bucket */
	int64_t refilled;     /* ns */
	double tokens;	      /* bytes; negative: owed */
};

enum operation { OP_LIST, OP_SIZE, OP_GET, OP_PUT, OP_REMOVE };
static const char *const operation_names[] = {"list", "size", "get", "put", "remove"};

struct request {
	enum operation op;
	enum remote_class class;
	const struct oid *name;
	uint64_t offset, len;
	void *into;
	uint64_t *size;
	struct remote_put *put;
	enum remote_listing what;
	remote_list_fn *fn;
	void *data;
	int64_t *now;
	int started; /* list: fn was called, so it cannot be asked again */
};

static struct wrap *wrap_of(struct remote *r)
{
	return (struct wrap *)r;
}

/* ---- waiting ---- */

static int wait_ms(const struct wrap *w, uint64_t ms)
{
	return backoff_wait(ms, w->base.context.stop);
}

/* Take `bytes` out of the bucket and wait until it is no longer in debt. */
static int keep_rate(struct wrap *w, uint64_t bytes)
{
	double rate = (double)w->o.bytes_per_second, owed;
	int64_t now = fs_now_ns();

	if (!w->o.bytes_per_second || !bytes)
		return 0;
	pthread_mutex_lock(&w->lock);
	w->tokens += (double)(now - w->refilled) / 1e9 * rate;
	if (w->tokens > rate)
		w->tokens = rate;
	w->refilled = now;
	owed = -w->tokens;
	w->tokens -= (double)bytes;
	pthread_mutex_unlock(&w->lock);
	return owed > 0 ? wait_ms(w, (uint64_t)(owed / rate * 1000)) : 0;
}

static int may_pass(int64_t rc)
{
	return rc == ERR_REMOTE || rc == ERR_IO;
}

/* ---- one request ---- */

static int note_started(const struct remote_entry *e, void *data)
{
	struct request *q = data;

	q->started = 1;
	return q->fn(e, q->data);
}

static int64_t ask(struct wrap *w, struct request *q)
{
	struct remote *r = w->inner;

	switch (q->op) {
	case OP_LIST:
		return r->ops->list(r, q->what, note_started, q, q->now);
	case OP_SIZE:
		return r->ops->size(r, q->class, q->name, q->size);
	case OP_GET:
		return r->ops->get(r, q->class, q->name, q->offset, q->into, q->len);
	case OP_PUT:
		return r->ops->put_commit(r, q->put, q->name, q->len);
	case OP_REMOVE:
		return r->ops->remove(r, q->class, q->name);
	}
	return ERR_INVALID;
}

static void trace(const struct wrap *w, const struct request *q, int64_t rc, int64_t began)
{
	struct buf line = BUF_INIT;
	int bad;

	if (w->o.trace_fd < 0)
		return;
	bad = trace_begin(&line);
	bad |= buf_addf(&line, "%s ", operation_names[q->op]);
	if (q->op == OP_LIST)
		bad |= buf_addstr(&line, remote_listing_folder(q->what));
	else
		bad |= remote_blob_path(&line, q->class, q->name);
	if (q->op == OP_GET || q->op == OP_PUT)
		bad |= buf_addf(&line, " %llu+%llu", (unsigned long long)q->offset,
			(unsigned long long)q->len);
	if (!bad)
		trace_end(w->o.trace_fd, &line, rc, began);
	buf_release(&line);
}

static int64_t perform(struct wrap *w, struct request *q)
{
	int64_t rc;

	for (int attempt = 0;; attempt++) {
		int64_t began;
		uint64_t wait;

		rc = remote_check_stop(&w->base);
		if (rc == 0 && (q->op == OP_GET || q->op == OP_PUT))
			rc = keep_rate(w, q->len);
		if (rc < 0)
			return rc;
		remote_take_retry_hint();
		began = fs_now_ns();
		rc = ask(w, q);
		trace(w, q, rc, began);
		if (!may_pass(rc) || q->started || attempt + 1 >= w->o.attempts)
			break;
		wait = remote_take_retry_hint();
		if (!wait)
			wait = backoff_ms((unsigned)attempt, LONGEST_WAIT_MS);
		rc = wait_ms(w, wait < HINT_MAX_MS ? wait : HINT_MAX_MS);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* ---- the operations ---- */

static int wrap_list(
	struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data, int64_t *now)
{
	struct request q = {.op = OP_LIST, .what = what, .fn = fn, .data = data, .now = now};

	return (int)perform(wrap_of(r), &q);
}

static int wrap_size(struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size)
{
	struct request q = {.op = OP_SIZE, .class = c, .name = name, .size = size};

	return (int)perform(wrap_of(r), &q);
}

static ssize_t wrap_get(struct remote *r, enum remote_class c, const struct oid *name,
	uint64_t offset, void *into, size_t len)
{
	struct request q = {
		.op = OP_GET, .class = c, .name = name, .offset = offset, .into = into, .len = len};

	return (ssize_t)perform(wrap_of(r), &q);
}

static int wrap_put_begin(struct remote *r, enum remote_class c, struct remote_put **out)
{
	struct remote *inner = wrap_of(r)->inner;

	return inner->ops->put_begin(inner, c, out);
}

static int wrap_put_commit(
	struct remote *r, struct remote_put *p, const struct oid *name, uint64_t size)
{
	struct request q = {.op = OP_PUT, .class = p->class, .name = name, .put = p, .len = size};

	return (int)perform(wrap_of(r), &q);
}

static void wrap_put_free(struct remote_put *p)
{
	if (p)
		p->remote->ops->put_free(p);
}

static int wrap_remove(struct remote *r, enum remote_class c, const struct oid *name)
{
	struct request q = {.op = OP_REMOVE, .class = c, .name = name};

	return (int)perform(wrap_of(r), &q);
}

static int wrap_describe(
	struct remote *r, enum remote_class c, const struct oid *name, struct buf *out)
{
	struct remote *inner = wrap_of(r)->inner;

	return inner->ops->describe(inner, c, name, out);
}

static int wrap_probe(struct remote *r, struct buf *report)
{
	struct remote *inner = wrap_of(r)->inner;

	return inner->ops->probe ? inner->ops->probe(inner, report) : 0;
}

static void wrap_close(struct remote *r)
{
	struct wrap *w = wrap_of(r);

	remote_close(w->inner);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static const struct remote_ops wrap_ops = {
	.kind = "wrapped",
	.list = wrap_list,
	.size = wrap_size,
	.get = wrap_get,
	.put_begin = wrap_put_begin,
	.put_commit = wrap_put_commit,
	.put_free = wrap_put_free,
	.remove = wrap_remove,
	.describe = wrap_describe,
	.probe = wrap_probe,
	.close = wrap_close,
};

int remote_wrap(struct remote **out, struct remote *inner, const struct remote_wrap_options *o)
{
	struct wrap *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (!w) {
		remote_close(inner);
		return err_set(ERR_NOMEM, "out of memory");
	}
	pthread_mutex_init(&w->lock, NULL);
	w->inner = inner;
	w->o = *o;
	w->refilled = fs_now_ns();
	w->tokens = (double)o->bytes_per_second;
	w->base.ops = &wrap_ops;
	w->base.context = inner->context;
	w->base.parallel = inner->parallel;
	w->base.near = inner->near;
	w->base.name = strdup(inner->name);
	w->base.url = strdup(inner->url);
	if (!w->base.name || !w->base.url) {
		remote_close(&w->base);
		return err_set(ERR_NOMEM, "out of memory");
	}
	*out = &w->base;
	return 0;
}

int remote_wrap_configured(struct remote **out, struct remote *inner)
{
	const struct config *c = inner->context.config;
	struct remote_wrap_options o = {.attempts = 1 + DEFAULT_RETRIES};
	int64_t retries = c ? config_int(c, "dvx.retries", DEFAULT_RETRIES) : DEFAULT_RETRIES;
	int64_t rate = c ? config_int(c, "dvx.limitrate", 0) : 0;

	o.trace_fd = trace_fd();
	if (retries >= 0 && retries <= 100)
		o.attempts = 1 + (int)retries;
	if (inner->near) /* a disk that said no says it again */
		o.attempts = 1;
	if (rate > 0)
		o.bytes_per_second = (uint64_t)rate;
	return remote_wrap(out, inner, &o);
}
