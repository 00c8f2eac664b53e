/*
 * What a blob store has: one listing, the fragments from the local cache (or fetched once), and the
 * questions about them.  Sending is upload.c, fetching is download.c.
 */
#include "transfer/blobstore.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"

#include <stdlib.h>
#include <string.h>

enum {
	GRACE_DEFAULT = 24 * 3600,
	TAIL_GUESS = 128 * 1024, /* holds the index of a pack of normal chunks */
	FIND_COST = 20		 /* looking one object up costs as much as passing so many by */
};

#define PACK_ABSENT UINT32_MAX

int blobstore_open(struct blobstore **out, struct engine *e, struct remote *remote)
{
	struct blobstore *b = calloc(1, sizeof(*b));
	int rc;

	*out = NULL;
	if (!b)
		return err_set(ERR_NOMEM, "out of memory");
	b->engine = e;
	b->remote = remote;
	b->grace = config_int(e->config, "dvx.gcGrace", GRACE_DEFAULT);
	if (b->grace < 0)
		b->grace = GRACE_DEFAULT;
	pthread_mutex_init(&b->lock, NULL);
	rc = cache_open(&b->cache, e->git->dvx_dir, remote->url);
	if (rc < 0)
		blobstore_close(b);
	else
		*out = b;
	return rc;
}

void blobstore_close(struct blobstore *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_fragments; i++)
		fragment_free(b->fragments[i].fragment);
	free(b->fragments);
	listing_release(&b->listing);
	for (int c = REMOTE_PACK; c <= REMOTE_FRAGMENT; c++) {
		oidmap_release(&b->relied[c].known);
		free(b->relied[c].v);
	}
	oidmap_release(&b->pack_sizes);
	cache_close(b->cache);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* ---- loading fragments ---- */

static int add_fragment(struct blobstore *b, const struct remote_entry *e)
{
	struct named_fragment *f;

	if (b->n_fragments == b->cap_fragments) {
		size_t cap = b->cap_fragments ? b->cap_fragments * 2 : 64;

		f = reallocarray(b->fragments, cap, sizeof(*f));
		if (!f)
			return err_set(ERR_NOMEM, "out of memory");
		b->fragments = f;
		b->cap_fragments = cap;
	}
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
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		struct oid *v = reallocarray(r->v, cap, sizeof(*v));

		if (!v)
			return err_set(ERR_NOMEM, "out of memory");
		r->v = v;
		r->cap = cap;
	}
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

/* ---- where objects are ---- */

struct hits {
	struct blob_hit *v;
	size_t n, cap;
};

static int add_hit(struct hits *h, size_t object, const struct named_fragment *in,
	const struct fragment_object *at)
{
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 256;
		struct blob_hit *v = realloc(h->v, cap * sizeof(*v));

		if (!v)
			return err_set(ERR_NOMEM, "out of memory");
		h->v = v;
		h->cap = cap;
	}
	h->v[h->n++] = (struct blob_hit){.object = object, .in = in, .at = *at};
	return 0;
}

/* Either look each wanted object up, or pass all objects of the fragment by the map: whichever is
 * less work. */
static int locate_in(const struct named_fragment *f, const struct transfer_object *objects,
	size_t n, const struct oidmap *wanted, struct hits *h)
{
	size_t count = fragment_count(f->fragment);
	struct fragment_object at;
	uint32_t i;
	int rc = 0;

	if (wanted->n < count / FIND_COST) {
		for (i = 0; rc == 0 && i < n; i++) {
			if (objects[i].state == TRANSFER_OPEN &&
				fragment_find(f->fragment, &objects[i].oid, &at) &&
				at.size == objects[i].size)
				rc = add_hit(h, i, f, &at);
		}
		return rc;
	}
	for (size_t k = 0; rc == 0 && k < count; k++) {
		fragment_at(f->fragment, k, &at);
		if (oidmap_get(wanted, &at.oid, &i) && at.size == objects[i].size)
			rc = add_hit(h, i, f, &at);
	}
	return rc;
}

static int compare_hits(const void *a, const void *b)
{
	const struct blob_hit *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	if (x->in->condemned != y->in->condemned)
		return x->in->condemned - y->in->condemned;
	return oid_cmp(&x->in->name, &y->in->name);
}

