/*
 * Uploading to a blob store, as a pipeline of three threads over recycled blocks of bytes: one
 * reads objects and verifies them, one cuts large ones into chunks and hashes these, one (the
 * caller's) deduplicates, packs and commits.  Each has about one SHA-256 of all bytes to do, which
 * is what limits a push to a local disk.
 */
#include "transfer/blob/blobstore.h"
#include "lib/base/err.h"
#include "transfer/blob/basechunks.h"
#include "transfer/blob/cutter.h"
#include "transfer/blob/packer.h"
#include "transfer/blob/queue.h"
#include "transfer/blob/upsource.h"
#include "transfer/gc/tidy.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_DATA = 2 * 1024 * 1024, BLOCK_SMALL_ITEMS = 4096, BLOCKS = 8 };

_Static_assert(3 * ((BLOCK_DATA + CUTTER_AHEAD) / CHUNK_MIN + 1) <= BLOCK_SMALL_ITEMS,
	"a block has room for all chunks that may end in it");

/* One chunk, or one small object. */
struct item {
	size_t offset, len;
	struct oid id;
	struct transfer_object *object; /* small objects */
};

/* A piece of one large object, or several small objects.  `mem` has room for the rest of the block
 * before, which is put in front. */
struct block {
	uint8_t *mem;
	size_t start, len;
	struct item items[BLOCK_SMALL_ITEMS];
	size_t n_items;
	struct transfer_object *object; /* the large one; NULL: small ones */
	int first, last;
	int bad; /* last: the object failed its check, or could not be read */
};

struct pipeline {
	struct blobstore *blobstore;
	struct transfer_object *objects;
	size_t n;
	struct block blocks[BLOCKS];
	struct queue *empty, *read, *cut;
	struct block *filling;	 /* the reader's */
	struct cutting *cutting; /* the cutter's */
	int aborted;		 /* the packer failed: the reader may leave */
	int rc;			 /* the reader's failure */
	char *message;
};

/* ---- thread 1: read and verify ---- */

static int reader_check(struct pipeline *p)
{
	if (__atomic_load_n(&p->aborted, __ATOMIC_RELAXED))
		return err_set(ERR_INTERRUPTED, "interrupted");
	return engine_check_stop(p->blobstore->engine);
}

static int next_block(struct pipeline *p, struct transfer_object *o)
{
	struct block *b = queue_pop(p->empty);

	if (!b)
		return err_set(ERR_INTERRUPTED, "interrupted");
	b->start = CUTTER_AHEAD;
	b->len = 0;
	b->n_items = 0;
	b->object = o;
	b->first = b->last = b->bad = 0;
	p->filling = b;
	return 0;
}

static void pass_on(struct pipeline *p)
{
	if (p->filling)
		queue_push(p->read, p->filling);
	p->filling = NULL;
}

static int take_piece(const void *data, size_t len, void *arg)
{
	struct pipeline *p = arg;
	const uint8_t *from = data;
	int rc = reader_check(p);

	while (rc == 0 && len) {
		struct block *b = p->filling;
		size_t n = BLOCK_DATA - b->len;

		if (n == 0) {
			pass_on(p);
			rc = next_block(p, b->object);
			continue;
		}
		n = n < len ? n : len;
		memcpy(b->mem + b->start + b->len, from, n);
		b->len += n;
		from += n;
		len -= n;
	}
	return rc;
}

/* An object that cannot be sent is answered here; only a reason to stop is returned. */
static int object_failed(struct pipeline *p, struct transfer_object *o, int rc)
{
	if (rc == ERR_INTERRUPTED || rc == ERR_NOMEM)
		return rc;
	engine_answer(p->blobstore->engine, o, rc, 0);
	return 0;
}

static int read_large(struct pipeline *p, struct transfer_object *o)
{
	int rc;

	pass_on(p);
	rc = next_block(p, o);
	if (rc < 0)
		return rc;
	p->filling->first = 1;
	rc = upsource_stream(p->blobstore->engine, o, take_piece, p);
	if (!p->filling)
		return rc;
	p->filling->last = 1;
	p->filling->bad = rc < 0;
	pass_on(p);
	return rc < 0 ? object_failed(p, o, rc) : 0;
}

static int read_small(struct pipeline *p, struct transfer_object *o, struct buf *bytes)
{
	struct block *b;
	int rc;

	buf_reset(bytes);
	rc = upsource_read(p->blobstore->engine, o, bytes);
	if (rc < 0)
		return object_failed(p, o, rc);
	if (p->filling && (p->filling->n_items == BLOCK_SMALL_ITEMS ||
				  BLOCK_DATA - p->filling->len < bytes->len))
		pass_on(p);
	if (!p->filling) {
		rc = next_block(p, NULL);
		if (rc < 0)
			return rc;
	}
	b = p->filling;
	b->items[b->n_items++] = (struct item){
		.offset = b->start + b->len, .len = bytes->len, .id = o->oid, .object = o};
	memcpy(b->mem + b->start + b->len, bytes->p, bytes->len);
	b->len += bytes->len;
	return 0;
}

