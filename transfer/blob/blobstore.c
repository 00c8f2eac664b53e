/*
 * The questions about what a blob store has.  Listing and reading it is blobstore_load.c, sending
 * is upload.c, fetching is download.c.
 */
#include "transfer/blob/blobstore.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/store/oidindex.h"

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

/* ---- where objects are ---- */

struct hits {
	struct blob_hit *v;
	size_t n, cap;
};

static int add_hit(struct hits *h, size_t object, const struct named_fragment *in,
	const struct fragment_object *at)
{
	if (array_room(&h->v, h->n, &h->cap, sizeof(*h->v)) < 0)
		return ERR_NOMEM;
	h->v[h->n++] = (struct blob_hit){.object = object, .in = in, .at = *at};
	return 0;
}

/* Either look each wanted object up, or pass all objects of the fragment by the map: whichever is
 * less work. */
static int locate_in(const struct named_fragment *f, const struct transfer_object *objects,
	size_t n, const struct oidindex *wanted, struct hits *h)
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
		if (oidindex_get(wanted, OIDARRAY(objects), &at.oid, &i) &&
			at.size == objects[i].size)
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
	struct oidindex wanted = {0};
	struct hits h = {NULL, 0, 0};
	int rc;

	*hits = NULL;
	*n_hits = 0;
	rc = oidindex_reserve(&wanted, n);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		if (objects[i].state == TRANSFER_OPEN)
			rc = oidindex_add(&wanted, OIDARRAY(objects), (uint32_t)i);
	}
	for (size_t i = 0; rc >= 0 && i < b->n_fragments; i++) {
		if (b->fragments[i].fragment)
			rc = locate_in(&b->fragments[i], objects, n, &wanted, &h);
	}
	oidindex_release(&wanted);
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
