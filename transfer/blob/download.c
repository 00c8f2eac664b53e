/*
 * Downloading from a blob store: every object's extents are known from the fragments; small objects
 * that lie near each other are read in one go, large ones are streamed, several jobs at a time.  An
 * object that fails is tried from every other fragment that names it before its first failure is
 * reported.
 */
#include "transfer/blob/blobstore.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"
#include "transfer/blob/deliver.h"
#include "transfer/blob/extentreader.h"
#include "transfer/blob/plan.h"
#include "transfer/blob/resume.h"

#include <stdlib.h>
#include <string.h>

enum {
	RUN_OBJECT_MAX = 4 * 1024 * 1024, /* longer extents are streamed */
	RUN_GAP = 64 * 1024,
	RUN_MAX = 8 * 1024 * 1024
};

struct download {
	struct blobstore *blobstore;
	struct transfer_object *objects;
	struct blob_hit *hits; /* sorted by object */
	size_t n_hits;
	struct plan_item *items; /* tag: number of the hit */
	struct plan_run *runs;
	size_t n_runs;
	size_t *large; /* numbers of hits */
	size_t n_large;
	size_t n_items;
	int ahead;    /* ranges of a large object to read at once */
	int last;     /* there will be no second round */
	int deferred; /* objects failed that a second round may find elsewhere */
};

static int deliver_piece(const void *p, size_t len, void *data)
{
	struct deliver *out = data;

	engine_progress(out->engine, len);
	return deliver_data(out, p, len);
}

/* The bytes of an attempt that failed do not count as done; those of one that was stopped stay. */
static void take_back_progress(const struct deliver *out, int rc)
{
	if (rc < 0 && rc != ERR_INTERRUPTED)
		engine_progress(out->engine, 0 - out->size);
}

static int check_only(const void *p, size_t len, void *data)
{
	(void)p;
	(void)len;
	(void)data;
	return 0;
}

/* ERR_CORRUPT of a whole object: find the entry that is bad, so that the message can name its pack.
 */
static int find_damage(struct extent_reader *r, const struct blob_hit *h)
{
	char hex[OID_HEX_LEN + 1];
	int rc = extent_reader_stream(r, h, &(struct extent_place){0, 0}, 1, check_only, NULL);

	if (rc < 0)
		return rc;
	oid_to_hex(hex, &h->in->name);
	return err_set(ERR_CORRUPT, "fragment %s does not describe the object", hex);
}

/* Bytes of packs that the object lies in. */
static uint64_t hit_bytes(const struct blob_hit *h)
{
	struct fragment_extent x;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < h->at.n_extents; i++) {
		fragment_extent_at(&h->at, i, &x);
		bytes += x.length;
	}
	return bytes;
}

/* One attempt, from where an earlier one ended.  *again: that one's bytes were bad, and are gone.
 */
static int stream_once(struct download *d, struct extent_reader *r, const struct blob_hit *h,
	uint64_t *travelled, int *again)
{
	struct resume_point p = {.bytes = 0};
	struct deliver out;
	uint64_t have;
	int rc = deliver_resume(&out, d->blobstore->engine, &d->objects[h->object], &have);

	*again = 0;
	if (rc == 0 && have)
		rc = resume_find(d->blobstore, h, have, &p);
	if (rc == 0 && have)
		rc = deliver_keep(&out, p.bytes);
	engine_progress(d->blobstore->engine, out.size);
	if (rc == 0)
		rc = extent_reader_stream(r, h, &p.at, 0, deliver_piece, &out);
	if (rc == 0) {
		rc = deliver_finish(&out);
		*again = rc == ERR_CORRUPT && p.bytes;
		if (rc == ERR_CORRUPT && !p.bytes)
			rc = find_damage(r, h);
	}
	take_back_progress(&out, rc);
	deliver_abort(&out);
	*travelled = hit_bytes(h) - p.stored;
	return rc;
}

/* *travelled: bytes that were read for it. */
static int stream_object(
	struct download *d, struct extent_reader *r, const struct blob_hit *h, uint64_t *travelled)
{
	int again;
	int rc = stream_once(d, r, h, travelled, &again);

	return rc < 0 && again ? stream_once(d, r, h, travelled, &again) : rc;
}

static void answer_ok(struct download *d, const struct blob_hit *h, uint64_t travelled)
{
	engine_answer(d->blobstore->engine, &d->objects[h->object], TRANSFER_OK, travelled);
}

/* May another copy of the object help against this failure? */
static int is_remote_fault(int rc)
{
	return rc == ERR_CORRUPT || rc == ERR_NOTFOUND || rc == ERR_REMOTE || rc == ERR_UNSUPPORTED;
}

/* The remote as a whole does not answer, after all attempts, or does not let us in: asking for the
 * next object would take as long and end the same. */
static int is_unreachable(int rc)
{
	return rc == ERR_REMOTE || rc == ERR_DENIED;
}

/* Fragments that were left aside since they are under notice. */
static int has_unread(const struct blobstore *b)
{
	for (size_t i = 0; i < b->n_fragments; i++) {
		if (!b->fragments[i].tried)
			return 1;
	}
	return 0;
}

