/*
 * The run cache of a team: local entries into bundles on a blob remote, and back
 * (docs/run-cache.md, "Bundles").  Objects go before the bundle that names them; what comes from
 * the remote is checked entry by entry before it gets a place here.
 */
#include "lib/pipeline/runcache_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"
#include "lib/pipeline/pipeline.h"
#include "lib/repo/source.h"

enum {
	MERGE_ABOVE = 64,		 /* so many bundles are left alone */
	MERGE_SMALL = 8 * 1024 * 1024,	 /* larger ones always are */
	MERGE_BYTES = RUNBUNDLE_MAX / 2, /* read into memory for it */
	PILE_BYTES = 32 * 1024 * 1024
};

/* ---- fetch ---- */

struct taking {
	const struct repo *repo;
	struct oidmap *known; /* values; NULL: not asked */
	struct runcache_transfer *t;
};

/* An entry of a bundle becomes a local one, unless it is there or is not what it says. */
static int take_entry(const struct runbundle_entry *e, void *data)
{
	const struct taking *to = data;
	const struct runcache_name name = {e->key, e->value};
	const struct locked_stage *stage;
	struct stagelock *lock = NULL;
	struct buf path = BUF_INIT;
	int rc = to->known ? oidmap_add(to->known, &e->value, 0) : 0;

	if (rc >= 0)
		rc = runcache_path(&path, to->repo, &name);
	if (rc < 0 || fs_exists(path.p))
		goto done;
	rc = runcache_parse(&lock, &stage, &name, e->text, e->len);
	if (rc == 0) {
		rc = runcache_write(to->repo, &name, e->text, e->len, 0);
		to->t->entries += rc == 0;
	} else if (rc != ERR_NOMEM) {
		err_clear();
		rc = 0;
	}
	stagelock_free(lock);
done:
	buf_release(&path);
	return rc < 0 ? rc : 0;
}

/* Bundles of the remote, with copies here, and their entries among ours. */
static int fetch(const struct repo *repo, struct runcache_ids *ids, struct oidmap *known,
	struct runcache_transfer *t)
{
	struct taking to = {repo, known, t};
	int rc = runcache_bundle_ask("fetch", NULL, t, ids);

	for (size_t i = 0; rc == 0 && i < ids->n; i++) {
		rc = runcache_bundle_each(repo, &ids->v[i], take_entry, &to);
		if (rc == ERR_CORRUPT || rc == ERR_UNSUPPORTED || rc == ERR_NOTFOUND) {
			runcache_bundle_note(t, err_msg());
			err_clear();
			rc = 0;
		}
	}
	return rc;
}

int runcache_fetch(const struct repo *repo, struct runcache_transfer *t)
{
	struct runcache_ids ids = {NULL, 0, 0};
	int rc = fetch(repo, &ids, NULL, t);

	runcache_ids_release(&ids);
	return rc;
}

/* ---- push ---- */

struct sending {
	const struct repo *repo;
	struct store *store;
	struct oidmap known;	 /* values that the remote has */
	struct strmap stay;	 /* outputs that dvx.yaml does not let travel */
	struct runcache_ids ids; /* the remote's bundles */
	struct runcache_objects objects;
	struct runcache_name *v; /* entries that go */
	size_t n, cap;
	struct runcache_transfer *t;
};

/* Outputs of `push: false`. */
static int find_staying(struct sending *s)
{
	struct source *src = NULL;
	struct pipeline *p = NULL;
	int rc;

	if (!s->repo->dir->worktree)
		return 0;
	rc = source_worktree(&src, s->repo, s->store);
	if (rc == 0)
		rc = pipeline_load(&p, src, NULL);
	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		for (size_t k = 0; rc == 0 && k < p->v[i]->n_outs; k++) {
			if (!p->v[i]->outs[k].push)
				rc = strmap_put(&s->stay, p->v[i]->outs[k].path, NULL);
		}
	}
	pipeline_free(p);
	source_free(src);
	return rc;
}

static int may_travel(const struct sending *s, const struct locked_stage *entry)
{
	for (size_t i = 0; i < entry->n_outs; i++) {
		if (strmap_has(&s->stay, entry->outs[i].path))
			return 0;
	}
	return 1;
}

static int note_entry(struct sending *s, const struct runcache_name *name)
{
	if (array_room(&s->v, s->n, &s->cap, sizeof(*s->v)) < 0)
		return ERR_NOMEM;
	s->v[s->n++] = *name;
	return 0;
}

/* A local entry: does it go, and with which objects? */
static int choose(const struct runcache_name *name, int64_t mtime, void *data)
{
	struct sending *s = data;
	const struct locked_stage *entry;
	struct stagelock *lock = NULL;
	struct buf text = BUF_INIT;
	int rc;

	(void)mtime;
	if (s->t->stop && *s->t->stop)
		return err_set(ERR_INTERRUPTED, "interrupted");
	if (oidmap_get(&s->known, &name->value, NULL))
		return 0;
	rc = runcache_read(s->repo, name, &text);
	if (rc == 0)
		rc = runcache_parse(&lock, &entry, name, text.p, text.len);
	if (rc == 0 && may_travel(s, entry))
		rc = runcache_objects_of(&s->objects, s->store, entry);
	if (rc > 0)
		rc = note_entry(s, name);
	else if (rc < 0 && rc != ERR_NOMEM)
		rc = 0; /* damaged, or removed by gc just now */
	stagelock_free(lock);
	buf_release(&text);
	return rc;
}

