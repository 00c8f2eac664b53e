/*
 * Collects what one push stores and writes it as an index fragment (docs/fragment-format.md).
 * The bytes depend on the content alone: the same objects in the same packs give the same name.
 */
#include "lib/store/fragment.h"
#include "lib/base/err.h"
#include "lib/store/fragment_format.h"
#include "lib/store/oidindex.h"
#include "lib/store/pack.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct object {
	struct oid oid;
	uint64_t size;
	uint32_t first, n; /* in the writer's extents */
};

struct pack_name {
	struct oid id;
	uint64_t size;
};

struct fragment_writer {
	struct oidindex by_pack, by_object;
	struct pack_name *packs;
	size_t n_packs, cap_packs;
	struct object *objects;
	size_t n_objects, cap_objects;
	struct fragment_extent *extents;
	size_t n_extents, cap_extents;
};

int fragment_writer_new(struct fragment_writer **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void fragment_writer_free(struct fragment_writer *w)
{
	if (!w)
		return;
	oidindex_release(&w->by_pack);
	oidindex_release(&w->by_object);
	free(w->packs);
	free(w->objects);
	free(w->extents);
	free(w);
}

static uint64_t encoded_len(const struct fragment_writer *w)
{
	return FRAGMENT_HEADER_LEN + FRAGMENT_SUM_LEN + (uint64_t)w->n_packs * FRAGMENT_PACK_LEN +
	       (uint64_t)w->n_objects * (OID_LEN + FRAGMENT_RECORD_LEN) +
	       (uint64_t)w->n_extents * FRAGMENT_EXTENT_LEN;
}

/* Room for `want` elements of `size` bytes in the array *p of *cap. */
static int make_room(void **p, size_t *cap, size_t want, size_t size)
{
	size_t bigger = *cap ? *cap : 64;
	void *q;

	if (want <= *cap)
		return 0;
	while (bigger < want)
		bigger *= 2;
	q = realloc(*p, bigger * size);
	if (!q)
		return err_set(ERR_NOMEM, "out of memory");
	*p = q;
	*cap = bigger;
	return 0;
}

int fragment_writer_pack(
	struct fragment_writer *w, const struct oid *pack, uint64_t size, uint32_t *number)
{
	void *p = w->packs;
	int rc;

	if (oidindex_get(&w->by_pack, OIDARRAY(w->packs), pack, number))
		return 0;
	rc = make_room(&p, &w->cap_packs, w->n_packs + 1, sizeof *w->packs);
	if (rc < 0)
		return rc;
	w->packs = p;
	w->packs[w->n_packs] = (struct pack_name){*pack, size};
	rc = oidindex_add(&w->by_pack, OIDARRAY(w->packs), (uint32_t)w->n_packs);
	if (rc < 0)
		return rc;
	*number = (uint32_t)w->n_packs++;
	return 0;
}

/* Append the extents, joining neighbours; returns how many there are in the end. */
static uint32_t join_extents(struct fragment_extent *out, const struct fragment_extent *x, size_t n)
{
	uint32_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct fragment_extent *last = kept ? &out[kept - 1] : NULL;

		if (last && last->pack == x[i].pack &&
			(uint64_t)last->offset + last->length == x[i].offset)
			last->length += x[i].length;
		else
			out[kept++] = x[i];
	}
	return kept;
}

static int check_extents(const struct fragment_writer *w, const struct fragment_extent *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i].pack >= w->n_packs || x[i].offset < PACK_HEADER_LEN ||
			x[i].length <= PACK_ENTRY_HEADER_LEN ||
			(uint64_t)x[i].offset + x[i].length > w->packs[x[i].pack].size)
			return err_set(ERR_INVALID, "an extent outside of its pack");
	return 0;
}

/* Index what a fragment_writer_finish has sorted. */
static int index_again(struct fragment_writer *w)
{
	int rc = 0;

	while (rc >= 0 && w->by_object.n < w->n_objects)
		rc = oidindex_add(&w->by_object, OIDARRAY(w->objects), (uint32_t)w->by_object.n);
	return rc < 0 ? rc : 0;
}

