/*
 * Parameters, metrics and the environment of an answer.  What a stage was run with is in its entry;
 * here they stand together, by file, as one wants to compare them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/lineage_internal.h"

/* Where metrics mostly are, for commits that declare none. */
static const char *const metric_names[] = {"metrics.json", "metrics.yaml", "metrics.yml",
	"metrics.toml", "performance.json", "scores.json", NULL};

/* ---- files of values ---- */

static int put_values(struct lineage_trace *t, const char *key, const struct values *v)
{
	struct node *map = lineage_put_map(t->root, key);
	int rc = map != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < v->n; i++) {
		if (v->v[i].root != NULL)
			rc = node_append(map, v->v[i].path, node_dup(v->v[i].root));
		else
			rc = lineage_unknown(t->unknown, v->v[i].path, "%s", v->v[i].error);
	}
	return rc;
}

static int collect(struct lineage_trace *t, const char *key, enum values_kind kind,
	const struct strvec *targets)
{
	const struct values_options o = {
		.kind = kind, .targets = (const char *const *)targets->v, .n = targets->n};
	struct values v;
	int rc = 0;

	if (t->l->values == NULL)
		rc = values_cache_new(&t->l->values);
	if (rc == 0)
		rc = values_collect(&v, t->l->values, t->src, &o);
	if (rc < 0)
		return rc;
	rc = put_values(t, key, &v);
	values_release(&v);
	return rc;
}

/* ---- metrics ---- */

/* Of a file: those of the stages that led to it, and of the stages that judge it. */
static int add_metrics(struct strvec *out, const struct lineage_trace *t)
{
	char *judges = calloc(t->pipeline->n + 1, 1);
	int rc = judges != NULL ? 0 : err_no_memory();

	if (rc == 0 && t->maker != NULL) {
		judges[t->maker->index] = 1;
		rc = dag_spread(t->dag, judges, DAG_DOWN);
	}
	for (size_t i = 0; rc == 0 && i < t->pipeline->n; i++) {
		const struct stage *s = t->pipeline->v[i];

		for (size_t k = 0; rc == 0 && (t->wanted[i] || judges[i]) && k < s->n_outs; k++)
			if (s->outs[k].kind == STAGE_METRIC)
				rc = strvec_push(out, s->outs[k].path);
	}
	for (size_t i = 0; rc == 0 && i < t->pipeline->n_metrics; i++)
		rc = strvec_push(out, t->pipeline->metrics[i].path);
	free(judges);
	return rc;
}

static int put_metrics(struct lineage_trace *t)
{
	struct strvec files = STRVEC_INIT;
	int rc = add_metrics(&files, t);

	if (rc == 0 && files.n == 0 && t->pipeline->n == 0)
		rc = source_find(t->src, metric_names, &files);
	if (rc == 0 && files.n > 0)
		rc = collect(t, "metrics", VALUES_METRICS, &files);
	else if (rc == 0 && lineage_put_map(t->root, "metrics") == NULL)
		rc = ERR_NOMEM;
	strvec_release(&files);
	return rc;
}

/* ---- parameters ---- */

static int add_locked(struct node *all, const char *file, const struct node *values)
{
	struct node *map = node_get(all, file);
	int rc = 0;

	if (map == NULL && (map = lineage_put_map(all, file)) == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; rc == 0 && i < values->n; i++)
		if (node_get(map, values->keys[i]) == NULL)
			rc = node_append(map, values->keys[i], node_dup(values->items[i]));
	return rc;
}

/* What the stages of the answer were run with; the one nearest to the result counts. */
static int put_locked_params(struct lineage_trace *t)
{
	struct node *all = lineage_put_map(t->root, "params");
	int rc = all != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < t->stages->n; i++) {
		const struct node *params = node_get(t->stages->items[i], "params");

		for (size_t k = 0;
			rc == 0 && params != NULL && params->type == NODE_MAP && k < params->n; k++)
			if (params->items[k]->type == NODE_MAP)
				rc = add_locked(all, params->keys[k], params->items[k]);
	}
	return rc;
}

static int put_params(struct lineage_trace *t)
{
	const struct strvec none = STRVEC_INIT;

	if (t->maker != NULL || (t->path != NULL && t->pipeline->n > 0))
		return put_locked_params(t);
	return collect(t, "params", VALUES_PARAMS, &none);
}

/* ---- the environment ---- */

/* Of the stage that is nearest to the result. */
static int put_environment(struct lineage_trace *t)
{
	for (size_t i = 0; i < t->stages->n; i++) {
		const struct node *e = node_get(t->stages->items[i], "environment");

		if (e != NULL)
			return node_append(t->root, "environment", node_dup(e));
	}
	return node_append(t->root, "environment", node_null());
}

int lineage_put_values(struct lineage_trace *t)
{
	int rc = put_params(t);

	if (rc == 0)
		rc = put_metrics(t);
	return rc == 0 ? put_environment(t) : rc;
}
