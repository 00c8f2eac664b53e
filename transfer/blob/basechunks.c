/*
 * A pack's index is sorted by id; here it is sorted by offset, and kept, since the next object's
 * base mostly lies in the same packs.
 */
#include "transfer/blob/basechunks.h"
#include "lib/base/array.h"
#include "lib/base/err.h"

#include <stdlib.h>

enum { KEPT_MAX = 1000 * 1000 }; /* entries of packs: 40 MB */

struct place {
	uint32_t offset, raw_len;
	struct oid id;
};

struct pack_places {
	struct place *v;
	size_t n;
};

struct basechunks {
	struct blobstore *blobstore;
	struct pack_places *packs;
	size_t n_packs, cap_packs;
	size_t kept; /* entries in all packs */
	struct oidmap by_name;
};

int basechunks_new(struct basechunks **out, struct blobstore *b)
{
	struct basechunks *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	s->blobstore = b;
	return 0;
}

static void forget(struct basechunks *s)
{
	for (size_t i = 0; i < s->n_packs; i++)
		free(s->packs[i].v);
	s->n_packs = 0;
	s->kept = 0;
	oidmap_release(&s->by_name);
}

void basechunks_free(struct basechunks *s)
{
	if (!s)
		return;
	forget(s);
	free(s->packs);
	free(s);
}

static int compare_offsets(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int sort_index(const struct pack_index *x, struct pack_places *out)
{
	out->n = pack_index_count(x);
	out->v = calloc(out->n + 1, sizeof(*out->v));
	if (!out->v)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < out->n; i++) {
		const struct pack_entry *e = pack_index_at(x, i);

		out->v[i] = (struct place){
			.offset = (uint32_t)e->offset, .raw_len = e->raw_len, .id = e->id};
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare_offsets);
	return 0;
}

static int keep(struct basechunks *s, const struct oid *name, const struct pack_places *p)
{
	if (array_room(&s->packs, s->n_packs, &s->cap_packs, sizeof(*s->packs)) < 0)
		return ERR_NOMEM;
	if (oidmap_add(&s->by_name, name, (uint32_t)s->n_packs) < 0)
		return ERR_NOMEM;
	s->packs[s->n_packs++] = *p;
	s->kept += p->n;
	return 0;
}

/* The entries of a pack; NULL when it cannot be had.  Good until the next call. */
static const struct pack_places *pack_places(
	struct basechunks *s, const struct oid *name, uint64_t size)
{
	struct pack_index *x = NULL;
	struct pack_places p = {NULL, 0};
	uint32_t number;
	int rc;

	if (oidmap_get(&s->by_name, name, &number))
		return &s->packs[number];
	if (!blobstore_has_pack(s->blobstore, name, size))
		return NULL;
	if (s->kept > KEPT_MAX)
		forget(s);
	rc = blobstore_pack_index(s->blobstore, name, size, &x);
	if (rc == 0)
		rc = sort_index(x, &p);
	if (rc == 0)
		rc = keep(s, name, &p);
	pack_index_free(x);
	if (rc == 0)
		return &s->packs[s->n_packs - 1];
	free(p.v);
	return NULL;
}

static size_t first_from(const struct pack_places *p, uint64_t offset)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->v[mid].offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int add_extent(struct basechunks *s, const struct fragment *f,
	const struct fragment_extent *x, struct cutter_base *out)
{
	const struct pack_places *p;
	struct oid name;
	uint64_t size, end = (uint64_t)x->offset + x->length;
	int rc = 0;

	fragment_pack_at(f, x->pack, &name, &size);
	p = pack_places(s, &name, size);
	if (!p)
		return 0;
	for (size_t i = first_from(p, x->offset); rc == 0 && i < p->n && p->v[i].offset < end; i++)
		rc = cutter_base_add(out, &p->v[i].id, p->v[i].raw_len);
	return rc;
}

void basechunks_read(struct basechunks *s, const struct oid *base, struct cutter_base *out)
{
	struct fragment_extent x;
	struct blob_hit hit;
	int rc = 0;

	cutter_base_release(out);
	if (!blobstore_find(s->blobstore, base, &hit))
		return;
	for (uint32_t i = 0; rc == 0 && i < hit.at.n_extents; i++) {
		fragment_extent_at(&hit.at, i, &x);
		rc = add_extent(s, hit.in->fragment, &x, out);
	}
	err_clear();
}
