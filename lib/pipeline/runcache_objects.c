/*
 * The objects behind entries of the run cache: which they are, for a push, and getting those that a
 * stage's outputs need, for `repro --pull`.
 */
#include "lib/pipeline/runcache_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/pipeline/listing.h"
#include "lib/repo/git.h"
#include "lib/repo/restore.h"
#include "lib/repo/scan.h"

enum { ROUNDS = 2 }; /* listings, then what they list */

/* ---- of an entry ---- */

void runcache_objects_release(struct runcache_objects *o)
{
	batch_objects_release(o->v, o->n);
	free(o->v);
	oidmap_release(&o->seen);
	pathpool_free(&o->paths);
	memset(o, 0, sizeof(*o));
}

static int add(struct runcache_objects *o, const struct oid *oid, uint64_t size, const char *path)
{
	int rc = oidmap_add(&o->seen, oid, 0);

	if (rc <= 0)
		return rc;
	if (array_room(&o->v, o->n, &o->cap, sizeof(*o->v)) < 0)
		return ERR_NOMEM;
	o->v[o->n] = (struct batch_object){.oid = *oid, .size = size};
	o->v[o->n].path = pathpool_keep(&o->paths, path, strlen(path));
	if (!o->v[o->n].path)
		return err_set(ERR_NOMEM, "out of memory");
	o->n++;
	return 0;
}

struct gathering {
	struct runcache_objects *to; /* NULL: only look whether all is here */
	struct store *store;
	const char *path; /* of the output */
};

/* 0, 1 when it is not here, or an error. */
static int gather(const struct gathering *g, const struct oid *oid)
{
	uint64_t size;

	if (!store_find_size(g->store, oid, &size))
		return 1;
	return g->to && size ? add(g->to, oid, size, g->path) : 0;
}

static int gather_listed(const struct listing_file *e, void *data)
{
	return gather(data, &e->oid);
}

static int gather_output(const struct gathering *g, const struct fingerprint *fp)
{
	struct buf listing = BUF_INIT;
	uint64_t size;
	int rc = gather(g, &fp->oid);

	if (rc != 0 || fp->type != FP_DIR)
		return rc;
	rc = store_find_size(g->store, &fp->oid, &size) ? 0 : 1;
	if (rc == 0)
		rc = store_read(g->store, &fp->oid, size, &listing);
	if (rc == 0)
		rc = listing_parse(listing.p, listing.len, gather_listed, (void *)(uintptr_t)g);
	buf_release(&listing);
	return rc;
}

int runcache_objects_of(
	struct runcache_objects *o, struct store *s, const struct locked_stage *entry)
{
	struct gathering g = {.store = s};
	int rc = 0;

	for (int pass = 0; rc == 0 && pass < 2; pass++) {
		g.to = pass ? o : NULL;
		for (size_t i = 0; rc == 0 && i < entry->n_outs; i++) {
			g.path = entry->outs[i].path;
			rc = gather_output(&g, &entry->outs[i].fp);
		}
	}
	if (rc == ERR_NOMEM)
		return rc;
	return rc == 0; /* what cannot be read is as good as not here */
}

/* ---- getting what a stage needs ---- */

/* Objects by id, from what Git's index has pointers to: a Git LFS server wants to be told sizes. */
static int index_sizes(struct oidmap *numbers, struct scan_list *l, const struct repo *repo)
{
	struct pointers *p = NULL;
	int rc = pointers_open(&p, repo);

	if (rc == 0)
		rc = scan_index(l, repo, p, 0);
	pointers_close(p);
	for (size_t i = 0; rc >= 0 && i < l->n; i++)
		rc = oidmap_add(numbers, &l->v[i].oid, (uint32_t)i);
	return rc < 0 ? rc : 0;
}

/* What is missing of the outputs, with sizes where somebody knows them. */
static int missing(struct runcache_objects *out, struct fingerprints *fp,
	const struct locked_path *outs, size_t n, const struct oidmap *numbers,
	const struct scan_list *l)
{
	struct fingerprint_object *v = NULL;
	size_t n_v = 0;
	uint32_t at;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = fingerprints_missing(fp, outs[i].path, &outs[i].fp, &v, &n_v);
		for (size_t k = 0; k < n_v; k++) {
			if (v[k].size == STORE_SIZE_UNKNOWN && oidmap_get(numbers, &v[k].oid, &at))
				v[k].size = l->v[at].size;
			if (rc == 0)
				rc = add(out, &v[k].oid, v[k].size, v[k].path);
			free(v[k].path);
		}
		free(v);
		v = NULL;
		n_v = 0;
	}
	return rc;
}

