/*
 * Which objects are here?  Incoming and cached ones by a look at the directory; the others by the
 * store's fragments, which stay in memory from one question to the next.  What is not in them may
 * have come since, so a miss costs one listing - for all who wait for it together.
 *
 * What lies under notice of a gc alone counts as absent: who is told "it is here" does not send it,
 * and then it would go (docs/remote-gc.md).  For the same reason the cache does not count for those
 * who would send it: a gc knows nothing of the cache.
 */
#include "lib/base/err.h"
#include "transfer/blob/blobstore.h"
#include "transfer/depot/depot_internal.h"
#include "transfer/gitdir_remote.h"

#include <stdlib.h>
#include <unistd.h>

enum { VIEW_SECONDS = 30, STALE_MIN = 64 };

struct finder {
	struct depot *depot;
	pthread_mutex_t lock;
	struct engine engine;
	struct remote *own_remote; /* of a Git directory: the blob store in it; opened here */
	struct gitdir_own *own;	   /* of a Git directory */
	struct blobstore *view;	   /* NULL: there was no store yet */
};

static void warn(const char *message, void *data)
{
	struct depot *d = data;

	if (d->warn)
		d->warn(message, d->data);
}

/* ---- the view of the store; under the lock ---- */

static void drop_view(struct finder *f)
{
	blobstore_close(f->view);
	f->view = NULL;
}

/* The blob store: 0 and *out, 1 when there is none (yet). */
static int blob_remote(struct finder *f, struct remote **out)
{
	int rc = 0;

	if (f->depot->remote) {
		*out = f->depot->remote;
		return 0;
	}
	if (!f->own_remote)
		rc = gitdir_remote_blobs(&f->engine, &f->own_remote);
	*out = f->own_remote;
	return rc;
}

static int open_view(struct finder *f)
{
	struct remote *remote;
	int rc = blob_remote(f, &remote);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = blobstore_open(&f->view, &f->engine, remote);
	if (rc == 0)
		rc = blobstore_load(f->view);
	if (rc < 0)
		drop_view(f);
	if (rc == ERR_NOTFOUND) { /* the first to settle makes it */
		err_clear();
		rc = 0;
	}
	return rc;
}

/* List again.  Fragments that are not listed any more stay in memory for a while. */
static int refresh_view(struct finder *f)
{
	int rc;

	if (f->view && f->view->n_fragments > 2 * f->view->listing.n_fragments + STALE_MIN)
		drop_view(f);
	if (!f->view)
		return open_view(f);
	rc = blobstore_load_again(f->view);
	if (rc == ERR_NOTFOUND) { /* the store was removed */
		drop_view(f);
		err_clear();
		rc = 0;
	}
	return rc;
}

static int in_view(struct finder *f, struct depot_object *o)
{
	const struct blobstore *b = f->view;
	struct fragment_object at;

	for (size_t i = 0; b && i < b->n_fragments; i++) {
		const struct named_fragment *n = &b->fragments[i];

		if (n->fragment && !n->condemned && fragment_find(n->fragment, &o->oid, &at) &&
			(o->size == STORE_SIZE_UNKNOWN || o->size == at.size) &&
			listing_fragment(&b->listing, &n->name)) {
			o->size = at.size;
			return 1;
		}
	}
	return 0;
}

static int in_own(struct finder *f, struct depot_object *o)
{
	uint64_t size;

	if (!f->own || !gitdir_own_find(f->own, &o->oid, &size) ||
		(o->size != STORE_SIZE_UNKNOWN && o->size != size))
		return 0;
	o->size = size;
	return 1;
}

/* How many are still not found. */
static size_t look_up(struct finder *f, struct depot_object *objects, size_t n)
{
	size_t missing = 0;

	for (size_t i = 0; i < n; i++) {
		if (!objects[i].here)
			objects[i].here = in_own(f, &objects[i]) || in_view(f, &objects[i]);
		missing += !objects[i].here;
	}
	return missing;
}

static int ask_store(struct finder *f, struct depot_object *objects, size_t n, int64_t asked)
{
	int64_t begun = f->view ? f->view->listing.begun : 0;
	int rc = 0;

	if (f->view && asked - begun > VIEW_SECONDS * (int64_t)1000000000)
		rc = refresh_view(f); /* what is said to be here had better stay */
	if (rc < 0 || look_up(f, objects, n) == 0)
		return rc;
	begun = f->view ? f->view->listing.begun : 0;
	if (begun > asked)
		return 0;
	rc = refresh_view(f);
	if (rc == 0)
		look_up(f, objects, n);
	return rc;
}

/* ---- outside ---- */

int finder_new(struct finder **out, struct depot *d)
{
	struct finder *f = calloc(1, sizeof(*f));
	int rc = 0;

	*out = f;
	if (!f)
		return err_set(ERR_NOMEM, "out of memory");
	f->depot = d;
	pthread_mutex_init(&f->lock, NULL);
	depot_engine(d, &f->engine);
	f->engine.warn = warn;
	f->engine.data = d;
	if (d->spec->kind == REMOTE_GITDIR)
		rc = gitdir_own_open(&f->own, &f->engine);
	return rc < 0 ? rc : open_view(f);
}

void finder_free(struct finder *f)
{
	if (!f)
		return;
	drop_view(f);
	gitdir_own_close(f->own);
	remote_close(f->own_remote);
	engine_release(&f->engine);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* In a directory of ours?  `kept`: the cache, out of which everything goes some day, is none. */
static int is_local(struct depot *d, struct depot_object *o, int kept)
{
	uint64_t size;
	int fd;

	if (oid_eq(&o->oid, &oid_of_empty)) {
		size = 0;
	} else if ((fd = depot_open_incoming(d, &o->oid, &size)) >= 0) {
		close(fd);
	} else if (kept || !depot_cache_has(d->cache, &o->oid, &size)) {
		return 0;
	}
	if (o->size != STORE_SIZE_UNKNOWN && o->size != size)
		return 0;
	o->size = size;
	return 1;
}

static int find(struct depot *d, struct depot_object *objects, size_t n, int kept)
{
	int64_t asked = listing_clock();
	size_t missing = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		objects[i].here = is_local(d, &objects[i], kept);
		missing += !objects[i].here;
	}
	if (missing) {
		pthread_mutex_lock(&d->finder->lock);
		rc = ask_store(d->finder, objects, n, asked);
		pthread_mutex_unlock(&d->finder->lock);
	}
	for (size_t i = 0; rc < 0 && i < n; i++) {
		if (!objects[i].here)
			objects[i].here = rc;
	}
	return missing == n ? rc : 0;
}

int depot_find(struct depot *d, struct depot_object *objects, size_t n)
{
	return find(d, objects, n, 0);
}

int depot_find_kept(struct depot *d, struct depot_object *objects, size_t n)
{
	return find(d, objects, n, 1);
}
