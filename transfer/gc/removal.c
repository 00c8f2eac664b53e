/*
 * Notices as blobs: their age, their writing, their end.
 */
#include "transfer/gc/removal.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int removal_older(const struct listing *l, int64_t mtime, int64_t seconds)
{
	return seconds == 0 || l->now - mtime > seconds;
}

int removal_in_time(int64_t grace, int64_t begun)
{
	return grace == 0 || listing_clock() - begun < grace * (1000000000 / 4);
}

int removal_is_due(struct blobstore *b, int64_t grace, const struct listed_notice *n)
{
	uint64_t size;
	int rc;

	if (n->spent || !removal_older(&b->listing, n->mtime, grace) ||
		n->notice.names[NOTICE_FRAGMENT].n + n->notice.names[NOTICE_PACK].n == 0)
		return 0;
	rc = b->remote->ops->size(b->remote, REMOTE_NOTICE, &n->name, &size);
	return rc == 0 ? 1 : rc == ERR_NOTFOUND ? 0 : rc;
}

int removal_put_notice(struct blobstore *b, const struct notice *n)
{
	uint8_t random[NOTICE_RANDOM_LEN];
	struct buf text = BUF_INIT;
	struct oid name;
	int rc;

	if (notice_count(n) == 0)
		return 0;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys("cannot get random bytes");
	rc = notice_build(n, b->listing.now, random, &text, &name);
	if (rc == 0)
		rc = remote_put_bytes(b->remote, REMOTE_NOTICE, &name, text.p, text.len);
	if (rc >= 0)
		cache_write(b->cache, CACHE_NOTICE, &name, text.p, text.len);
	buf_release(&text);
	return rc < 0 ? rc : 0;
}

struct removing {
	struct blobstore *blobstore;
	enum remote_class class;
	const struct oid *names;
};

static int remove_one(size_t i, void *data)
{
	const struct removing *r = data;
	struct remote *remote = r->blobstore->remote;
	int rc = engine_check_stop(r->blobstore->engine);

	return rc < 0 ? rc : remote->ops->remove(remote, r->class, &r->names[i]);
}

int removal_remove(struct blobstore *b, enum remote_class c, const struct oid *names, size_t n)
{
	struct removing r = {b, c, names};

	return workers_run(blobstore_parallel(b), n, remove_one, &r);
}

/* 1 when a notice that `n` calls spent is still listed. */
static int keeps_another(const struct listing *l, const struct notice *n)
{
	for (size_t i = 0; i < n->names[NOTICE_SPENT].n; i++) {
		if (listing_notice(l, &n->names[NOTICE_SPENT].v[i]))
			return 1;
	}
	return 0;
}

static int is_over(const struct listing *l, int64_t grace, const struct listed_notice *n)
{
	const struct notice *t = &n->notice;

	if (notice_count(t) == 0 || keeps_another(l, t))
		return 0;
	if (t->names[NOTICE_FRAGMENT].n + t->names[NOTICE_PACK].n)
		return n->spent && removal_older(l, n->spent_at, grace / 2);
	return removal_older(l, n->mtime, grace / 2);
}

int removal_retire(struct blobstore *b, int64_t grace)
{
	const struct listing *l = &b->listing;
	struct oid *names = calloc(l->n_notices + 1, sizeof(*names));
	size_t n = 0;
	int rc;

	if (!names)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < l->n_notices; i++) {
		if (is_over(l, grace, &l->notices[i]))
			names[n++] = l->notices[i].name;
	}
	rc = removal_remove(b, REMOTE_NOTICE, names, n);
	free(names);
	return rc;
}

int removal_same_place(const struct fragment *f, const struct fragment_object *o,
	const struct fragment *in, const struct fragment_object *other)
{
	if (o->size != other->size || o->n_extents != other->n_extents)
		return 0;
	for (uint32_t i = 0; i < o->n_extents; i++) {
		struct fragment_extent x, y;
		struct oid a, b;
		uint64_t size;

		fragment_extent_at(o, i, &x);
		fragment_extent_at(other, i, &y);
		fragment_pack_at(f, x.pack, &a, &size);
		fragment_pack_at(in, y.pack, &b, &size);
		if (x.offset != y.offset || x.length != y.length || !oid_eq(&a, &b))
			return 0;
	}
	return 1;
}