static void answer_failed(struct download *d, const struct blob_hit *h, int rc)
{
	struct engine *e = d->blobstore->engine;
	struct transfer_object *o = &d->objects[h->object];
	struct buf who = BUF_INIT;

	if (!d->last && (rc == ERR_NOTFOUND || (is_remote_fault(rc) && has_unread(d->blobstore)))) {
		__atomic_store_n(&d->deferred, 1, __ATOMIC_RELAXED);
		return;
	}
	if (rc == ERR_NOTFOUND) /* the object is known; that its pack is gone is damage */
		rc = err_set(ERR_CORRUPT, "a pack that it lies in is missing: %s", err_msg());
	if (engine_describe(o, &who) == 0)
		rc = err_prefix(
			rc, "cannot fetch object %s from remote '%s'", who.p, e->spec->name);
	engine_answer(e, o, rc, 0);
	buf_release(&who);
}

/* The object of hit `i` failed with `rc`: try the hits behind it, then answer. */
static int try_others(struct download *d, struct extent_reader *r, size_t i, int rc)
{
	const struct blob_hit *first = &d->hits[i];
	uint64_t travelled;
	char *message;

	if (rc == ERR_INTERRUPTED)
		return rc;
	message = strdup(err_msg());
	for (size_t k = i + 1; is_remote_fault(rc) && k < d->n_hits; k++) {
		if (d->hits[k].object != first->object)
			break;
		if (stream_object(d, r, &d->hits[k], &travelled) == 0) {
			answer_ok(d, &d->hits[k], travelled);
			free(message);
			return 0;
		}
	}
	err_set(rc, "%s", message ? message : "out of memory");
	free(message);
	if (is_unreachable(rc) && (d->last || !has_unread(d->blobstore)))
		return err_prefix(
			rc, "cannot fetch from remote '%s'", d->blobstore->engine->spec->name);
	answer_failed(d, first, rc);
	return 0;
}

static int fetch_large(struct download *d, struct extent_reader *r, size_t hit)
{
	uint64_t travelled;
	int rc = stream_object(d, r, &d->hits[hit], &travelled);

	if (rc < 0)
		return try_others(d, r, hit, rc);
	answer_ok(d, &d->hits[hit], travelled);
	return 0;
}

/* One object out of a run's bytes. */
static int take_item(struct download *d, struct extent_reader *r, const struct plan_item *item,
	const uint8_t *bytes)
{
	const struct blob_hit *h = &d->hits[item->tag];
	struct deliver out;
	int rc = deliver_begin(&out, d->blobstore->engine, &d->objects[h->object]);

	if (rc == 0)
		rc = extent_reader_decode(
			r, &item->pack, item->offset, bytes, item->length, 0, deliver_piece, &out);
	if (rc == 0)
		rc = deliver_finish(&out);
	take_back_progress(&out, rc);
	deliver_abort(&out);
	return rc;
}

/* Nothing of the run came, for a reason (at hand) that holds for each of its objects. */
static int fail_run(
	struct download *d, struct extent_reader *r, const struct plan_run *run, int why)
{
	char *message = strdup(err_msg());
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < run->n; i++) {
		err_set(why, "%s", message ? message : "out of memory");
		rc = try_others(d, r, d->items[run->first + i].tag, why);
	}
	free(message);
	return rc;
}

static int fetch_run(struct download *d, struct extent_reader *r, const struct plan_run *run)
{
	const struct plan_item *items = &d->items[run->first];
	const uint8_t *bytes;
	int rc = 0;
	int read = extent_reader_range(r, &items[0].pack, run->offset, run->length, &bytes);

	if (read < 0 && read != ERR_CORRUPT)
		return fail_run(d, r, run, read);
	for (size_t i = 0; rc == 0 && i < run->n; i++) {
		int one = engine_check_stop(d->blobstore->engine);

		if (one == 0 && read == 0)
			one = take_item(d, r, &items[i], bytes + (items[i].offset - run->offset));
		if (one == 0 && read == 0) {
			answer_ok(d, &d->hits[items[i].tag], items[i].length);
			continue;
		}
		if (one < 0 && one != ERR_CORRUPT) {
			rc = try_others(d, r, items[i].tag, one);
			continue;
		}
		/* The run could not be read (a truncated pack), or this object is damaged: alone,
		 * and with a message of its own.  That uses the reader's window, so the run is read
		 * again. */
		rc = fetch_large(d, r, items[i].tag);
		if (rc == 0 && read == 0)
			read = extent_reader_range(
				r, &items[0].pack, run->offset, run->length, &bytes);
	}
	return rc;
}

/* A few large objects at a time, each with as many ranges ahead as make up the parallelism that is
 * wanted: hashing and writing them keeps a CPU busy. */
static int fetch_large_job(size_t i, void *data)
{
	struct download *d = data;
	struct extent_reader *r = NULL;
	int rc = engine_check_stop(d->blobstore->engine);

	if (rc == 0)
		rc = extent_reader_new(&r, d->blobstore, d->ahead);
	if (rc == 0)
		rc = fetch_large(d, r, d->large[i]);
	extent_reader_free(r);
	return rc;
}

