/*
 * The cuts of an object are nowhere but in the headers of its entries, and in the index of each
 * pack once more: sorted by id there, put in order here.
 */
#include "transfer/blob/resume.h"
#include "lib/base/err.h"

#include <stdlib.h>

/* The entries of one pack in the order of the pack; extents that follow each other mostly lie in
 * the same. */
struct entries {
	struct oid pack;
	struct pack_entry *v;
	size_t n;
};

static int compare_offsets(const void *a, const void *b)
{
	const struct pack_entry *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int load_entries(
	struct blobstore *b, const struct oid *pack, uint64_t size, struct entries *e)
{
	struct pack_index *x = NULL;
	int rc;

	if (e->v && oid_eq(&e->pack, pack))
		return 0;
	free(e->v);
	e->v = NULL;
	e->n = 0;
	rc = blobstore_pack_index(b, pack, size, &x);
	if (rc < 0)
		return rc;
	e->pack = *pack;
	e->n = pack_index_count(x);
	e->v = calloc(e->n + 1, sizeof(*e->v));
	for (size_t i = 0; e->v && i < e->n; i++)
		e->v[i] = *pack_index_at(x, i);
	if (e->v)
		qsort(e->v, e->n, sizeof(*e->v), compare_offsets);
	pack_index_free(x);
	return e->v ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* Pass the entries of one extent.  1: all of them, 0: `have` or what the index knows ends before.
 */
static int pass_extent(const struct entries *e, const struct fragment_extent *x, uint64_t have,
	struct resume_point *p)
{
	uint64_t at = x->offset, end = at + x->length;

	for (size_t i = 0; i < e->n && at < end; i++) {
		uint64_t len = PACK_ENTRY_HEADER_LEN + (uint64_t)e->v[i].stored_len;

		if (e->v[i].offset < at)
			continue;
		if (e->v[i].offset != at || len > end - at || e->v[i].raw_len > have - p->bytes)
			return 0;
		at += len;
		p->at.offset += (uint32_t)len;
		p->bytes += e->v[i].raw_len;
		p->stored += len;
	}
	return at == end;
}

int resume_find(
	struct blobstore *b, const struct blob_hit *h, uint64_t have, struct resume_point *p)
{
	struct entries e = {.v = NULL};
	struct fragment_extent x;
	struct oid pack;
	uint64_t size;
	int rc = 0;

	*p = (struct resume_point){.bytes = 0};
	while (rc == 0 && p->at.extent < h->at.n_extents) {
		rc = engine_check_stop(b->engine);
		if (rc < 0)
			break;
		fragment_extent_at(&h->at, p->at.extent, &x);
		fragment_pack_at(h->in->fragment, x.pack, &pack, &size);
		rc = load_entries(b, &pack, size, &e);
		if (rc < 0 || !pass_extent(&e, &x, have, p))
			break;
		p->at.extent++;
		p->at.offset = 0;
	}
	free(e.v);
	if (rc == ERR_INTERRUPTED || rc == ERR_NOMEM)
		return rc;
	err_clear();
	return 0;
}