/* 0 when everything is here or came; 1 when something cannot be had. */
static int fetch_objects(struct fingerprints *fp, const struct locked_path *outs, size_t n,
	const struct oidmap *numbers, const struct scan_list *l, struct runcache_transfer *t)
{
	const struct batch_options o = {
		.remote = t->remote, .jobs = t->jobs, .progress = PROGRESS_AUTO, .stop = t->stop};
	struct runcache_objects need = {.n = 0};
	struct batch_result result;
	int rc = 0;

	for (int round = 0; rc == 0; round++) {
		rc = missing(&need, fp, outs, n, numbers, l);
		if (rc < 0 || need.n == 0)
			break;
		if (round == ROUNDS)
			rc = 1;
		else
			rc = batch_run(BATCH_DOWNLOAD, need.v, need.n, &o, &result);
		if (rc == 0) {
			t->objects += result.done;
			t->bytes += result.bytes;
			rc = result.failed > 0;
		}
		runcache_objects_release(&need);
	}
	runcache_objects_release(&need);
	return rc;
}

/* Deleted files that Git keeps itself, like empty ones. */
static int restore_plain(const struct repo *repo, const struct locked_path *outs, size_t n)
{
	struct run r = RUN_INIT;
	struct buf deleted = BUF_INIT;
	int rc = git_prepare(&r, repo, "ls-files", "-z", "--deleted", "--", (char *)NULL);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = strvec_pushf(&r.argv, ":(top,literal)%s", outs[i].path);
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &deleted);
	if (rc == 0 && deleted.len)
		rc = git_run(repo, deleted.p, deleted.len, NULL, "checkout-index", "--quiet", "-z",
			"--stdin", (char *)NULL);
	run_release(&r);
	buf_release(&deleted);
	return rc < 0 ? rc : 0;
}

/* The listing of a directory is on no remote where only Git's pointers were pushed; but what the
 * index says can be put in place, and may be just that. */
static int restore_tracked(const struct repo *repo, struct fingerprints *fp,
	const struct locked_path *outs, size_t n, struct scan_list *l, struct runcache_transfer *t)
{
	const struct restore_options o = {
		.remote = t->remote, .fetch = 1, .jobs = t->jobs, .quiet = 1, .stop = t->stop};
	struct restore_result r = {.placed = 0};
	const char **paths = calloc(n + 1, sizeof(*paths));
	struct store *s = NULL;
	int rc = paths ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < n; i++)
		paths[i] = outs[i].path;
	if (rc == 0)
		rc = scan_list_filter_paths(l, paths, n);
	if (rc == 0 && l->n)
		rc = store_open(&s, repo->dir, repo->config);
	if (rc == 0 && l->n)
		rc = restore_run(repo, s, l, &o, &r);
	if (rc == 0 && l->n)
		rc = restore_plain(repo, outs, n);
	t->objects += r.fetched;
	t->bytes += r.fetched_bytes;
	for (size_t i = 0; i < n && l->n; i++)
		fingerprints_forget(fp, outs[i].path);
	restore_result_release(&r);
	store_close(s);
	free(paths);
	return rc;
}

/* What is in place now is kept as if it had been made here. */
static int all_as_wanted(struct fingerprints *fp, const struct locked_path *outs, size_t n)
{
	struct fingerprint now;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct stage_path p = {.path = outs[i].path, .kind = STAGE_OUT};

		rc = fingerprints_of(fp, outs[i].path, &now);
		if (rc == 0 && !fingerprint_eq(&now, &outs[i].fp))
			rc = err_set(ERR_NOTFOUND, "the data of '%s' could not be fetched",
				outs[i].path);
		if (rc == 0 && now.type == FP_DIR)
			rc = fingerprints_store_listing(fp, &p);
	}
	return rc;
}

int runcache_fetch_outputs(const struct repo *repo, struct fingerprints *fp,
	const struct locked_path *outs, size_t n, struct runcache_transfer *t)
{
	struct scan_list l = SCAN_LIST_INIT;
	struct oidmap numbers = OIDMAP_INIT;
	int rc = index_sizes(&numbers, &l, repo);

	if (rc == 0)
		rc = fetch_objects(fp, outs, n, &numbers, &l, t);
	if (rc > 0) {
		rc = restore_tracked(repo, fp, outs, n, &l, t);
		if (rc == 0)
			rc = all_as_wanted(fp, outs, n);
	}
	oidmap_release(&numbers);
	scan_list_release(&l);
	return rc;
}
