/*
 * Reads the one listing that a run begins with.  Notices are immutable blobs as fragments are, so
 * a copy in the local cache whose hash is right is as good as the original.
 */
#include "transfer/blob/listing.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of one kind.  Pushes keep them in the hundreds; a server may say what it likes. */
enum { NAMES_MAX = 1 << 20 };

int64_t listing_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void listing_release(struct listing *l)
{
	for (size_t i = 0; i < l->n_notices; i++)
		notice_release(&l->notices[i].notice);
	free(l->notices);
	free(l->fragments);
	oidmap_release(&l->condemned[REMOTE_PACK]);
	oidmap_release(&l->condemned[REMOTE_FRAGMENT]);
	free(l->trouble_message);
	memset(l, 0, sizeof(*l));
}

/* ---- names ---- */

static int too_many(void)
{
	return err_set(ERR_LIMIT,
		"more than %d fragments or notices are listed, where some hundred are usual; is "
		"the URL right?",
		NAMES_MAX);
}

static int add_fragment(struct listing *l, const struct remote_entry *e)
{
	if (l->n_fragments == NAMES_MAX)
		return too_many();
	if (array_room(&l->fragments, l->n_fragments, &l->cap_fragments, sizeof(*l->fragments)) < 0)
		return ERR_NOMEM;
	l->fragments[l->n_fragments++] = *e;
	return 0;
}

static int add_notice(struct listing *l, const struct remote_entry *e)
{
	if (l->n_notices == NAMES_MAX)
		return too_many();
	if (array_room(&l->notices, l->n_notices, &l->cap_notices, sizeof(*l->notices)) < 0)
		return ERR_NOMEM;
	l->notices[l->n_notices++] =
		(struct listed_notice){.name = e->name, .size = e->size, .mtime = e->mtime};
	return 0;
}

static int add_entry(const struct remote_entry *e, void *data)
{
	if (e->class == REMOTE_FRAGMENT)
		return add_fragment(data, e);
	return e->class == REMOTE_NOTICE ? add_notice(data, e) : 0;
}

static int compare_fragments(const void *a, const void *b)
{
	const struct remote_entry *x = a, *y = b;

	return oid_cmp(&x->name, &y->name);
}

const struct remote_entry *listing_fragment(const struct listing *l, const struct oid *name)
{
	struct remote_entry key = {.name = *name};

	if (l->n_fragments == 0)
		return NULL;
	return bsearch(&key, l->fragments, l->n_fragments, sizeof(key), compare_fragments);
}

struct listed_notice *listing_notice(const struct listing *l, const struct oid *name)
{
	for (size_t i = 0; i < l->n_notices; i++) {
		if (oid_eq(&l->notices[i].name, name))
			return &l->notices[i];
	}
	return NULL;
}

/* ---- notices ---- */

struct reading {
	struct listing *listing;
	struct remote *remote;
	const struct cache *cache;
	pthread_mutex_t lock; /* of the trouble */
};

static int parse_checked(struct listed_notice *n, const struct buf *text)
{
	struct oid name;

	oid_of(&name, text->p, text->len);
	if (!oid_eq(&name, &n->name))
		return err_set(ERR_CORRUPT, "its bytes do not hash to its name");
	return notice_parse(&n->notice, text->p, text->len);
}

static int read_cached(const struct reading *r, struct listed_notice *n)
{
	struct buf text = {.max = NOTICE_BYTES_MAX};
	int rc = cache_read(r->cache, CACHE_NOTICE, &n->name, &text);

	if (rc == 0)
		rc = parse_checked(n, &text);
	if (rc < 0)
		notice_release(&n->notice);
	buf_release(&text);
	return rc;
}

static int fetch_notice(const struct reading *r, struct listed_notice *n)
{
	struct buf text = BUF_INIT;
	int rc = remote_get_all(
		r->remote, REMOTE_NOTICE, &n->name, n->size, NOTICE_BYTES_MAX, &text);

	if (rc == 0)
		rc = parse_checked(n, &text);
	if (rc == 0)
		cache_write(r->cache, CACHE_NOTICE, &n->name, text.p, text.len);
	else
		notice_release(&n->notice);
	buf_release(&text);
	return rc;
}

