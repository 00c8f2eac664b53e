/*
 * What a blob store has: one listing, the fragments from the local cache or fetched once; and, for
 * a push that takes long, whether what it relied on is still going to stay (docs/remote-gc.md).
 */
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"
#include "transfer/blob/blobstore.h"

#include <stdlib.h>
#include <string.h>

/* ---- one fragment ---- */

static int add_fragment(struct blobstore *b, const struct remote_entry *e)
{
	if (array_room(&b->fragments, b->n_fragments, &b->cap_fragments, sizeof(*b->fragments)) < 0)
		return ERR_NOMEM;
	b->fragments[b->n_fragments++] =
		(struct named_fragment){.name = e->name, .size = e->size, .mtime = e->mtime};
	return 0;
}

static int open_cached(struct blobstore *b, struct named_fragment *f)
{
	struct buf path = BUF_INIT;
	int rc = cache_path(b->cache, CACHE_FRAGMENT, &f->name, &path);

	if (rc == 0)
		rc = fragment_open(&f->fragment, path.p);
	if (rc < 0 && rc != ERR_NOTFOUND)
		cache_remove(b->cache, CACHE_FRAGMENT, &f->name);
	buf_release(&path);
	return rc;
}

static int fetch_fragment(struct blobstore *b, struct named_fragment *f)
{
	struct buf bytes = BUF_INIT;
	struct oid name;
	int rc = remote_get_all(
		b->remote, REMOTE_FRAGMENT, &f->name, f->size, FRAGMENT_BYTES_MAX, &bytes);

	if (rc == 0) {
		oid_of(&name, bytes.p, bytes.len);
		if (!oid_eq(&name, &f->name))
			rc = err_set(ERR_CORRUPT, "its bytes do not hash to its name");
	}
	if (rc == 0)
		rc = fragment_parse(&f->fragment, bytes.p, bytes.len);
	if (rc == 0)
		cache_write(b->cache, CACHE_FRAGMENT, &f->name, bytes.p, bytes.len);
	buf_release(&bytes);
	return rc;
}

int blobstore_read_fragment(
	struct blobstore *b, const struct oid *name, uint64_t size, struct fragment **out)
{
	struct named_fragment f = {.name = *name, .size = size};
	int rc = open_cached(b, &f);

	if (rc < 0)
		rc = fetch_fragment(b, &f);
	*out = f.fragment;
	return rc;
}

static void warn_damaged(struct blobstore *b, const struct named_fragment *f)
{
	struct buf text = BUF_INIT;
	char *why = strdup(err_msg());

	buf_addstr(&text, "damaged fragment '");
	b->remote->ops->describe(b->remote, REMOTE_FRAGMENT, &f->name, &text);
	buf_addf(&text,
		"': %s; objects that it alone names count as missing, 'git dvx push --all-commits' "
		"from a clone that has them sends them again",
		why ? why : "");
	engine_warn(b->engine, buf_str(&text));
	free(why);
	buf_release(&text);
}

/* ---- all of them ---- */

struct loading {
	struct blobstore *blobstore;
	int condemned; /* those as well */
};

/* A damaged fragment fails nothing by itself; being unable to read at all does. */
static int load_one(size_t i, void *data)
{
	struct loading *l = data;
	struct blobstore *b = l->blobstore;
	struct named_fragment *f = &b->fragments[i];
	int rc = engine_check_stop(b->engine);

	if (rc < 0 || f->tried || (f->condemned && !l->condemned))
		return rc;
	f->tried = 1;
	if (!b->engine->check && open_cached(b, f) == 0)
		return 0;
	rc = fetch_fragment(b, f);
	if (rc == ERR_CORRUPT || rc == ERR_UNSUPPORTED || rc == ERR_LIMIT) {
		warn_damaged(b, f);
		__atomic_add_fetch(&b->n_damaged, 1, __ATOMIC_RELAXED);
		rc = 0;
	} else if (rc == ERR_NOTFOUND) {
		__atomic_add_fetch(&b->n_gone, 1, __ATOMIC_RELAXED);
		rc = 0; /* removed since the listing */
	}
	return rc;
}

static int prune_one(const struct oid *name, int64_t age, void *data)
{
	struct blobstore *b = data;

	(void)age;
	if (!listing_fragment(&b->listing, name))
		cache_remove(b->cache, CACHE_FRAGMENT, name);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct named_fragment *x = a, *y = b;

	return oid_cmp(&x->name, &y->name);
}

int blobstore_parallel(const struct blobstore *b)
{
	if (b->engine->jobs > 0 || b->remote->parallel <= 0)
		return engine_jobs(b->engine);
	return b->remote->parallel;
}

