/*
 * Compaction: which packs and fragments are replaced, and the fragments that take their place.
 * What was replaced is afterwards needed by nobody, and comes under notice like anything else.
 */
#include "lib/base/err.h"
#include "transfer/blob/fresh.h"
#include "transfer/gc/gc.h"
#include "transfer/gc/removal.h"
#include "transfer/gc/repack.h"

#include <stdlib.h>
#include <string.h>

enum {
	SMALL_FRAGMENT = 1024 * 1024,
	SMALL_FRAGMENTS_MIN = 8,
	SMALL_PACK = 8 * 1024 * 1024,
	SMALL_PACKS_MIN = 16,
	OBJECTS_PER_FRAGMENT = 1000000
};

struct compaction {
	struct gc *gc;
	struct repack *repack; /* NULL: no packs are replaced */
	uint8_t *replaced;     /* by fragment */
	struct fragment_writer *writer;
	struct extents extents;
	struct buf *bytes; /* finished fragments */
	struct oid *names;
	size_t n_built;
};

static int is_old(const struct gc *g, int64_t mtime)
{
	return removal_older(&g->blobstore->listing, mtime, g->grace);
}

/* ---- which packs ---- */

/* A byte for each pack that may not be touched: named by what stays as it is. */
static int young_packs(const struct gc *g, uint8_t **out)
{
	const struct blobstore *b = g->blobstore;
	uint8_t *leaving = calloc(b->n_fragments + 1, 1);
	int rc = leaving ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < b->n_fragments; i++)
		leaving[i] = is_old(g, b->fragments[i].mtime) && !g->view.fragments[i].held;
	if (rc == 0)
		rc = gcview_named_packs(&g->view, 0, leaving, out);
	free(leaving);
	return rc;
}

/* Worth copying: mostly dead, or with `small` short. */
static int is_worn(const struct gcview_pack *p, int small)
{
	return p->live < p->size / 2 || (small && p->size < SMALL_PACK);
}

static int may_move(const struct gc *g, size_t i, const uint8_t *fixed)
{
	const struct gcview_pack *p = &g->view.packs[i];

	return !p->gone && p->live && !fixed[i] && is_old(g, p->mtime);
}

static int copy_packs(struct compaction *c)
{
	struct gc *g = c->gc;
	struct gcview *v = &g->view;
	size_t small = 0;
	uint8_t *fixed = NULL;
	int rc = young_packs(g, &fixed);

	if (rc == 0)
		rc = repack_new(&c->repack, v);
	for (size_t i = 0; rc == 0 && i < v->n_packs; i++)
		small += may_move(g, i, fixed) && v->packs[i].size < SMALL_PACK;
	for (size_t i = 0; rc == 0 && i < v->n_packs; i++) {
		if (!may_move(g, i, fixed) || !is_worn(&v->packs[i], small >= SMALL_PACKS_MIN))
			continue;
		if (!removal_in_time(g->grace, g->begun))
			break;
		v->packs[i].repacked = 1;
		if (!g->dry_run)
			rc = repack_copy(c->repack, (uint32_t)i);
		else
			g->count[GC_REPACKED_BYTES] += v->packs[i].live;
	}
	if (rc == 0)
		rc = repack_finish(c->repack);
	free(fixed);
	return rc;
}

/* ---- which fragments ---- */

static int names_repacked(const struct gcview *v, const struct fragment *f)
{
	for (size_t i = 0; i < fragment_packs(f); i++) {
		const struct gcview_pack *p;
		struct oid name;
		uint64_t size;

		fragment_pack_at(f, (uint32_t)i, &name, &size);
		p = gcview_pack(v, &name);
		if (p && p->repacked)
			return 1;
	}
	return 0;
}

static void choose_fragments(struct compaction *c)
{
	struct gc *g = c->gc;
	struct blobstore *b = g->blobstore;
	size_t small = 0;

	for (size_t i = 0; i < b->n_fragments; i++) {
		const struct named_fragment *f = &b->fragments[i];

		c->replaced[i] = f->fragment && !f->condemned && g->view.fragments[i].placed &&
				 is_old(g, f->mtime);
		small += c->replaced[i] && f->size < SMALL_FRAGMENT;
	}
	for (size_t i = 0; i < b->n_fragments; i++) {
		const struct named_fragment *f = &b->fragments[i];

		if (!c->replaced[i])
			continue;
		c->replaced[i] = (small >= SMALL_FRAGMENTS_MIN && f->size < SMALL_FRAGMENT) ||
				 g->view.fragments[i].placed < fragment_count(f->fragment) / 2 ||
				 names_repacked(&g->view, f->fragment);
		g->count[GC_MERGED_FRAGMENTS] += c->replaced[i];
	}
}

/* ---- new fragments ---- */

static int finish_fragment(struct compaction *c)
{
	struct buf *bytes = reallocarray(c->bytes, c->n_built + 1, sizeof(*bytes));
	struct oid *names;
	int rc;

	if (bytes)
		c->bytes = bytes;
	names = reallocarray(c->names, c->n_built + 1, sizeof(*names));
	if (names)
		c->names = names;
	if (!bytes || !names)
		return err_set(ERR_NOMEM, "out of memory");
	c->bytes[c->n_built] = (struct buf)BUF_INIT;
	rc = fresh_fragment(&c->gc->blobstore->listing, c->writer, &c->bytes[c->n_built],
		&c->names[c->n_built]);
	c->n_built++;
	fragment_writer_free(c->writer);
	c->writer = NULL;
	return rc;
}

