/*
 * Merging many small fragments into one, and removing the merged ones when their time has come.
 * All of it only changes where names of objects stand: an object keeps being named at the same
 * place at every moment, so nothing need be known about who needs it.
 */
#include "transfer/gc/tidy.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/blob/fresh.h"
#include "transfer/gc/removal.h"

#include <stdlib.h>
#include <string.h>

enum {
	MERGE_COUNT = 64,
	MERGE_BYTES_MAX = 64 * 1024 * 1024,
	PACKS_ASKED_MAX = 32,
	REMOVED_MAX = 32, /* of one push */
	READ_BYTES_MAX = 32 * 1024 * 1024
};

/* Fragments of a size are merged when there are many: into one of the next size. */
static const struct {
	uint64_t from, to;
} sizes[] = {{0, 1024 * 1024}, {1024 * 1024, 16 * 1024 * 1024}};

/* ---- merging ---- */

struct merge {
	struct blobstore *blobstore;
	const struct named_fragment **from;
	size_t n;
	struct fragment *merged;
	struct oidmap packs; /* asked for: 1 is there with the right size */
};

static int compare_age(const void *a, const void *b)
{
	const struct named_fragment *const *x = a, *const *y = b;

	if ((*x)->mtime != (*y)->mtime)
		return (*x)->mtime < (*y)->mtime ? -1 : 1;
	return oid_cmp(&(*x)->name, &(*y)->name);
}

/* The fragments of a size, oldest first, as many as may become one. */
static int choose(struct merge *m, uint64_t from, uint64_t to)
{
	struct blobstore *b = m->blobstore;
	uint64_t bytes = 0;
	size_t n = 0;

	m->from = calloc(b->n_fragments + 1, sizeof(struct named_fragment *));
	if (!m->from)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < b->n_fragments; i++) {
		const struct named_fragment *f = &b->fragments[i];

		if (f->fragment && !f->condemned && f->size >= from && f->size < to)
			m->from[n++] = f;
	}
	if (n)
		qsort(m->from, n, sizeof(struct named_fragment *), compare_age);
	while (m->n < n && bytes + m->from[m->n]->size <= MERGE_BYTES_MAX)
		bytes += m->from[m->n++]->size;
	return 0;
}

/* All objects of `f` that are not there yet, in the same places. */
static int add_objects(struct fragment_writer *w, const struct fragment *f)
{
	struct fragment_extent *x = NULL;
	struct fragment_object o;
	size_t cap = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < fragment_count(f); i++) {
		fragment_at(f, i, &o);
		if (o.size == 0)
			continue;
		if (o.n_extents > cap) {
			cap = o.n_extents;
			free(x);
			x = calloc(cap, sizeof(*x));
			if (!x)
				return err_set(ERR_NOMEM, "out of memory");
		}
		for (uint32_t k = 0; rc == 0 && k < o.n_extents; k++) {
			struct oid pack;
			uint64_t size;

			fragment_extent_at(&o, k, &x[k]);
			fragment_pack_at(f, x[k].pack, &pack, &size);
			rc = fragment_writer_pack(w, &pack, size, &x[k].pack);
		}
		if (rc >= 0)
			rc = fragment_writer_object(w, &o.oid, o.size, x, o.n_extents);
		rc = rc < 0 ? rc : 0;
	}
	free(x);
	return rc;
}

/* Of an object with two places the younger fragment knows better: it was sent again. */
static int put_merged(struct merge *m)
{
	struct blobstore *b = m->blobstore;
	struct fragment_writer *w = NULL;
	struct buf bytes = BUF_INIT;
	struct oid name;
	int rc = fragment_writer_new(&w);

	for (size_t i = m->n; rc == 0 && i > 0; i--)
		rc = add_objects(w, m->from[i - 1]->fragment);
	if (rc == 0)
		rc = fresh_fragment(&b->listing, w, &bytes, &name);
	if (rc == 0)
		rc = fragment_parse(&m->merged, bytes.p, bytes.len);
	if (rc == 0)
		rc = remote_put_bytes(b->remote, REMOTE_FRAGMENT, &name, bytes.p, bytes.len);
	if (rc >= 0)
		cache_write(b->cache, CACHE_FRAGMENT, &name, bytes.p, bytes.len);
	fragment_writer_free(w);
	buf_release(&bytes);
	return rc < 0 ? rc : 0;
}

static int pack_is_there(struct merge *m, const struct oid *name, uint64_t size)
{
	struct remote *r = m->blobstore->remote;
	uint32_t there;
	uint64_t found;

	if (oidmap_get(&m->packs, name, &there))
		return there != 0;
	if (m->packs.n >= PACKS_ASKED_MAX)
		return 0;
	there = r->ops->size(r, REMOTE_PACK, name, &found) == 0 && found == size;
	return oidmap_add(&m->packs, name, there) >= 0 && there;
}

static int is_whole(struct merge *m, const struct fragment_object *o)
{
	for (uint32_t i = 0; i < o->n_extents; i++) {
		struct fragment_extent x;
		struct oid pack;
		uint64_t size;

		fragment_extent_at(o, i, &x);
		fragment_pack_at(m->merged, x.pack, &pack, &size);
		if (!pack_is_there(m, &pack, size))
			return 0;
	}
	return 1;
}