static void *read_objects(void *arg)
{
	struct pipeline *p = arg;
	struct buf bytes = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		struct transfer_object *o = &p->objects[i];

		if (o->state != TRANSFER_OPEN)
			continue;
		rc = reader_check(p);
		if (rc == 0)
			rc = o->size <= STORE_SMALL_MAX ? read_small(p, o, &bytes)
							: read_large(p, o);
	}
	pass_on(p);
	if (rc < 0) {
		p->message = strdup(err_msg());
		p->rc = rc;
	}
	queue_close(p->read);
	buf_release(&bytes);
	return NULL;
}

/* ---- thread 2: cut and hash ---- */

/* What thread 2 keeps from block to block. */
struct cutting {
	struct cutter cutter;
	struct cutter_base base;
	struct basechunks *bases;
	uint8_t carry[CUTTER_AHEAD]; /* the rest of an unfinished object */
	size_t carried;
};

static void begin_object(struct cutting *c, const struct transfer_object *o)
{
	c->carried = 0;
	if (o->base)
		basechunks_read(c->bases, o->base, &c->base);
	else
		cutter_base_release(&c->base);
	cutter_begin(&c->cutter, &c->base);
}

/* Cut what can be cut. */
static void cut_block(struct cutting *c, struct block *b)
{
	size_t pos, end;

	if (b->first)
		begin_object(c, b->object);
	memcpy(b->mem + b->start - c->carried, c->carry, c->carried);
	pos = b->start - c->carried;
	end = b->start + b->len;
	while (pos < end) {
		struct item *item = &b->items[b->n_items];
		size_t n = cutter_next(&c->cutter, b->mem + pos, end - pos, b->last, &item->id);

		if (n == 0)
			break;
		item->offset = pos;
		item->len = n;
		b->n_items++;
		pos += n;
	}
	c->carried = end - pos;
	memcpy(c->carry, b->mem + pos, c->carried);
}

static void *cut_blocks(void *arg)
{
	struct pipeline *p = arg;
	struct block *b;

	while ((b = queue_pop(p->read))) {
		if (b->object)
			cut_block(p->cutting, b);
		queue_push(p->cut, b);
	}
	queue_close(p->cut);
	return NULL;
}

static int cutting_new(struct cutting **out, struct blobstore *b)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return err_set(ERR_NOMEM, "out of memory");
	return basechunks_new(&(*out)->bases, b);
}

static void cutting_free(struct cutting *c)
{
	if (!c)
		return;
	cutter_base_release(&c->base);
	basechunks_free(c->bases);
	free(c);
}

/* ---- thread 3: pack ---- */

static int pack_small(struct packer *k, struct block *b, struct engine *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n_items; i++) {
		struct item *item = &b->items[i];

		rc = packer_begin(k, item->object);
		if (rc == 0)
			rc = packer_chunk(k, &item->id, b->mem + item->offset, item->len);
		if (rc == 0)
			engine_progress(e, item->len);
		if (rc == 0)
			rc = packer_end(k);
	}
	return rc;
}

static int pack_piece(struct packer *k, struct block *b, struct engine *e)
{
	int rc = b->first ? packer_begin(k, b->object) : 0;

	for (size_t i = 0; rc == 0 && i < b->n_items; i++)
		rc = packer_chunk(k, &b->items[i].id, b->mem + b->items[i].offset, b->items[i].len);
	engine_progress(e, b->len);
	if (rc == 0 && b->last && b->bad)
		packer_drop(k);
	else if (rc == 0 && b->last)
		rc = packer_end(k);
	return rc;
}

static int pack_blocks(struct pipeline *p, struct packer *k)
{
	struct engine *e = p->blobstore->engine;
	struct block *b;
	int rc = 0;

	while ((b = queue_pop(p->cut))) {
		if (rc == 0)
			rc = b->object ? pack_piece(k, b, e) : pack_small(k, b, e);
		if (rc < 0)
			__atomic_store_n(&p->aborted, 1, __ATOMIC_RELAXED);
		queue_push(p->empty, b);
	}
	return rc;
}

/* ---- the whole ---- */

static int pipeline_init(struct pipeline *p)
{
	int rc = queue_new(&p->empty, BLOCKS);

	if (rc == 0)
		rc = queue_new(&p->read, BLOCKS);
	if (rc == 0)
		rc = queue_new(&p->cut, BLOCKS);
	if (rc == 0)
		rc = cutting_new(&p->cutting, p->blobstore);
	for (int i = 0; rc == 0 && i < BLOCKS; i++) {
		p->blocks[i].mem = malloc(CUTTER_AHEAD + BLOCK_DATA);
		if (!p->blocks[i].mem)
			rc = err_set(ERR_NOMEM, "out of memory");
		else
			queue_push(p->empty, &p->blocks[i]);
	}
	return rc;
}