/* One extent of an object, to where it lies now: c->extents gets it, with the writer's numbers. */
static int add_extent(
	struct compaction *c, const struct fragment *f, const struct fragment_extent *x)
{
	const struct gcview *v = &c->gc->view;
	struct fragment_extent to = *x;
	const struct gcview_pack *p;
	struct extents moved = {0};
	struct oid name;
	uint64_t size;
	int rc = 0;

	fragment_pack_at(f, x->pack, &name, &size);
	p = gcview_pack(v, &name);
	if (!p->repacked || c->gc->dry_run) {
		rc = fragment_writer_pack(c->writer, &name, size, &to.pack);
		return rc < 0 ? rc : extents_add(&c->extents, &to);
	}
	rc = repack_translate(c->repack,
		&(struct gcview_range){(uint32_t)(p - v->packs), x->offset, x->length}, &moved);
	for (size_t i = 0; rc == 0 && i < moved.n; i++) {
		repack_pack_at(c->repack, moved.v[i].pack, &name, &size);
		rc = fragment_writer_pack(c->writer, &name, size, &moved.v[i].pack);
		if (rc >= 0)
			rc = extents_add(&c->extents, &moved.v[i]);
	}
	extents_release(&moved);
	return rc;
}

static int write_object(
	struct compaction *c, const struct fragment *f, const struct fragment_object *o)
{
	struct fragment_extent x;
	int rc = c->writer ? 0 : fragment_writer_new(&c->writer);

	c->extents.n = 0;
	for (uint32_t i = 0; rc == 0 && i < o->n_extents; i++) {
		fragment_extent_at(o, i, &x);
		rc = add_extent(c, f, &x);
	}
	if (rc == 0)
		rc = fragment_writer_object(
			c->writer, &o->oid, o->size, c->extents.v, c->extents.n);
	return rc < 0 ? rc : 0;
}

static int add_object(
	struct compaction *c, const struct fragment *f, const struct fragment_object *o)
{
	int rc = write_object(c, f, o);

	if (rc == ERR_LIMIT) {
		rc = finish_fragment(c);
		if (rc == 0)
			rc = write_object(c, f, o);
	}
	if (rc == 0 && fragment_writer_count(c->writer) >= OBJECTS_PER_FRAGMENT)
		rc = finish_fragment(c);
	return rc;
}

/* The needed objects of what is replaced, from the oldest fragment to the youngest. */
static int build_fragments(struct compaction *c)
{
	const struct gcview *v = &c->gc->view;
	int rc = 0;

	for (size_t k = v->n_order; rc == 0 && k > 0; k--) {
		uint32_t number = v->order[k - 1], needed;
		const struct fragment *f = v->blobstore->fragments[number].fragment;
		struct fragment_object o;

		for (size_t i = 0; rc == 0 && c->replaced[number] && i < fragment_count(f); i++) {
			fragment_at(f, i, &o);
			if (oidmap_get(v->needed, &o.oid, &needed) &&
				v->places[needed].fragment == number)
				rc = add_object(c, f, &o);
		}
	}
	return rc == 0 && c->writer ? finish_fragment(c) : rc;
}

static int put_fragments(struct compaction *c)
{
	struct blobstore *b = c->gc->blobstore;
	struct oid name;
	uint64_t size;
	size_t n_packs = c->repack ? repack_packs(c->repack, &c->gc->count[GC_REPACKED_BYTES]) : 0;
	int rc = 0;

	if (!removal_in_time(c->gc->grace * 2, b->listing.begun)) /* half of it: as any writer */
		return err_set(ERR_REMOTE, "this took too long; run it again");
	for (size_t i = 0; rc == 0 && i < n_packs; i++) {
		repack_pack_at(c->repack, i, &name, &size);
		rc = gcview_add_pack(&c->gc->view, &name, size);
	}
	for (size_t i = 0; rc == 0 && i < c->n_built; i++) {
		rc = remote_put_bytes(
			b->remote, REMOTE_FRAGMENT, &c->names[i], c->bytes[i].p, c->bytes[i].len);
		if (rc >= 0)
			rc = blobstore_adopt(b, &c->names[i], &c->bytes[i]);
	}
	return rc < 0 ? rc : gcview_assign(&c->gc->view);
}

static void compaction_release(struct compaction *c)
{
	for (size_t i = 0; i < c->n_built; i++)
		buf_release(&c->bytes[i]);
	free(c->bytes);
	free(c->names);
	fragment_writer_free(c->writer);
	extents_release(&c->extents);
	repack_free(c->repack);
	free(c->replaced);
}

int gc_compact(struct gc *g)
{
	struct compaction c = {.gc = g};
	int rc = 0;

	c.replaced = calloc(g->blobstore->n_fragments + 1, 1);
	if (!c.replaced)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0 && g->repack)
		rc = copy_packs(&c);
	if (rc == 0)
		choose_fragments(&c);
	if (rc == 0 && !g->dry_run && g->count[GC_MERGED_FRAGMENTS])
		rc = build_fragments(&c);
	if (rc == 0 && !g->dry_run && g->count[GC_MERGED_FRAGMENTS])
		rc = put_fragments(&c);
	compaction_release(&c);
	return rc;
}
