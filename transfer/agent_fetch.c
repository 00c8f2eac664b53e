/*
 * Nobody tells which objects come next, so neighbours are a guess.  It begins small and grows while
 * it turns out right; what was brought in vain is bounded by what was of use.  Whatever cannot be
 * had in this way (an object that came to the store later, a pack that is gone, damage) is left to
 * an ordinary run of the engine, which lists anew and has the words for it.
 */
#include "transfer/agent_fetch.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "transfer/agent_send.h"
#include "transfer/blob/blobstore.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	NEAR_OBJECT_MAX = 1024 * 1024, /* longer ones are worth a request of their own */
	WINDOW_MIN = 256 * 1024,
	WINDOW_DOUBLINGS = 4, /* up to 4 MiB */
	VAIN_BYTES = 8 * 1024 * 1024,
	VAIN_FACTOR = 4, /* so many bytes may be brought for one that is of use */
	NEAR_COUNT_MAX = 20000
};

struct agent_fetcher {
	struct engine *outer; /* the agent's */
	struct engine inner;  /* of the view: what it is told is not always for the client */
	struct blobstore *view;
	int stale; /* something was there that the view did not know */
	struct buf near;
	int session; /* descriptor, locked and shared as long as files in `near` are of use */
	unsigned hits;
	uint64_t brought, used;
	/* of the run at hand */
	struct transfer_object *first;
	int alone;
	uint64_t travelled, reported;
};

/* ---- the directory of neighbours ---- */

static int near_path(const struct agent_fetcher *f, const struct oid *oid, struct buf *out)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	return buf_addf(out, "%s/%s", f->near.p, hex);
}

