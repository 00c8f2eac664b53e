/*
 * Arrays that grow, and two maps into them.
 */
#include "transfer/blob/packtable.h"
#include "lib/base/array.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

void packtable_release(struct packtable *t)
{
	free(t->packs);
	free(t->places);
	oidmap_release(&t->by_name);
	oidmap_release(&t->chunks);
	memset(t, 0, sizeof(*t));
}

int packtable_begin(struct packtable *t)
{
	int rc = array_room(&t->packs, t->n_packs, &t->cap_packs, sizeof(*t->packs));

	if (rc < 0)
		return rc;
	memset(&t->packs[t->n_packs], 0, sizeof(*t->packs));
	t->packs[t->n_packs].ours = 1;
	return (int)t->n_packs++;
}

int packtable_name(struct packtable *t, uint32_t pack, const struct oid *name, uint64_t size)
{
	int rc = oidmap_add(&t->by_name, name, pack);

	t->packs[pack].name = *name;
	t->packs[pack].size = size;
	return rc < 0 ? rc : 0;
}

int packtable_has(const struct packtable *t, const struct oid *name)
{
	return oidmap_get(&t->by_name, name, NULL);
}

int packtable_add(struct packtable *t, const struct oid *name, uint64_t size,
	const struct pack_index *x, int ours)
{
	size_t n = pack_index_count(x);
	int number, rc;

	if (packtable_has(t, name))
		return 0;
	number = packtable_begin(t);
	if (number < 0)
		return number;
	t->packs[number].ours = ours;
	rc = packtable_name(t, (uint32_t)number, name, size);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct pack_entry *e = pack_index_at(x, i);
		struct fragment_extent at = {.pack = (uint32_t)number,
			.offset = (uint32_t)e->offset,
			.length = PACK_ENTRY_HEADER_LEN + e->stored_len};

		rc = packtable_add_chunk(t, &e->id, &at);
	}
	return rc < 0 ? rc : 1;
}

int packtable_add_chunk(struct packtable *t, const struct oid *id, const struct fragment_extent *at)
{
	int rc = array_room(&t->places, t->n_places, &t->cap_places, sizeof(*t->places));

	if (rc < 0)
		return rc;
	rc = oidmap_add(&t->chunks, id, (uint32_t)t->n_places);
	if (rc == 1)
		t->places[t->n_places++] = *at;
	return rc < 0 ? rc : 0;
}

int packtable_find(const struct packtable *t, const struct oid *id, struct fragment_extent *at)
{
	uint32_t place;

	if (!oidmap_get(&t->chunks, id, &place))
		return 0;
	*at = t->places[place];
	return 1;
}

void extents_release(struct extents *x)
{
	free(x->v);
	memset(x, 0, sizeof(*x));
}

int extents_add(struct extents *x, const struct fragment_extent *e)
{
	struct fragment_extent *last = x->n > x->first ? &x->v[x->n - 1] : NULL;
	int rc;

	if (last && last->pack == e->pack && last->offset + last->length == e->offset) {
		last->length += e->length;
		return 0;
	}
	rc = array_room(&x->v, x->n, &x->cap, sizeof(*x->v));
	if (rc == 0)
		x->v[x->n++] = *e;
	return rc;
}