struct named_fragment *blobstore_fragment(const struct blobstore *b, const struct oid *name)
{
	struct named_fragment key = {.name = *name};

	if (b->n_fragments == 0)
		return NULL;
	return bsearch(&key, b->fragments, b->n_fragments, sizeof(key), compare_names);
}

/* Take over what the listing has that is not known yet. */
static int take_listing(struct blobstore *b)
{
	size_t known = b->n_fragments;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->listing.n_fragments; i++) {
		const struct remote_entry *e = &b->listing.fragments[i];
		struct blobstore before = {.fragments = b->fragments, .n_fragments = known};

		if (!blobstore_fragment(&before, &e->name))
			rc = add_fragment(b, e);
	}
	if (b->n_fragments)
		qsort(b->fragments, b->n_fragments, sizeof(*b->fragments), compare_names);
	for (size_t i = 0; i < b->n_fragments; i++)
		b->fragments[i].condemned =
			listing_condemned(&b->listing, REMOTE_FRAGMENT, &b->fragments[i].name);
	return rc;
}

static int load_fragments(struct blobstore *b, int condemned)
{
	struct loading loading = {b, condemned};

	return workers_run(blobstore_parallel(b), b->n_fragments, load_one, &loading);
}

int blobstore_load(struct blobstore *b)
{
	int rc =
		listing_read(&b->listing, b->remote, b->cache, blobstore_parallel(b), b->wants_now);

	if (rc == 0)
		rc = take_listing(b);
	if (rc == 0)
		rc = load_fragments(b, 0);
	return rc < 0 ? rc : cache_each(b->cache, CACHE_FRAGMENT, prune_one, b);
}

int blobstore_load_condemned(struct blobstore *b)
{
	return load_fragments(b, 1);
}

/* Another listing in place of the one at hand. */
static int list_again(struct blobstore *b, struct listing *old)
{
	struct listing again = {0};
	int rc = listing_read(&again, b->remote, b->cache, blobstore_parallel(b), b->wants_now);

	if (rc < 0) {
		listing_release(&again);
		return rc;
	}
	*old = b->listing;
	b->listing = again;
	return 0;
}

int blobstore_load_again(struct blobstore *b)
{
	struct listing old = {0};
	int rc = list_again(b, &old);

	if (rc == 0)
		rc = take_listing(b);
	if (rc == 0)
		rc = load_fragments(b, 1);
	listing_release(&old);
	return rc;
}

int blobstore_adopt(struct blobstore *b, const struct oid *name, const struct buf *bytes)
{
	struct remote_entry e = {REMOTE_FRAGMENT, *name, bytes->len, INT64_MAX};
	struct named_fragment *f = blobstore_fragment(b, name);
	int rc = 0;

	if (!f)
		rc = add_fragment(b, &e);
	if (rc == 0 && !f) {
		f = &b->fragments[b->n_fragments - 1];
		f->tried = 1;
		rc = fragment_parse(&f->fragment, bytes->p, bytes->len);
		qsort(b->fragments, b->n_fragments, sizeof(*b->fragments), compare_names);
	}
	return rc;
}

/* ---- what answers depend on ---- */

int blobstore_rely(struct blobstore *b, enum remote_class c, const struct oid *name)
{
	struct relied_names *r = &b->relied[c];
	int rc = oidmap_add(&r->known, name, 0);

	if (rc <= 0)
		return rc;
	if (array_room(&r->v, r->n, &r->cap, sizeof(*r->v)) < 0)
		return ERR_NOMEM;
	r->v[r->n++] = *name;
	return 0;
}

static int all_stay(const struct blobstore *b)
{
	for (int c = REMOTE_PACK; c <= REMOTE_FRAGMENT; c++) {
		for (size_t i = 0; i < b->relied[c].n; i++) {
			const struct oid *name = &b->relied[c].v[i];

			if (listing_condemned(&b->listing, (enum remote_class)c, name))
				return 0;
			if (c == REMOTE_FRAGMENT && !listing_fragment(&b->listing, name))
				return 0;
		}
	}
	return 1;
}

int blobstore_check_relied(struct blobstore *b)
{
	const int64_t grace = b->grace * 1000000000;
	int64_t begun = b->listing.begun;
	struct listing old = {0};
	int rc;

	if (grace == 0 || listing_clock() - begun < grace / 2)
		return 0;
	rc = list_again(b, &old);
	if (rc == 0)
		rc = listing_check(&b->listing);
	if (rc == 0 && (listing_clock() - begun >= grace || !all_stay(b)))
		rc = err_set(ERR_REMOTE,
			"this took so long that what it relied on may be removed from remote '%s'; "
			"run it again",
			b->remote->name);
	listing_release(&old);
	return rc;
}
