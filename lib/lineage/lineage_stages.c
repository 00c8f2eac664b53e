/*
 * The stages of an answer.  What a stage was run with is what its lock file says; where the commit
 * holds something else by now - a command, a file, a parameter that was edited and committed
 * without a run - that is told beside it, since then the outputs are not what the commit would
 * make.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/lineage/lineage_internal.h"

/* ---- loading ---- */

static int map_outputs(struct lineage_trace *t)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->pipeline->n; i++)
		for (size_t k = 0; rc == 0 && k < t->pipeline->v[i]->n_outs; k++)
			rc = strmap_put(
				&t->outs, t->pipeline->v[i]->outs[k].path, t->pipeline->v[i]);
	return rc;
}

static int read_nothing(void *data, const char *path, struct buf *out)
{
	(void)data;
	(void)out;
	return err_set(ERR_NOTFOUND, "no file '%s'", path);
}

/* What a partial clone left out is said to be unknown: then there are no stages. */
static int load_pipeline(struct lineage_trace *t)
{
	const struct pipeline_reader nothing = {.read = read_nothing};
	int rc = pipeline_load(&t->pipeline, t->src, NULL);

	if (rc != ERR_NOTFOUND)
		return rc;
	rc = lineage_unknown(t->unknown, "stages", "%s", err_msg());
	return rc == 0 ? pipeline_parse(&t->pipeline, "dvx.yaml", "", 0, &nothing) : rc;
}

static int load_locks(struct lineage_trace *t)
{
	int rc = stagelocks_load(&t->locks, t->pipeline, t->src);

	if (rc == ERR_NOTFOUND) {
		stagelocks_free(t->locks);
		t->locks = NULL;
		rc = lineage_unknown(t->unknown, "stages", "%s", err_msg());
	}
	if (rc == 0)
		rc = lineage_dvc_load(&t->dvc, t->pipeline, t->src);
	if (rc == ERR_NOTFOUND) {
		lineage_dvc_free(t->dvc);
		t->dvc = NULL;
		rc = lineage_unknown(t->unknown, "stages", "%s", err_msg());
	}
	return rc;
}

int lineage_load_stages(struct lineage_trace *t)
{
	int rc = load_pipeline(t);

	if (rc == 0)
		rc = dag_new(&t->dag, t->pipeline);
	if (rc == 0)
		rc = load_locks(t);
	if (rc < 0)
		return err_prefix(rc, "%s", source_name(t->src));
	t->runs = calloc(t->pipeline->n + 1, sizeof(*t->runs));
	t->wanted = calloc(t->pipeline->n + 1, 1);
	return t->runs != NULL && t->wanted != NULL ? map_outputs(t) : err_no_memory();
}

const struct stage *lineage_maker(const struct lineage_trace *t, const char *path)
{
	const struct stage *s = strmap_get(&t->outs, path);
	struct buf above = BUF_INIT;
	char *slash;

	if (s == NULL && buf_addstr(&above, path) == 0)
		while (s == NULL && (slash = strrchr(above.p, '/')) != NULL) {
			buf_truncate(&above, (size_t)(slash - above.p));
			s = strmap_get(&t->outs, above.p);
		}
	buf_release(&above);
	return s;
}

int lineage_choose_stages(struct lineage_trace *t)
{
	if (t->path == NULL) {
		memset(t->wanted, 1, t->pipeline->n);
		return 0;
	}
	t->maker = lineage_maker(t, t->path);
	if (t->maker == NULL)
		return 0;
	t->wanted[t->maker->index] = 1;
	return dag_spread(t->dag, t->wanted, DAG_UP);
}

/* ---- what a stage was run with ---- */

static int put_words(struct node *map, const char *key, const struct strvec *words)
{
	struct node *list = lineage_put_list(map, key);
	int rc = list != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < words->n; i++)
		rc = node_push(list, node_string(words->v[i]));
	return rc;
}

static int put_copy(struct node *map, const char *key, const struct node *value)
{
	return value != NULL ? node_append(map, key, node_dup(value)) : 0;
}