static int send_objects(struct sending *s)
{
	const struct batch_options o = {.remote = s->t->remote,
		.git_remote = s->t->git_remote,
		.jobs = s->t->jobs,
		.progress = PROGRESS_AUTO,
		.stop = s->t->stop};
	struct batch_result result;
	int rc;

	if (s->objects.n == 0)
		return 0;
	rc = batch_run(BATCH_UPLOAD, s->objects.v, s->objects.n, &o, &result);
	for (size_t i = 0; rc == 0 && i < s->objects.n; i++) {
		if (s->objects.v[i].state < 0)
			rc = err_set(s->objects.v[i].state, "run cache, '%s': %s",
				s->objects.v[i].path, s->objects.v[i].error);
	}
	if (rc == 0) {
		s->t->objects += result.done;
		s->t->bytes += result.bytes;
	}
	return rc;
}

/* Bundles of the chosen entries, of about half the largest size each. */
static int send_entries(struct sending *s)
{
	struct runcache_pile pile = {NULL, 0, 0, 0};
	struct runcache_ids made = {NULL, 0, 0};
	struct buf text = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		buf_reset(&text);
		if (runcache_read(s->repo, &s->v[i], &text) < 0)
			continue; /* removed by gc just now */
		rc = runcache_pile_add(&pile,
			&(struct runbundle_entry){s->v[i].key, s->v[i].value, text.p, text.len});
		s->t->entries += rc == 0;
		if (rc == 0 && pile.bytes > PILE_BYTES)
			rc = runcache_pile_write(&pile, s->repo, &made);
	}
	if (rc == 0)
		rc = runcache_pile_write(&pile, s->repo, &made);
	if (rc == 0 && made.n)
		rc = runcache_bundle_put(&made, s->t);
	for (size_t i = 0; rc == 0 && i < made.n; i++)
		rc = runcache_ids_add(&s->ids, &made.v[i]);
	buf_release(&text);
	runcache_pile_release(&pile);
	runcache_ids_release(&made);
	return rc;
}

/* ---- merge ---- */

static int pile_up(const struct runbundle_entry *e, void *data)
{
	return runcache_pile_add(data, e);
}

/* Many small bundles become one, which is there before they go.  What cannot be removed stays. */
static int merge(struct sending *s)
{
	struct runcache_pile pile = {NULL, 0, 0, 0};
	struct runcache_ids old = {NULL, 0, 0}, made = {NULL, 0, 0};
	struct runcache_transfer quiet = {
		.remote = s->t->remote, .git_remote = s->t->git_remote, .jobs = s->t->jobs};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->ids.n; i++) {
		size_t size = runcache_bundle_size(s->repo, &s->ids.v[i]);

		if (size == 0 || size > MERGE_SMALL || pile.bytes + size > MERGE_BYTES)
			continue;
		rc = runcache_bundle_each(s->repo, &s->ids.v[i], pile_up, &pile);
		if (rc == 0)
			rc = runcache_ids_add(&old, &s->ids.v[i]);
	}
	if (rc == 0 && old.n > MERGE_ABOVE)
		rc = runcache_pile_write(&pile, s->repo, &made);
	if (rc == 0 && made.n == 1)
		rc = runcache_bundle_put(&made, &quiet);
	for (size_t i = 0; made.n == 1 && i < old.n; i++) { /* one held all the others did */
		if (oid_eq(&old.v[i], &made.v[0]))
			old.v[i--] = old.v[--old.n];
	}
	if (rc == 0 && made.n == 1)
		rc = runcache_bundle_ask("remove", &old, &quiet, NULL);
	runcache_pile_release(&pile);
	runcache_ids_release(&old);
	runcache_ids_release(&made);
	return rc;
}

int runcache_push(const struct repo *repo, struct store *store, struct runcache_transfer *t)
{
	struct sending s = {.repo = repo, .store = store, .t = t};
	int rc = find_staying(&s);

	if (rc == 0)
		rc = fetch(repo, &s.ids, &s.known, t);
	t->entries = t->bytes = 0; /* from here on: what is sent */
	if (rc == 0)
		rc = runcache_each(repo, choose, &s);
	if (rc == 0)
		rc = send_objects(&s);
	if (rc == 0 && s.n)
		rc = send_entries(&s);
	if (rc == 0 && s.ids.n > MERGE_ABOVE && merge(&s) == ERR_INTERRUPTED)
		rc = ERR_INTERRUPTED; /* other failures leave what was there */
	oidmap_release(&s.known);
	strmap_release(&s.stay, NULL);
	runcache_ids_release(&s.ids);
	runcache_objects_release(&s.objects);
	free(s.v);
	return rc;
}