static int fetch_run_job(size_t i, void *data)
{
	struct download *d = data;
	struct extent_reader *r = NULL;
	int rc = engine_check_stop(d->blobstore->engine);

	if (rc == 0)
		rc = extent_reader_new(&r, d->blobstore, 1);
	if (rc == 0)
		rc = fetch_run(d, r, &d->runs[i]);
	extent_reader_free(r);
	return rc;
}

static int fetch_all(struct download *d)
{
	int parallel = blobstore_parallel(d->blobstore), large = engine_jobs(d->blobstore->engine);
	int rc;

	if (large > parallel)
		large = parallel;
	if ((size_t)large > d->n_large)
		large = d->n_large ? (int)d->n_large : 1;
	d->ahead = parallel / large;
	rc = workers_run(large, d->n_large, fetch_large_job, d);
	return rc < 0 ? rc : workers_run(parallel, d->n_runs, fetch_run_job, d);
}

/* The first hit of each object becomes an item of a run, or a large job. */
static void sort_hits(struct download *d)
{
	for (size_t i = 0; i < d->n_hits; i++) {
		const struct blob_hit *h = &d->hits[i];
		struct fragment_extent x;
		struct plan_item *item;
		uint64_t size;

		if (i && d->hits[i - 1].object == h->object)
			continue;
		fragment_extent_at(&h->at, 0, &x);
		if (h->at.n_extents != 1 || x.length > RUN_OBJECT_MAX) {
			d->large[d->n_large++] = i;
			continue;
		}
		item = &d->items[d->n_items++];
		item->offset = x.offset;
		item->length = x.length;
		item->tag = i;
		fragment_pack_at(h->in->fragment, x.pack, &item->pack, &size);
	}
}

static int plan(struct download *d)
{
	size_t room = d->n_hits ? d->n_hits : 1;

	d->items = calloc(room, sizeof(*d->items));
	d->runs = calloc(room, sizeof(*d->runs));
	d->large = calloc(room, sizeof(*d->large));
	if (!d->items || !d->runs || !d->large)
		return err_set(ERR_NOMEM, "out of memory");
	sort_hits(d);
	d->n_runs = plan_runs(d->items, d->n_items, RUN_GAP, RUN_MAX, d->runs);
	return 0;
}

/* A dry run moves nothing: what could be fetched is said to be. */
static void answer_dry(struct download *d)
{
	for (size_t i = 0; i < d->n_hits; i++) {
		if (i == 0 || d->hits[i - 1].object != d->hits[i].object)
			engine_answer(d->blobstore->engine, &d->objects[d->hits[i].object],
				TRANSFER_OK, 0);
	}
}

/* Whoever asked without a size gets what the fragments say. */
static void adopt_sizes(const struct blobstore *b, struct transfer_object *objects, size_t n)
{
	struct blob_hit hit;

	for (size_t i = 0; i < n; i++) {
		if (objects[i].state == TRANSFER_OPEN && objects[i].size == STORE_SIZE_UNKNOWN &&
			blobstore_find(b, &objects[i].oid, &hit))
			objects[i].size = hit.at.size;
	}
}

/* Answer what the fragments at hand name.  With *again (NULL: this is the last round) objects stay
 * open that others may help with. */
static int download_round(
	struct blobstore *b, struct transfer_object *objects, size_t n, int *again)
{
	struct download d = {.blobstore = b, .objects = objects, .last = !again};
	int rc;

	adopt_sizes(b, objects, n);
	rc = blobstore_locate(b, objects, n, &d.hits, &d.n_hits);
	if (rc == 0 && b->engine->dry_run)
		answer_dry(&d);
	else if (rc == 0)
		rc = plan(&d);
	if (rc == 0 && !b->engine->dry_run)
		rc = fetch_all(&d);
	if (again)
		*again |= d.deferred;
	free(d.hits);
	free(d.items);
	free(d.runs);
	free(d.large);
	return rc;
}

static int any_open(const struct transfer_object *objects, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (objects[i].state == TRANSFER_OPEN)
			return 1;
	}
	return 0;
}

static int download_all(struct blobstore *b, struct transfer_object *objects, size_t n, int *again)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i += BLOBSTORE_AT_ONCE)
		rc = download_round(b, objects + i,
			n - i < BLOBSTORE_AT_ONCE ? n - i : BLOBSTORE_AT_ONCE, again);
	return rc;
}

int blobstore_download_known(struct blobstore *b, struct transfer_object *objects, size_t n)
{
	int again = 0;

	return download_all(b, objects, n, &again);
}

/* The second round is for what a gc moved meanwhile, and for what is left under notice alone. */
int blobstore_download(struct blobstore *b, struct transfer_object *objects, size_t n)
{
	int again = 0;
	int rc = blobstore_load(b);

	if (rc == 0)
		rc = download_all(b, objects, n, &again);
	if (rc < 0 || !any_open(objects, n))
		return rc;
	if (!again && b->n_gone == 0 && !has_unread(b))
		return 0;
	rc = blobstore_load_again(b);
	return rc < 0 ? rc : download_all(b, objects, n, NULL);
}