static int put_locked_paths(
	struct node *map, const char *key, const struct locked_path *v, size_t n)
{
	struct node *list = lineage_put_list(map, key), *entry;
	int rc = list != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		entry = lineage_push_map(list);
		rc = entry != NULL ? lineage_put_text(entry, "path", v[i].path) : ERR_NOMEM;
		if (rc == 0)
			rc = lineage_put_oid(entry, &v[i].fp.oid);
		if (rc == 0)
			rc = lineage_put_size(entry, "size", v[i].fp.size);
		if (rc == 0 && v[i].fp.type == FP_DIR)
			rc = lineage_put_size(entry, "nfiles", v[i].fp.nfiles);
		if (rc == 0 && v[i].fp.executable)
			rc = node_append(entry, "exec", node_bool(1));
	}
	return rc;
}

static int put_run(struct node *map, const struct stage *s, const struct locked_stage *lock)
{
	const char *wdir = lock->wdir != NULL ? lock->wdir : s->wdir;
	int rc = node_append(map, "ran", node_bool(1));

	if (rc == 0)
		rc = put_words(map, "cmd", &lock->cmd);
	if (rc == 0)
		rc = lineage_put_text(map, "wdir", *wdir != '\0' ? wdir : ".");
	if (rc == 0)
		rc = put_locked_paths(map, "deps", lock->deps, lock->n_deps);
	if (rc == 0)
		rc = put_locked_paths(map, "outs", lock->outs, lock->n_outs);
	if (rc == 0)
		rc = put_copy(map, "params", lock->params);
	if (rc == 0)
		rc = put_copy(map, "env", lock->env);
	return rc == 0 ? put_copy(map, "environment", lock->environment) : rc;
}

/* ---- DVC's lock file ---- */

/* A path of DVC's lock file is seen from wdir. */
static int from_wdir(struct buf *out, const char *wdir, const char *path)
{
	int rc = buf_addstr(out, wdir);

	while (rc == 0 && (strncmp(path, "../", 3) == 0 || strncmp(path, "./", 2) == 0)) {
		char *slash = path[1] == '.' && out->len > 0 ? strrchr(out->p, '/') : NULL;

		if (path[1] == '.')
			buf_truncate(out, slash != NULL ? (size_t)(slash - out->p) : 0);
		path += path[1] == '.' ? 3 : 2;
	}
	if (rc == 0 && *path == '/')
		buf_reset(out);
	else if (rc == 0 && out->len > 0)
		rc = buf_addch(out, '/');
	return rc == 0 ? buf_addstr(out, path) : rc;
}

static int put_dvc_path(struct node *list, const struct stage *s, const struct node *n)
{
	static const char *const kept[] = {"md5", "size", "nfiles"};
	const char *path = lineage_text(n, "path");
	struct node *entry;
	struct buf full = BUF_INIT;
	int rc;

	if (path == NULL)
		return 0;
	entry = lineage_push_map(list);
	rc = entry != NULL ? from_wdir(&full, s->wdir, path) : ERR_NOMEM;
	if (rc == 0)
		rc = lineage_put_text(entry, "path", full.p);
	for (size_t i = 0; rc == 0 && i < sizeof(kept) / sizeof(kept[0]); i++)
		rc = put_copy(entry, kept[i], node_get(n, kept[i]));
	buf_release(&full);
	return rc;
}

static int put_dvc_paths(
	struct node *map, const char *key, const struct stage *s, const struct node *from)
{
	struct node *list = lineage_put_list(map, key);
	int rc = list != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && from != NULL && from->type == NODE_LIST && i < from->n; i++)
		rc = put_dvc_path(list, s, from->items[i]);
	return rc;
}

static int put_dvc_run(struct node *map, const struct stage *s, const struct node *lock)
{
	const struct node *cmd = node_get(lock, "cmd");
	struct node *list;
	int rc = node_append(map, "ran", node_bool(1));

	if (rc == 0)
		rc = node_append(map, "by", node_string("dvc"));
	if (rc < 0 || (list = lineage_put_list(map, "cmd")) == NULL)
		return ERR_NOMEM;
	if (cmd != NULL && node_is_scalar(cmd))
		rc = node_push(list, node_dup(cmd));
	for (size_t i = 0; rc == 0 && cmd != NULL && cmd->type == NODE_LIST && i < cmd->n; i++)
		if (node_is_scalar(cmd->items[i]))
			rc = node_push(list, node_dup(cmd->items[i]));
	if (rc == 0)
		rc = lineage_put_text(map, "wdir", *s->wdir != '\0' ? s->wdir : ".");
	if (rc == 0)
		rc = put_dvc_paths(map, "deps", s, node_get(lock, "deps"));
	if (rc == 0)
		rc = put_dvc_paths(map, "outs", s, node_get(lock, "outs"));
	return rc == 0 ? put_copy(map, "params", node_get(lock, "params")) : rc;
}