/* Nothing is lost without `f`. */
static int is_covered(struct merge *m, const struct fragment *f)
{
	struct fragment_object o, other;

	for (size_t i = 0; i < fragment_count(f); i++) {
		fragment_at(f, i, &o);
		if (o.size == 0)
			continue;
		if (!fragment_find(m->merged, &o.oid, &other))
			return 0;
		if (!removal_same_place(f, &o, m->merged, &other) &&
			(o.size != other.size || !is_whole(m, &other)))
			return 0;
	}
	return 1;
}

static int give_notice(struct merge *m)
{
	struct notice notice = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->n; i++) {
		if (is_covered(m, m->from[i]->fragment))
			rc = notice_add(&notice, NOTICE_FRAGMENT, &m->from[i]->name);
	}
	if (rc == 0)
		rc = removal_put_notice(m->blobstore, &notice);
	notice_release(&notice);
	return rc;
}

static int merge_size(struct blobstore *b, uint64_t from, uint64_t to)
{
	struct merge m = {.blobstore = b};
	int rc = choose(&m, from, to);

	if (rc == 0 && m.n > MERGE_COUNT) {
		rc = put_merged(&m);
		if (rc == 0)
			rc = give_notice(&m);
	}
	fragment_free(m.merged);
	oidmap_release(&m.packs);
	free(m.from);
	return rc;
}

/* ---- removing what merges left ---- */

/* Every object of `f` is named at the same place by a fragment that stays. */
static int is_named_elsewhere(const struct blobstore *b, const struct fragment *f)
{
	for (size_t i = 0; i < fragment_count(f); i++) {
		struct fragment_object o, other;
		int found = 0;

		fragment_at(f, i, &o);
		for (size_t k = 0; o.size && !found && k < b->n_fragments; k++) {
			const struct named_fragment *g = &b->fragments[k];

			found = g->fragment && !g->condemned &&
				fragment_find(g->fragment, &o.oid, &other) &&
				removal_same_place(f, &o, g->fragment, &other);
		}
		if (o.size && !found)
			return 0;
	}
	return 1;
}

/* Act on one notice: as far as a push may.  *rest is how many of its fragments are left. */
static int act_on(struct blobstore *b, const struct notice *n, size_t *rest)
{
	const struct notice_names *names = &n->names[NOTICE_FRAGMENT];
	struct oid gone[REMOVED_MAX];
	uint64_t bytes = 0;
	size_t count = 0;
	int rc = 0;

	*rest = 0;
	for (size_t i = 0; rc == 0 && i < names->n; i++) {
		const struct remote_entry *e = listing_fragment(&b->listing, &names->v[i]);
		struct fragment *f = NULL;

		if (!e)
			continue;
		++*rest;
		bytes += e->size;
		if (count == REMOVED_MAX || bytes > READ_BYTES_MAX)
			continue;
		rc = blobstore_read_fragment(b, &e->name, e->size, &f);
		if (rc == 0 && is_named_elsewhere(b, f))
			gone[count++] = e->name;
		fragment_free(f);
	}
	if (rc == 0)
		rc = removal_remove(b, REMOTE_FRAGMENT, gone, count);
	*rest -= rc == 0 ? count : 0;
	return rc;
}

/* The first notice that is due and of fragments alone. */
static int remove_merged(struct blobstore *b)
{
	struct notice spent = {0};
	size_t rest = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->listing.n_notices; i++) {
		const struct listed_notice *n = &b->listing.notices[i];

		if (n->notice.names[NOTICE_PACK].n)
			continue;
		rc = removal_is_due(b, b->grace, n);
		if (rc <= 0)
			continue;
		rc = act_on(b, &n->notice, &rest);
		if (rc == 0 && rest == 0)
			rc = notice_add(&spent, NOTICE_SPENT, &n->name);
		break;
	}
	if (rc == 0)
		rc = removal_put_notice(b, &spent);
	notice_release(&spent);
	return rc;
}

/* Who may not put notices would merge the same fragments with every push: a file in the local cache
 * remembers that it is in vain. */
static int is_in_vain(const struct blobstore *b, struct buf *mark)
{
	return buf_addf(mark, "%s/no-notices", cache_dir(b->cache)) < 0 || fs_exists(mark->p);
}

static int merge_sizes(struct blobstore *b)
{
	struct buf mark = BUF_INIT;
	int rc = 0;

	if (!is_in_vain(b, &mark)) {
		for (size_t i = 0; rc == 0 && i < sizeof(sizes) / sizeof(sizes[0]); i++)
			rc = merge_size(b, sizes[i].from, sizes[i].to);
		if (rc == ERR_DENIED || rc == ERR_UNSUPPORTED)
			fs_replace_file(mark.p, "", 0, 0);
	}
	buf_release(&mark);
	return rc;
}

void tidy_after_push(struct blobstore *b)
{
	int rc;

	if (!removal_in_time(b->grace, b->listing.begun) || b->grace == 0)
		return;
	rc = merge_sizes(b);
	if (rc == 0 && b->listing.now)
		rc = remove_merged(b);
	if (rc == 0 && b->listing.now)
		rc = removal_retire(b, b->grace);
	if (rc < 0)
		err_clear();
}
