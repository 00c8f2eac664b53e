/*
 * Tables over all fragments: one pass from the youngest fragment to the oldest gives every needed
 * object its place, and what lies under the places is what is alive.
 */
#include "transfer/gc/gcview.h"
#include "lib/base/array.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

/* ---- packs ---- */

static int add_pack(struct gcview *v, const struct gcview_pack *p)
{
	int rc;

	if (array_room(&v->packs, v->n_packs, &v->cap_packs, sizeof(*v->packs)) < 0)
		return ERR_NOMEM;
	rc = oidmap_add(&v->pack_numbers, &p->name, (uint32_t)v->n_packs);
	if (rc == 1)
		v->packs[v->n_packs++] = *p;
	return rc < 0 ? rc : 0;
}

static int add_listed(const struct remote_entry *e, void *data)
{
	const struct gcview_pack p = {.name = e->name, .size = e->size, .mtime = e->mtime};

	return e->class == REMOTE_PACK ? add_pack(data, &p) : 0;
}

int gcview_add_pack(struct gcview *v, const struct oid *name, uint64_t size)
{
	const struct gcview_pack p = {.name = *name, .size = size, .mtime = INT64_MAX};

	return add_pack(v, &p);
}

struct gcview_pack *gcview_pack(const struct gcview *v, const struct oid *name)
{
	uint32_t i;

	if (!oidmap_get(&v->pack_numbers, name, &i) || v->packs[i].gone)
		return NULL;
	return &v->packs[i];
}

int gcview_open(struct gcview *v, struct blobstore *b, const struct oidmap *needed)
{
	int rc;

	memset(v, 0, sizeof(*v));
	v->blobstore = b;
	v->needed = needed;
	rc = b->remote->ops->list(b->remote, REMOTE_LIST_PACKS, add_listed, v, NULL);
	return rc < 0 ? rc : gcview_assign(v);
}

static void forget(struct gcview *v)
{
	free(v->fragments);
	free(v->order);
	free(v->places);
	free(v->live);
	v->fragments = NULL;
	v->order = NULL;
	v->places = NULL;
	v->live = NULL;
	v->n_order = v->n_live = 0;
}

void gcview_release(struct gcview *v)
{
	forget(v);
	free(v->packs);
	oidmap_release(&v->pack_numbers);
	memset(v, 0, sizeof(*v));
}

/* ---- places ---- */

/* For each pack of a fragment its number here, or GCVIEW_NOWHERE when it is not there as the
 * fragment says. */
static int match_packs(const struct gcview *v, const struct fragment *f, uint32_t **out)
{
	size_t n = fragment_packs(f);
	uint32_t *numbers = calloc(n + 1, sizeof(*numbers));

	*out = numbers;
	if (!numbers)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const struct gcview_pack *p;
		struct oid name;
		uint64_t size;

		fragment_pack_at(f, (uint32_t)i, &name, &size);
		p = gcview_pack(v, &name);
		numbers[i] = p && p->size == size ? (uint32_t)(p - v->packs) : GCVIEW_NOWHERE;
	}
	return 0;
}

static int is_whole(const struct fragment_object *o, const uint32_t *packs)
{
	struct fragment_extent x;

	for (uint32_t i = 0; i < o->n_extents; i++) {
		fragment_extent_at(o, i, &x);
		if (packs[x.pack] == GCVIEW_NOWHERE)
			return 0;
	}
	return 1;
}

static int place_objects(struct gcview *v, uint32_t number)
{
	const struct named_fragment *f = &v->blobstore->fragments[number];
	uint32_t *packs = NULL, needed;
	struct fragment_object o;
	int rc = match_packs(v, f->fragment, &packs);

	for (size_t i = 0; rc == 0 && i < fragment_count(f->fragment); i++) {
		struct gcview_place *p;

		fragment_at(f->fragment, i, &o);
		if (!oidmap_get(v->needed, &o.oid, &needed))
			continue;
		p = &v->places[needed];
		if (p->fragment != GCVIEW_NOWHERE || !is_whole(&o, packs))
			continue;
		if (f->condemned) {
			p->condemned = 1;
			continue;
		}
		p->fragment = number;
		p->index = (uint32_t)i;
		v->fragments[number].placed++;
	}
	free(packs);
	return rc;
}

/* Needed objects that no fragment has whole: who names them is kept, for a repair. */
static void hold_objects(struct gcview *v, uint32_t number)
{
	const struct named_fragment *f = &v->blobstore->fragments[number];
	struct fragment_object o;
	uint32_t needed;

	for (size_t i = 0; i < fragment_count(f->fragment); i++) {
		fragment_at(f->fragment, i, &o);
		if (oidmap_get(v->needed, &o.oid, &needed) &&
			v->places[needed].fragment == GCVIEW_NOWHERE)
			v->fragments[number].held++;
	}
}

static int compare_age(const void *a, const void *b, void *arg)
{
	const struct blobstore *s = arg;
	const struct named_fragment *x = &s->fragments[*(const uint32_t *)a];
	const struct named_fragment *y = &s->fragments[*(const uint32_t *)b];

	if (x->mtime != y->mtime)
		return x->mtime > y->mtime ? -1 : 1;
	return -oid_cmp(&x->name, &y->name);
}