/* ---- a stage that never ran ---- */

static int put_declared_paths(
	struct node *map, const char *key, const struct stage_path *v, size_t n)
{
	struct node *list = lineage_put_list(map, key), *entry;
	int rc = list != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		entry = lineage_push_map(list);
		rc = entry != NULL ? lineage_put_text(entry, "path", v[i].path) : ERR_NOMEM;
	}
	return rc;
}

static int put_declared(struct lineage_trace *t, struct node *map, const struct stage *s)
{
	int rc = node_append(map, "ran", node_bool(0));

	if (rc == 0)
		rc = put_words(map, "cmd", &s->cmd);
	if (rc == 0)
		rc = lineage_put_text(map, "wdir", *s->wdir != '\0' ? s->wdir : ".");
	if (rc == 0)
		rc = put_declared_paths(map, "deps", s->deps, s->n_deps);
	if (rc == 0)
		rc = put_declared_paths(map, "outs", s->outs, s->n_outs);
	if (rc == 0)
		rc = lineage_unknown(t->unknown, s->name,
			"what the stage was run with: dvx.lock of this commit has no entry for it "
			"(it never ran, or its dvx.lock was not committed)");
	return rc;
}

/* ---- all of them ---- */

static int begin_stage(struct lineage_trace *t, const struct stage *s)
{
	const struct locked_stage *lock = t->locks != NULL ? stagelocks_get(t->locks, s) : NULL;
	const struct node *dvc =
		lock == NULL && t->dvc != NULL ? lineage_dvc_stage(t->dvc, s) : NULL;
	struct node *map = node_map();
	struct buf name = BUF_INIT;
	int rc = node_push(t->stages, map);

	if (rc == 0)
		rc = stage_address(&name, s, "");
	if (rc == 0) {
		t->runs[s->index] = map;
		rc = lineage_put_text(map, "name", name.p);
	}
	if (rc == 0)
		rc = lineage_put_text(map, "file", s->file);
	if (rc == 0 && s->desc != NULL)
		rc = lineage_put_text(map, "desc", s->desc);
	if (rc == 0)
		rc = lock != NULL  ? put_run(map, s, lock)
		     : dvc != NULL ? put_dvc_run(map, s, dvc)
				   : put_declared(t, map, s);
	buf_release(&name);
	return rc;
}

/* The paths of all stages of the answer, to be looked up in one go. */
static int collect_paths(struct lineage_trace *t, struct strvec *paths)
{
	static const char *const keys[] = {"deps", "outs"};
	int rc = t->path != NULL ? strvec_push(paths, t->path) : 0;

	for (size_t i = 0; i < t->pipeline->n; i++) {
		for (size_t k = 0; t->runs[i] != NULL && k < 2; k++) {
			const struct node *list = node_get(t->runs[i], keys[k]);

			for (size_t m = 0; rc == 0 && m < list->n; m++)
				rc = strvec_push(paths, lineage_text(list->items[m], "path"));
		}
	}
	return rc;
}

int lineage_read_stages(struct lineage_trace *t)
{
	struct strvec paths = STRVEC_INIT;
	int rc = 0;

	/* what is nearest to the result first */
	for (size_t i = t->pipeline->n; rc == 0 && i-- > 0;)
		if (t->wanted[t->dag->order[i]])
			rc = begin_stage(t, t->pipeline->v[t->dag->order[i]]);
	if (rc == 0)
		rc = collect_paths(t, &paths);
	if (rc == 0)
		rc = lineage_look_up(t, &paths);
	for (size_t i = 0; rc == 0 && i < t->pipeline->n; i++)
		if (t->runs[i] != NULL)
			rc = lineage_annotate(t, t->pipeline->v[i], t->runs[i]);
	strvec_release(&paths);
	return rc;
}
