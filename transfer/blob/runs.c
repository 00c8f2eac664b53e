/*
 * `git-dvx-transfer runs`: bundles of the run cache (docs/run-cache.md) between a blob store and
 * "<git dir>/dvx/runs/".  They are carried as they are, named and checked by their SHA-256; what
 * is in them is git-dvx's business (lib/pipeline/runcache_remote.c).
 */
#include "transfer/subcommands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"
#include "lib/base/workers.h"
#include "lib/store/runbundle.h"
#include "transfer/frontend.h"
#include "transfer/gitdir_remote.h"
#include "transfer/remote/remote.h"

enum { BUNDLES_MAX = 1024 * 1024, LISTINGS_MAX = 3 };

struct runs {
	struct engine *engine;
	struct remote *remote;
	struct transfer_object *v;
	size_t n, cap; /* of those that were listed */
	int gone;      /* listed, but not there any more */
};

typedef int runs_fn(struct runs *r);

/* Append the place of the copy here, which is also that of a Git repository as remote. */
static int copy_path(struct buf *out, const struct runs *r, const struct oid *name)
{
	int rc = buf_addf(out, "%s/", r->engine->git->dvx_dir);

	return rc < 0 ? rc : remote_blob_path(out, REMOTE_RUNS, name);
}

/* Append a copy, when it is what its name says: 0, else an error. */
static int read_copy(const struct runs *r, const struct oid *name, struct buf *out)
{
	struct buf path = BUF_INIT;
	struct oid id;
	int rc = copy_path(&path, r, name);

	if (rc == 0)
		rc = buf_read_file(out, path.p);
	if (rc == 0) {
		oid_of(&id, out->p, out->len);
		if (!oid_eq(&id, name))
			rc = err_set(ERR_CORRUPT, "'%s' is not what its name says", path.p);
	}
	buf_release(&path);
	return rc;
}

/* ---- fetch ---- */

static int add_listed(const struct remote_entry *e, void *data)
{
	struct runs *r = data;

	if (e->class != REMOTE_RUNS)
		return 0;
	if (r->n == BUNDLES_MAX)
		return err_set(ERR_LIMIT, "more than %d bundles of the run cache", BUNDLES_MAX);
	if (array_room(&r->v, r->n, &r->cap, sizeof(*r->v)) < 0)
		return ERR_NOMEM;
	r->v[r->n++] = (struct transfer_object){.oid = e->name, .size = e->size};
	return 0;
}

/* Get the bundle from the remote; its copy is written only if it is right. */
static int fetch_bundle(struct runs *r, const struct transfer_object *o)
{
	struct buf bytes = BUF_INIT, path = BUF_INIT;
	struct oid id;
	int rc = remote_get_all(r->remote, REMOTE_RUNS, &o->oid, o->size, RUNBUNDLE_MAX, &bytes);

	if (rc == 0) {
		oid_of(&id, bytes.p, bytes.len);
		if (!oid_eq(&id, &o->oid))
			rc = err_set(ERR_CORRUPT, "its bytes are not what its name says");
	}
	if (rc == 0)
		rc = copy_path(&path, r, &o->oid);
	if (rc == 0)
		rc = fs_mkdirs_parent(path.p);
	if (rc == 0)
		rc = fs_replace_file(path.p, bytes.p, bytes.len, 0);
	buf_release(&bytes);
	buf_release(&path);
	return rc;
}

static int fetch_one(size_t i, void *data)
{
	struct runs *r = data;
	struct transfer_object *o = &r->v[i];
	struct buf bytes = {.max = RUNBUNDLE_MAX}, where = BUF_INIT;
	int rc = engine_check_stop(r->engine);

	if (rc < 0)
		return rc;
	if (read_copy(r, &o->oid, &bytes) == 0) {
		engine_answer(r->engine, o, TRANSFER_PRESENT, 0);
		goto done;
	}
	rc = fetch_bundle(r, o);
	if (rc == ERR_NOTFOUND) {
		__atomic_store_n(&r->gone, 1, __ATOMIC_RELAXED);
	} else if (rc < 0 && rc != ERR_INTERRUPTED) {
		r->remote->ops->describe(r->remote, REMOTE_RUNS, &o->oid, &where);
		engine_answer(r->engine, o, err_prefix(rc, "'%s'", buf_str(&where)), 0);
	} else if (rc == 0) {
		engine_answer(r->engine, o, TRANSFER_OK, o->size);
	}
done:
	buf_release(&bytes);
	buf_release(&where);
	return rc == ERR_INTERRUPTED ? rc : 0;
}