static void note_trouble(struct reading *r, const struct listed_notice *n, int rc)
{
	struct buf where = BUF_INIT;

	r->remote->ops->describe(r->remote, REMOTE_NOTICE, &n->name, &where);
	rc = err_prefix(rc, "'%s'", buf_str(&where));
	if (rc != ERR_UNSUPPORTED)
		rc = err_set(rc, "damaged notice %s; 'git dvx fsck --remote --repair' mends it",
			err_msg());
	pthread_mutex_lock(&r->lock);
	if (!r->listing->trouble) {
		r->listing->trouble = rc;
		r->listing->trouble_message = strdup(err_msg());
	}
	pthread_mutex_unlock(&r->lock);
	buf_release(&where);
}

static int read_notice(size_t i, void *data)
{
	struct reading *r = data;
	struct listed_notice *n = &r->listing->notices[i];
	int rc = remote_check_stop(r->remote);

	if (rc == 0 && read_cached(r, n) < 0)
		rc = fetch_notice(r, n);
	if (rc == ERR_CORRUPT || rc == ERR_UNSUPPORTED || rc == ERR_LIMIT) {
		note_trouble(r, n, rc);
		rc = 0;
	}
	return rc == ERR_NOTFOUND ? 0 : rc; /* removed since the listing: it was spent */
}

/* What the notices say, in tables. */
static int evaluate(struct listing *l)
{
	static const enum notice_kind kind[] = {
		[REMOTE_PACK] = NOTICE_PACK, [REMOTE_FRAGMENT] = NOTICE_FRAGMENT};
	int rc = 0;

	for (size_t i = 0; i < l->n_notices; i++) {
		const struct listed_notice *n = &l->notices[i];

		for (int c = REMOTE_PACK; c <= REMOTE_FRAGMENT; c++) {
			const struct notice_names *names = &n->notice.names[kind[c]];

			for (size_t k = 0; rc >= 0 && k < names->n; k++)
				rc = oidmap_add(&l->condemned[c], &names->v[k], (uint32_t)i);
		}
		for (size_t k = 0; k < n->notice.names[NOTICE_SPENT].n; k++) {
			struct listed_notice *s =
				listing_notice(l, &n->notice.names[NOTICE_SPENT].v[k]);

			if (s && (!s->spent || n->mtime < s->spent_at)) {
				s->spent = 1;
				s->spent_at = n->mtime;
			}
		}
	}
	return rc < 0 ? rc : 0;
}

static int forget_unlisted(const struct oid *name, int64_t age, void *data)
{
	struct reading *r = data;

	(void)age;
	if (!listing_notice(r->listing, name))
		cache_remove(r->cache, CACHE_NOTICE, name);
	return 0;
}

int listing_read(
	struct listing *l, struct remote *r, const struct cache *cache, int parallel, int with_now)
{
	struct reading reading = {.listing = l, .remote = r, .cache = cache};
	int rc;

	l->begun = listing_clock();
	rc = r->ops->list(r, REMOTE_LIST_FRAGMENTS, add_entry, l, with_now ? &l->now : NULL);
	if (rc < 0)
		return rc;
	if (l->n_fragments)
		qsort(l->fragments, l->n_fragments, sizeof(*l->fragments), compare_fragments);
	pthread_mutex_init(&reading.lock, NULL);
	rc = workers_run(parallel, l->n_notices, read_notice, &reading);
	pthread_mutex_destroy(&reading.lock);
	if (rc == 0)
		rc = evaluate(l);
	if (rc == 0)
		rc = cache_each(cache, CACHE_NOTICE, forget_unlisted, &reading);
	return rc;
}

int listing_check(const struct listing *l)
{
	if (!l->trouble)
		return 0;
	return err_set(l->trouble, "%s", l->trouble_message ? l->trouble_message : "out of memory");
}

int listing_condemned(const struct listing *l, enum remote_class c, const struct oid *name)
{
	return oidmap_get(&l->condemned[c], name, NULL);
}
