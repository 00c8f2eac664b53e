/*
 * One answer: what was asked for is resolved to a commit and maybe a path, the stages of that
 * commit are read, and each part adds what it knows.  All is read from Git objects by few
 * processes: one `git cat-file --batch-command` for the commit, its trees and files, one `git
 * for-each-ref` for tags, and what the caches of pointers, tags and history do not know yet.
 */
#include "lib/lineage/lineage.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/lineage_internal.h"
#include "lib/repo/objcache.h"

int lineage_new(struct lineage **out, const struct repo *repo, struct store *s)
{
	struct lineage *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return err_no_memory();
	l->repo = repo;
	l->store = s;
	rc = source_cache_new(&l->sources, repo, s);
	if (rc < 0) {
		lineage_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void lineage_free(struct lineage *l)
{
	if (l == NULL)
		return;
	values_cache_free(l->values);
	source_cache_free(l->sources);
	pointers_close(l->pointers);
	if (!l->registry_is_lent)
		registry_free(l->registry);
	history_close(l->history);
	rowcount_close(l->rows);
	free(l);
}

void lineage_lend_registry(struct lineage *l, struct registry *r)
{
	if (!l->registry_is_lent)
		registry_free(l->registry);
	l->registry = r;
	l->registry_is_lent = r != NULL;
}

int lineage_open_pointers(struct lineage *l)
{
	if (l->pointers != NULL)
		return 0;
	return pointers_open_on(
		&l->pointers, l->repo, objcache_catfile(source_cache_objects(l->sources)));
}

static void free_document(void *p)
{
	node_free(p);
}

static void release(struct lineage_trace *t)
{
	dag_free(t->dag);
	stagelocks_free(t->locks);
	lineage_dvc_free(t->dvc);
	pipeline_free(t->pipeline);
	source_free(t->src);
	strmap_release(&t->outs, NULL);
	strmap_release(&t->contents, free);
	strmap_release(&t->documents, free_document);
	scan_list_release(&t->tree);
	free(t->artifact);
	free(t->runs);
	free(t->wanted);
	node_free(t->stages);
	node_free(t->unknown);
	node_free(t->root);
}

/* ---- what was asked for ---- */

static int put_target(struct lineage_trace *t)
{
	struct node *map = lineage_put_map(t->root, "target");
	int rc = map != NULL ? 0 : ERR_NOMEM;

	if (rc == 0)
		rc = lineage_put_text(map, "rev", t->target->rev);
	if (rc == 0)
		rc = lineage_put_text(map, "path", t->target->path);
	return rc == 0 ? lineage_put_text(map, "model", t->target->model) : rc;
}

/* The commit; of a model the one that its tag names. */
static int find_commit(struct lineage_trace *t)
{
	const char *rev = t->target->rev, *name;
	char hex[REPO_HEX_MAX + 1];
	int rc = 0;

	if (t->target->model != NULL) {
		rc = lineage_find_model(t);
		if (rc < 0)
			return rc;
		if (t->model->no_commit)
			return err_set(ERR_NOTFOUND,
				"the commit of '%s' is not in this clone; 'git fetch --unshallow "
				"--tags' brings it",
				t->model->tag);
	}
	name = t->model != NULL ? t->model->tag : rev != NULL ? rev : "HEAD";
	if (rev == NULL && t->model != NULL) {
		repo_id_hex(hex, t->l->repo, t->model->commit);
		rev = hex;
	}
	rc = lineage_commit(t, rev != NULL ? rev : "HEAD");
	return rc == 0 ? source_commit_id(&t->src, t->l->sources, name, t->commit) : rc;
}

static int begin(struct lineage_trace *t)
{
	int rc;

	t->root = node_map();
	t->unknown = node_list();
	t->stages = node_list();
	if (t->root == NULL || t->unknown == NULL || t->stages == NULL)
		return err_no_memory();
	rc = node_append(t->root, "schema", node_string(LINEAGE_SCHEMA));
	if (rc == 0)
		rc = put_target(t);
	if (rc == 0)
		rc = find_commit(t);
	if (rc == 0)
		rc = lineage_load_stages(t);
	if (rc == 0 && t->model != NULL && t->path == NULL)
		rc = lineage_model_path(t);
	return rc == 0 ? lineage_choose_stages(t) : rc;
}

static int put_all(struct lineage_trace *t)
{
	struct node *list;
	int rc = lineage_read_stages(t);

	if (rc == 0)
		rc = lineage_put_models(t);
	if (rc == 0 && t->path != NULL)
		rc = lineage_put_file(t);
	if (rc == 0)
		rc = lineage_put_data(t);
	if (rc == 0)
		rc = lineage_put_values(t);
	if (rc < 0)
		return rc;
	list = t->stages;
	t->stages = NULL;
	rc = node_append(t->root, "stages", list);
	list = t->unknown;
	t->unknown = NULL;
	if (rc < 0)
		node_free(list);
	return rc == 0 ? node_append(t->root, "unknown", list) : rc;
}

int lineage_trace(struct node **out, struct lineage *l, const struct lineage_target *target)
{
	struct lineage_trace t = {.l = l, .target = target, .path = target->path};
	int rc = begin(&t);

	if (rc == 0)
		rc = put_all(&t);
	if (rc == 0) {
		*out = t.root;
		t.root = NULL;
	}
	release(&t);
	return rc;
}