/* If no other agent is there, nobody is going to ask for what lies here. */
static void clear_if_alone(struct agent_fetcher *f)
{
	DIR *dir = NULL;
	struct dirent *entry;
	struct oid oid;

	if (flock(f->session, LOCK_EX | LOCK_NB) == 0)
		dir = opendir(f->near.p);
	while (dir && (entry = readdir(dir))) {
		if (strlen(entry->d_name) == OID_HEX_LEN && oid_from_hex(&oid, entry->d_name) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

static int open_near(struct agent_fetcher *f)
{
	struct buf path = BUF_INIT;
	int rc = agent_state_dir(f->outer, &f->near);

	if (rc == 0)
		rc = buf_addstr(&f->near, "/near");
	if (rc == 0)
		rc = buf_addf(&path, "%s/session", f->near.p);
	if (rc == 0)
		rc = fs_mkdirs_parent(path.p);
	if (rc == 0) {
		f->session = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		rc = f->session < 0 ? err_sys("cannot open '%s'", path.p) : 0;
	}
	if (rc == 0) {
		clear_if_alone(f);
		if (flock(f->session, LOCK_SH) < 0)
			rc = err_sys("cannot lock '%s'", path.p);
	}
	buf_release(&path);
	return rc;
}

/* 1 and o->file if somebody brought it. */
static int take_near(struct agent_fetcher *f, struct transfer_object *o)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int there = near_path(f, &o->oid, &path) == 0 && stat(path.p, &st) == 0 &&
		    (uint64_t)st.st_size == o->size;

	if (there) {
		o->file = buf_detach(&path);
		f->hits++;
		f->used += o->size;
	}
	buf_release(&path);
	return there;
}

/* ---- what the view's engine says ---- */

/* A neighbour that did not come is nobody's failure. */
static int on_answer(struct transfer_object *o, uint64_t bytes, void *data)
{
	struct agent_fetcher *f = data;
	struct buf path = BUF_INIT;

	if (o == f->first) {
		f->travelled = bytes;
	} else if (o->state > 0) {
		f->brought += o->size;
		if (near_path(f, &o->oid, &path) < 0 || rename(o->file, path.p) < 0)
			unlink(o->file);
	}
	buf_release(&path);
	return 0;
}

static int on_progress(uint64_t objects, uint64_t bytes, void *data)
{
	struct agent_fetcher *f = data;

	(void)objects;
	if (f->alone && bytes != f->reported) {
		engine_progress(f->outer, bytes - f->reported);
		f->reported = bytes;
	}
	return 0;
}

static void on_warning(const char *message, void *data)
{
	struct agent_fetcher *f = data;

	engine_warn(f->outer, message);
}

/* ---- the view ---- */

/* One agent reads the fragments, the others find them in the cache. */
static int load_view(struct agent_fetcher *f)
{
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%s/loading", f->near.p);
	int lock = rc < 0 ? rc : flock_take(path.p, -1);

	rc = lock < 0 ? lock : 0;
	if (rc == 0 && f->view) {
		rc = blobstore_load_again(f->view);
	} else if (rc == 0) {
		rc = blobstore_open(&f->view, &f->inner, f->outer->remote);
		if (rc == 0)
			rc = blobstore_load(f->view);
	}
	if (rc < 0) {
		blobstore_close(f->view);
		f->view = NULL;
	}
	f->stale = 0;
	if (lock >= 0)
		close(lock);
	buf_release(&path);
	return rc;
}

/* ---- neighbours ---- */

struct neighbours {
	struct transfer_object *v; /* the first is the one that was asked for */
	size_t n;
};

/* Is it in the local store already, or brought by somebody? */
static int is_here(struct agent_fetcher *f, const struct fragment_object *at)
{
	struct buf path = BUF_INIT;
	int here = f->outer->store && store_has(f->outer->store, &at->oid, at->size);

	if (!here)
		here = near_path(f, &at->oid, &path) == 0 && fs_exists(path.p);
	buf_release(&path);
	return here;
}

static uint64_t window(const struct agent_fetcher *f)
{
	unsigned doublings = f->hits / 2;

	if (f->brought > VAIN_BYTES + f->used * VAIN_FACTOR)
		return 0;
	return (uint64_t)WINDOW_MIN
	       << (doublings < WINDOW_DOUBLINGS ? doublings : WINDOW_DOUBLINGS);
}

/* The objects of the same fragment that lie in the same window of the same pack. */
static int gather(struct agent_fetcher *f, const struct blob_hit *hit, struct neighbours *to)
{
	const struct fragment *in = hit->in->fragment;
	struct fragment_extent own, x;
	struct fragment_object at;
	uint64_t size = window(f);

	fragment_extent_at(&hit->at, 0, &own);
	for (size_t i = 0; size && i < fragment_count(in) && to->n < NEAR_COUNT_MAX; i++) {
		fragment_at(in, i, &at);
		if (at.n_extents != 1 || at.size > NEAR_OBJECT_MAX || oid_eq(&at.oid, &hit->at.oid))
			continue;
		fragment_extent_at(&at, 0, &x);
		if (x.pack != own.pack || x.offset / size != own.offset / size || is_here(f, &at))
			continue;
		if ((to->n & (to->n - 1)) == 0) { /* a power of two: full */
			struct transfer_object *v = reallocarray(to->v, to->n * 2, sizeof(*to->v));

			if (!v)
				return err_set(ERR_NOMEM, "out of memory");
			to->v = v;
		}
		to->v[to->n++] =
			(struct transfer_object){.oid = at.oid, .size = at.size, .to_file = 1};
	}
	return 0;
}

/* One agent at a time reads of a pack: what it brings, the others need not. */
static int lock_pack(struct agent_fetcher *f, const struct blob_hit *hit)
{
	struct buf path = BUF_INIT;
	struct fragment_extent x;
	struct oid pack;
	uint64_t size;
	int rc;

	fragment_extent_at(&hit->at, 0, &x);
	fragment_pack_at(hit->in->fragment, x.pack, &pack, &size);
	rc = buf_addf(&path, "%s/pack-%02x", f->near.p, pack.id[0]);
	if (rc == 0)
		rc = flock_take(path.p, -1);
	buf_release(&path);
	return rc;
}

/* ---- fetching ---- */

/* The asked one is in o->file when it came. */
static int run(struct agent_fetcher *f, struct neighbours *all, struct transfer_object *o)
{
	int rc;

	f->first = all->v;
	f->alone = all->n == 1;
	f->travelled = 0;
	f->reported = f->inner.bytes_done;
	rc = blobstore_download_known(f->view, all->v, all->n);
	if (all->v[0].state > 0) {
		o->file = all->v[0].file;
		all->v[0].file = NULL;
	}
	for (size_t i = 0; i < all->n; i++)
		transfer_object_release(&all->v[i]);
	return rc;
}

static int fetch_with_neighbours(
	struct agent_fetcher *f, struct transfer_object *o, const struct blob_hit *hit)
{
	struct neighbours all = {calloc(1, sizeof(*all.v)), 1};
	int small = hit->at.n_extents == 1 && o->size <= NEAR_OBJECT_MAX;
	int lock = small ? lock_pack(f, hit) : 0;
	int rc = lock < 0 ? lock : 0;

	if (!all.v)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0 && !(small && take_near(f, o))) {
		all.v[0] = (struct transfer_object){.oid = o->oid, .size = o->size, .to_file = 1};
		if (small)
			rc = gather(f, hit, &all);
		if (rc == 0)
			rc = run(f, &all, o);
	}
	if (small && lock >= 0)
		close(lock);
	free(all.v);
	return rc;
}

/* With what the view knows: o->file, or not. */
static int fetch_known(struct agent_fetcher *f, struct transfer_object *o)
{
	struct blob_hit *hits = NULL;
	size_t n = 0;
	int rc = f->view && !f->stale ? 0 : load_view(f);

	if (rc == 0)
		rc = blobstore_locate(f->view, o, 1, &hits, &n);
	if (rc == 0 && n)
		rc = fetch_with_neighbours(f, o, hits);
	free(hits);
	return rc;
}

int agent_fetch(struct agent_fetcher *f, struct transfer_object *o)
{
	uint64_t before = f->outer->bytes_done;
	int rc;

	if (o->size == 0 || take_near(f, o)) {
		rc = 0;
	} else {
		f->travelled = 0;
		rc = fetch_known(f, o);
		if (rc == ERR_INTERRUPTED || rc == ERR_REMOTE || rc == ERR_DENIED)
			return rc;
	}
	if (o->file) {
		engine_answer(f->outer, o, TRANSFER_OK, f->travelled);
		return 0;
	}
	engine_progress(f->outer, before - f->outer->bytes_done);
	rc = engine_run(f->outer, ENGINE_DOWNLOAD, o, 1);
	f->stale |= o->state > 0 && o->size;
	return rc;
}

/* ---- life ---- */

int agent_fetcher_new(struct agent_fetcher **out, struct engine *e)
{
	struct agent_fetcher *f = calloc(1, sizeof(*f));
	int rc;

	*out = NULL;
	if (!f)
		return err_set(ERR_NOMEM, "out of memory");
	f->outer = e;
	f->session = -1;
	engine_init(&f->inner);
	f->inner.git = e->git;
	f->inner.config = e->config;
	f->inner.spec = e->spec;
	f->inner.remote = e->remote;
	f->inner.jobs = e->jobs;
	f->inner.stop = e->stop;
	f->inner.answer = on_answer;
	f->inner.progress = on_progress;
	f->inner.warn = on_warning;
	f->inner.data = f;
	rc = open_near(f);
	if (rc < 0)
		agent_fetcher_free(f);
	else
		*out = f;
	return rc;
}

void agent_fetcher_free(struct agent_fetcher *f)
{
	if (!f)
		return;
	blobstore_close(f->view);
	if (f->session >= 0) {
		clear_if_alone(f);
		close(f->session);
	}
	engine_release(&f->inner);
	buf_release(&f->near);
	free(f);
}