static void pipeline_release(struct pipeline *p)
{
	for (int i = 0; i < BLOCKS; i++)
		free(p->blocks[i].mem);
	queue_free(p->empty);
	queue_free(p->read);
	queue_free(p->cut);
	cutting_free(p->cutting);
	free(p->message);
}

static int run_threads(struct pipeline *p, struct packer *k)
{
	pthread_t reader, cutter;
	char *message = NULL;
	int rc;

	if (pthread_create(&reader, NULL, read_objects, p) != 0)
		return err_set(ERR_NOMEM, "cannot start a thread");
	if (pthread_create(&cutter, NULL, cut_blocks, p) != 0) {
		queue_close(p->empty);
		queue_close(p->read);
		pthread_join(reader, NULL);
		return err_set(ERR_NOMEM, "cannot start a thread");
	}
	rc = pack_blocks(p, k);
	if (rc < 0)
		message = strdup(err_msg());
	pthread_join(reader, NULL);
	pthread_join(cutter, NULL);
	if (rc < 0)
		err_set(rc, "%s", message ? message : "out of memory");
	else if (p->rc < 0)
		rc = err_set(p->rc, "%s", p->message ? p->message : "out of memory");
	free(message);
	return rc;
}

static int send_objects(struct blobstore *b, struct transfer_object *objects, size_t n)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	struct packer *k = NULL;
	int rc;

	if (!p)
		return err_set(ERR_NOMEM, "out of memory");
	p->blobstore = b;
	p->objects = objects;
	p->n = n;
	rc = packer_new(&k, b);
	if (rc == 0)
		rc = pipeline_init(p);
	if (rc == 0)
		rc = run_threads(p, k);
	if (rc == 0)
		rc = packer_finish(k);
	packer_free(k);
	pipeline_release(p);
	free(p);
	return rc;
}

/* Every pack that the object lies in is there, whole. */
static int hit_is_whole(struct blobstore *b, const struct blob_hit *h)
{
	struct fragment_extent x;
	struct oid name;
	uint64_t size;

	for (uint32_t i = 0; i < h->at.n_extents; i++) {
		fragment_extent_at(&h->at, i, &x);
		fragment_pack_at(h->in->fragment, x.pack, &name, &size);
		if (!blobstore_has_pack(b, &name, size))
			return 0;
	}
	return 1;
}

static int answer_some(struct blobstore *b, struct transfer_object *objects, size_t n)
{
	struct blob_hit *hits = NULL;
	size_t n_hits = 0;
	int rc = blobstore_locate(b, objects, n, &hits, &n_hits);

	for (size_t i = 0; rc == 0 && i < n_hits; i++) {
		struct transfer_object *o = &objects[hits[i].object];

		if (o->state == TRANSFER_OPEN && hit_is_whole(b, &hits[i])) {
			rc = blobstore_rely(b, REMOTE_FRAGMENT, &hits[i].in->name);
			if (rc < 0)
				break;
			engine_progress(b->engine, o->size);
			engine_answer(b->engine, o, TRANSFER_PRESENT, 0);
		}
	}
	free(hits);
	return rc;
}

static int answer_present(struct blobstore *b, struct transfer_object *objects, size_t n)
{
	int rc = 0;

	if (b->n_fragments && b->engine->verify && !b->remote->near)
		rc = blobstore_list_packs(b);
	for (size_t i = 0; rc == 0 && i < n; i += BLOBSTORE_AT_ONCE)
		rc = answer_some(
			b, objects + i, n - i < BLOBSTORE_AT_ONCE ? n - i : BLOBSTORE_AT_ONCE);
	return rc;
}

/* What is sent, is sent well: tidying up fails nothing. */
static int send_and_tidy(struct blobstore *b, struct transfer_object *objects, size_t n)
{
	int rc = send_objects(b, objects, n);

	if (rc == 0)
		rc = blobstore_check_relied(b);
	if (rc == 0)
		tidy_after_push(b);
	return rc;
}

int blobstore_upload(struct blobstore *b, struct transfer_object *objects, size_t n)
{
	size_t open = 0;
	int rc;

	b->wants_now = !b->engine->dry_run;
	rc = blobstore_load(b);
	if (rc == ERR_NOTFOUND) { /* the first push creates the store */
		err_clear();
		rc = 0;
	} else if (rc == 0) {
		rc = listing_check(&b->listing);
		if (rc == 0 && !b->engine->anew)
			rc = answer_present(b, objects, n);
	}
	for (size_t i = 0; i < n; i++)
		open += objects[i].state == TRANSFER_OPEN;
	if (rc < 0 || open == 0)
		return rc < 0 ? rc : blobstore_check_relied(b);
	if (!b->engine->dry_run)
		return send_and_tidy(b, objects, n);
	for (size_t i = 0; i < n; i++) {
		if (objects[i].state == TRANSFER_OPEN)
			engine_answer(b->engine, &objects[i], TRANSFER_OK, 0);
	}
	return 0;
}