static void sort_fragments(struct gcview *v)
{
	struct blobstore *b = v->blobstore;

	for (size_t i = 0; i < b->n_fragments; i++) {
		if (b->fragments[i].fragment && !b->fragments[i].condemned)
			v->order[v->n_order++] = (uint32_t)i;
	}
	if (v->n_order)
		qsort_r(v->order, v->n_order, sizeof(*v->order), compare_age, b);
}

/* ---- what is alive ---- */

static int compare_ranges(const void *a, const void *b)
{
	const struct gcview_range *x = a, *y = b;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Join what touches or overlaps, and count. */
static void join_ranges(struct gcview *v)
{
	size_t kept = 0;

	if (v->n_live)
		qsort(v->live, v->n_live, sizeof(*v->live), compare_ranges);
	for (size_t i = 0; i < v->n_live; i++) {
		struct gcview_range *last = kept ? &v->live[kept - 1] : NULL, *r = &v->live[i];

		if (last && last->pack == r->pack && r->offset <= last->offset + last->length) {
			uint32_t end = r->offset + r->length;

			if (end > last->offset + last->length)
				last->length = end - last->offset;
			continue;
		}
		v->live[kept++] = *r;
	}
	v->n_live = kept;
	for (size_t i = 0; i < v->n_packs; i++)
		v->packs[i].live = 0;
	for (size_t i = 0; i < kept; i++)
		v->packs[v->live[i].pack].live += v->live[i].length;
}

static size_t count_extents(const struct gcview *v)
{
	struct fragment_object o;
	size_t n = 0;

	for (size_t i = 0; i < v->needed->n; i++) {
		const struct gcview_place *p = &v->places[i];

		if (p->fragment == GCVIEW_NOWHERE)
			continue;
		fragment_at(v->blobstore->fragments[p->fragment].fragment, p->index, &o);
		n += o.n_extents;
	}
	return n;
}

static int find_live(struct gcview *v)
{
	v->live = calloc(count_extents(v) + 1, sizeof(*v->live));
	if (!v->live)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < v->needed->n; i++) {
		const struct gcview_place *p = &v->places[i];
		const struct fragment *f;
		struct fragment_object o;
		struct fragment_extent x;
		struct oid name;
		uint64_t size;

		if (p->fragment == GCVIEW_NOWHERE)
			continue;
		f = v->blobstore->fragments[p->fragment].fragment;
		fragment_at(f, p->index, &o);
		for (uint32_t k = 0; k < o.n_extents; k++) {
			fragment_extent_at(&o, k, &x);
			fragment_pack_at(f, x.pack, &name, &size);
			v->live[v->n_live++] = (struct gcview_range){
				(uint32_t)(gcview_pack(v, &name) - v->packs), x.offset, x.length};
		}
	}
	join_ranges(v);
	return 0;
}

int gcview_assign(struct gcview *v)
{
	struct blobstore *b = v->blobstore;
	int rc = 0;

	forget(v);
	v->fragments = calloc(b->n_fragments + 1, sizeof(*v->fragments));
	v->order = calloc(b->n_fragments + 1, sizeof(*v->order));
	v->places = calloc(v->needed->n + 1, sizeof(*v->places));
	if (!v->fragments || !v->order || !v->places)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < v->needed->n; i++)
		v->places[i].fragment = GCVIEW_NOWHERE;
	sort_fragments(v);
	for (size_t i = 0; rc == 0 && i < v->n_order; i++)
		rc = place_objects(v, v->order[i]);
	for (size_t i = 0; rc == 0 && i < b->n_fragments; i++) {
		if (b->fragments[i].fragment && b->fragments[i].condemned)
			rc = place_objects(v, (uint32_t)i);
	}
	for (size_t i = 0; rc == 0 && i < v->n_order; i++)
		hold_objects(v, v->order[i]);
	return rc < 0 ? rc : find_live(v);
}

/* ---- questions ---- */

int gcview_is_covered(const struct gcview *v, size_t i)
{
	const struct fragment *f = v->blobstore->fragments[i].fragment;
	struct fragment_object o;
	uint32_t needed;

	for (size_t k = 0; k < fragment_count(f); k++) {
		fragment_at(f, k, &o);
		if (!oidmap_get(v->needed, &o.oid, &needed))
			continue;
		if (v->places[needed].fragment == GCVIEW_NOWHERE || v->places[needed].fragment == i)
			return 0;
	}
	return 1;
}

int gcview_named_packs(const struct gcview *v, int condemned, const uint8_t *leaving, uint8_t **out)
{
	const struct blobstore *b = v->blobstore;
	uint8_t *named = calloc(v->n_packs + 1, 1);

	*out = named;
	if (!named)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < b->n_fragments; i++) {
		const struct named_fragment *f = &b->fragments[i];

		if (!f->fragment || (f->condemned && !condemned) || (leaving && leaving[i]))
			continue;
		for (size_t k = 0; k < fragment_packs(f->fragment); k++) {
			struct oid name;
			uint64_t size;
			uint32_t number;

			fragment_pack_at(f->fragment, (uint32_t)k, &name, &size);
			if (oidmap_get(&v->pack_numbers, &name, &number))
				named[number] = 1;
		}
	}
	return 0;
}