/* A bundle that went away between the listing and the reading is in one that came instead. */
static int fetch(struct runs *r)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < LISTINGS_MAX && (i == 0 || r->gone); i++) {
		r->gone = 0;
		r->n = 0;
		rc = r->remote->ops->list(r->remote, REMOTE_LIST_RUNS, add_listed, r, NULL);
		if (rc == 0)
			rc = workers_run(engine_jobs(r->engine), r->n, fetch_one, r);
	}
	return rc == ERR_NOTFOUND ? 0 : rc; /* nothing was ever pushed there */
}

/* ---- push, remove ---- */

static int push_one(size_t i, void *data)
{
	struct runs *r = data;
	struct transfer_object *o = &r->v[i];
	struct buf bytes = {.max = RUNBUNDLE_MAX};
	int rc = engine_check_stop(r->engine);

	if (rc == 0)
		rc = read_copy(r, &o->oid, &bytes);
	if (rc == 0)
		rc = remote_put_bytes(r->remote, REMOTE_RUNS, &o->oid, bytes.p, bytes.len);
	if (rc != ERR_INTERRUPTED)
		engine_answer(r->engine, o,
			rc == 0	  ? TRANSFER_OK
			: rc == 1 ? TRANSFER_PRESENT
				  : rc,
			rc == 0 ? bytes.len : 0);
	buf_release(&bytes);
	return rc == ERR_INTERRUPTED ? rc : 0;
}

static int push(struct runs *r)
{
	return workers_run(engine_jobs(r->engine), r->n, push_one, r);
}

static int remove_one(size_t i, void *data)
{
	struct runs *r = data;
	struct transfer_object *o = &r->v[i];
	int rc = engine_check_stop(r->engine);

	if (rc == 0)
		rc = r->remote->ops->remove(r->remote, REMOTE_RUNS, &o->oid);
	if (rc != ERR_INTERRUPTED)
		engine_answer(r->engine, o, rc == 0 ? TRANSFER_OK : rc, 0);
	return rc == ERR_INTERRUPTED ? rc : 0;
}

static int remove_all(struct runs *r)
{
	return workers_run(engine_jobs(r->engine), r->n, remove_one, r);
}

/* ---- which ---- */

static int open_remote(struct engine *e, struct remote **out)
{
	const struct remote_context context = {e->git, e->config, e->stop};
	struct buf root = BUF_INIT;
	int rc;

	if (e->spec->kind == REMOTE_LFS)
		return err_set(ERR_UNSUPPORTED,
			"remote '%s' is a Git LFS server, which keeps no run cache; give a "
			"directory, s3://, ssh:// or rclone:// remote by -r, made by 'git dvx "
			"remote add <name> <url>'",
			e->spec->name);
	if (e->spec->kind != REMOTE_GITDIR)
		return remote_open(out, e->spec, &context);
	rc = buf_addf(&root, "%s/dvx", e->spec->path);
	if (rc == 0)
		rc = remote_dir_open(out, e->spec->name, root.p);
	buf_release(&root);
	return rc;
}

static int work(struct engine *e, struct transfer_object *objects, size_t n, void *data)
{
	runs_fn *const *fn = data;
	struct runs r = {.engine = e, .v = objects, .n = n, .cap = n};
	int rc;

	if (*fn == fetch) { /* what there is, is the remote's to say */
		r.v = NULL;
		r.n = r.cap = 0;
	}
	rc = open_remote(e, &r.remote);
	if (rc == 0)
		rc = (*fn)(&r);
	remote_close(r.remote);
	if (r.v != objects)
		free(r.v);
	return rc;
}

int runs_main(int argc, char **argv)
{
	static const char usage[] = "git-dvx-transfer runs [<options>] (fetch | push | remove)";
	struct frontend_options o = {.jobs = 0};
	const struct opt table[] = {
		{'r', "remote", OPT_VALUE, &o.remote, "<name>",
			"remote to use instead of the default", 0},
		{0, "git-remote", OPT_VALUE, &o.git_remote, "<name>",
			"Git remote of the push at hand", 0},
		{'j', "jobs", OPT_INT, &o.jobs, "<n>", "use up to this many threads", 0},
		OPT_END,
	};
	runs_fn *fn = NULL;
	int n = 0;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc > 0)
		return 0;
	if (rc == 0 && n == 1)
		fn = strcmp(argv[1], "fetch") == 0    ? fetch
		     : strcmp(argv[1], "push") == 0   ? push
		     : strcmp(argv[1], "remove") == 0 ? remove_all
						      : NULL;
	if (rc == 0 && !fn)
		rc = err_set(ERR_INVALID,
			"say 'fetch', 'push' or 'remove'; see 'git-dvx-transfer runs -h'");
	if (rc < 0) {
		fprintf(stderr, "error: %s\n", err_msg());
		return 129;
	}
	return batch_serve(&o, work, &fn);
}