int blobstore_locate(struct blobstore *b, const struct transfer_object *objects, size_t n,
	struct blob_hit **hits, size_t *n_hits)
{
	struct oidmap wanted = OIDMAP_INIT;
	struct hits h = {NULL, 0, 0};
	int rc;

	*hits = NULL;
	*n_hits = 0;
	rc = oidmap_reserve(&wanted, n);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		if (objects[i].state == TRANSFER_OPEN)
			rc = oidmap_add(&wanted, &objects[i].oid, (uint32_t)i);
	}
	for (size_t i = 0; rc >= 0 && i < b->n_fragments; i++) {
		if (b->fragments[i].fragment)
			rc = locate_in(&b->fragments[i], objects, n, &wanted, &h);
	}
	oidmap_release(&wanted);
	if (rc < 0) {
		free(h.v);
		return rc;
	}
	if (h.n)
		qsort(h.v, h.n, sizeof(*h.v), compare_hits);
	*hits = h.v;
	*n_hits = h.n;
	return 0;
}

int blobstore_find(const struct blobstore *b, const struct oid *oid, struct blob_hit *hit)
{
	for (size_t i = 0; i < b->n_fragments; i++) {
		const struct named_fragment *f = &b->fragments[i];

		if (f->fragment && fragment_find(f->fragment, oid, &hit->at)) {
			hit->object = 0;
			hit->in = f;
			return 1;
		}
	}
	return 0;
}

static int note_size(const struct remote_entry *e, void *data)
{
	struct blobstore *b = data;

	return e->size <= PACK_MAX && oidmap_set(&b->pack_sizes, &e->name, (uint32_t)e->size) < 0
		       ? ERR_NOMEM
		       : 0;
}

int blobstore_list_packs(struct blobstore *b)
{
	int rc;

	pthread_mutex_lock(&b->lock);
	rc = b->remote->ops->list(b->remote, REMOTE_LIST_PACKS, note_size, b, NULL);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

int blobstore_has_pack(struct blobstore *b, const struct oid *name, uint64_t size)
{
	uint32_t found = PACK_ABSENT;
	uint64_t there;

	if (!b->remote->near && !b->engine->verify)
		return 1;
	pthread_mutex_lock(&b->lock);
	if (!oidmap_get(&b->pack_sizes, name, &found)) {
		if (b->remote->ops->size(b->remote, REMOTE_PACK, name, &there) == 0 &&
			there <= PACK_MAX)
			found = (uint32_t)there;
		oidmap_add(&b->pack_sizes, name, found);
	}
	pthread_mutex_unlock(&b->lock);
	return found == size;
}

/* Read the last *len bytes of a pack into `out`. */
static int read_tail(
	struct blobstore *b, const struct oid *name, uint64_t size, uint64_t len, struct buf *out)
{
	ssize_t n;
	int rc;

	buf_reset(out);
	rc = buf_grow(out, len);
	if (rc < 0)
		return rc;
	n = b->remote->ops->get(b->remote, REMOTE_PACK, name, size - len, out->p, len);
	if (n < 0)
		return (int)n;
	out->len = (size_t)n;
	return (uint64_t)n == len ? 0
				  : err_set(ERR_CORRUPT, "pack is shorter than its fragment says");
}

int blobstore_pack_index(
	struct blobstore *b, const struct oid *name, uint64_t size, struct pack_index **out)
{
	struct buf tail = BUF_INIT;
	uint64_t need = 0;
	int rc = cache_read(b->cache, CACHE_PACK_INDEX, name, &tail);

	*out = NULL;
	if (rc == 0)
		rc = pack_index_parse(out, tail.p, tail.len, size, &need);
	if (rc == 0)
		goto done;
	need = size < TAIL_GUESS ? size : TAIL_GUESS;
	rc = read_tail(b, name, size, need, &tail);
	if (rc == 0)
		rc = pack_index_parse(out, tail.p, tail.len, size, &need);
	if (rc == ERR_LIMIT && need <= size && need > tail.len) {
		rc = read_tail(b, name, size, need, &tail);
		if (rc == 0)
			rc = pack_index_parse(out, tail.p, tail.len, size, &need);
	}
	if (rc == 0)
		cache_write(b->cache, CACHE_PACK_INDEX, name, tail.p, tail.len);
done:
	buf_release(&tail);
	return rc;
}