int fragment_writer_object(struct fragment_writer *w, const struct oid *oid, uint64_t size,
	const struct fragment_extent *x, size_t n)
{
	void *objects = w->objects, *extents = w->extents;
	uint32_t kept;
	int rc = index_again(w);

	if (rc < 0)
		return rc;
	if (oidindex_get(&w->by_object, OIDARRAY(w->objects), oid, NULL))
		return 0;
	if (size > INT64_MAX || (size && n == 0))
		return err_set(ERR_INVALID, "an object without a place");
	rc = check_extents(w, x, n);
	if (rc < 0)
		return rc;
	if (encoded_len(w) + OID_LEN + FRAGMENT_RECORD_LEN + n * FRAGMENT_EXTENT_LEN >
		FRAGMENT_LEN_MAX)
		return err_set(ERR_LIMIT, "the index fragment is full");
	rc = make_room(&extents, &w->cap_extents, w->n_extents + n, sizeof *w->extents);
	w->extents = extents;
	if (rc < 0)
		return rc;
	rc = make_room(&objects, &w->cap_objects, w->n_objects + 1, sizeof *w->objects);
	w->objects = objects;
	if (rc < 0)
		return rc;
	kept = join_extents(w->extents + w->n_extents, x, n);
	w->objects[w->n_objects] = (struct object){*oid, size, (uint32_t)w->n_extents, kept};
	rc = oidindex_add(&w->by_object, OIDARRAY(w->objects), (uint32_t)w->n_objects);
	if (rc < 0)
		return rc;
	w->n_objects++;
	w->n_extents += kept;
	return 0;
}

size_t fragment_writer_count(const struct fragment_writer *w)
{
	return w->n_objects;
}

static int by_id(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	return oid_cmp(&x->oid, &y->oid);
}

static uint8_t *put_header(uint8_t *p, const struct fragment_writer *w)
{
	memset(p, 0, FRAGMENT_HEADER_LEN);
	memcpy(p, FRAGMENT_MAGIC, 4);
	be32_put(p + 4, FRAGMENT_VERSION);
	be32_put(p + 8, (uint32_t)w->n_packs);
	be32_put(p + 12, (uint32_t)w->n_objects);
	be32_put(p + 16, (uint32_t)w->n_extents);
	be64_put(p + 24, encoded_len(w));
	return p + FRAGMENT_HEADER_LEN;
}

static uint8_t *put_packs(uint8_t *p, const struct fragment_writer *w)
{
	for (size_t i = 0; i < w->n_packs; i++, p += FRAGMENT_PACK_LEN) {
		memcpy(p, w->packs[i].id.id, OID_LEN);
		be64_put(p + OID_LEN, w->packs[i].size);
	}
	return p;
}

/* Ids, records and extents of the sorted objects. */
static uint8_t *put_objects(uint8_t *ids, const struct fragment_writer *w)
{
	uint8_t *record = ids + w->n_objects * OID_LEN;
	uint8_t *extent = record + w->n_objects * FRAGMENT_RECORD_LEN;
	uint32_t first = 0;

	for (size_t i = 0; i < w->n_objects; i++) {
		const struct object *o = &w->objects[i];

		memcpy(ids + i * OID_LEN, o->oid.id, OID_LEN);
		be64_put(record, o->size);
		be32_put(record + 8, first);
		record += FRAGMENT_RECORD_LEN;
		for (uint32_t k = 0; k < o->n; k++, extent += FRAGMENT_EXTENT_LEN) {
			be32_put(extent, w->extents[o->first + k].pack);
			be32_put(extent + 4, w->extents[o->first + k].offset);
			be32_put(extent + 8, w->extents[o->first + k].length);
		}
		first += o->n;
	}
	return extent;
}

int fragment_writer_finish(struct fragment_writer *w, struct buf *out, struct oid *name)
{
	uint64_t len = encoded_len(w);
	XXH128_canonical_t sum;
	uint8_t *start, *p;
	int rc;

	if (len > FRAGMENT_LEN_MAX)
		return err_set(
			ERR_LIMIT, "an index fragment of %llu bytes", (unsigned long long)len);
	rc = buf_grow(out, (size_t)len);
	if (rc < 0)
		return rc;
	if (w->n_objects)
		qsort(w->objects, w->n_objects, sizeof *w->objects, by_id);
	oidindex_release(&w->by_object);
	start = (uint8_t *)out->p + out->len;
	p = put_header(start, w);
	p = put_packs(p, w);
	p = put_objects(p, w);
	XXH128_canonicalFromHash(&sum, XXH3_128bits(start, (size_t)(p - start)));
	memcpy(p, sum.digest, sizeof sum.digest);
	oid_of(name, start, (size_t)len);
	out->len += (size_t)len;
	out->p[out->len] = '\0';
	return 0;
}
