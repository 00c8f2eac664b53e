/*
 * The lists of a file of stages that belong to no stage: metrics, params and plots that are shown
 * (`artifacts` and `datasets` are checked for their shape and left to others).
 */
#include "lib/pipeline/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

static int resolve(
	struct pipeline_build *b, struct node **out, const struct node *root, const char *key)
{
	const struct node *n = node_get(root, key);

	*out = NULL;
	return n != NULL ? template_resolve(out, &b->t, n, TEMPLATE_PLAIN) : 0;
}

/* A metric and, if it has any, what counts in it. */
static int add_metric(
	struct pipeline_build *b, const struct node *at, const char *path, const struct node *props)
{
	struct stage_path *m = pipeline_add_path(&b->p->metrics, &b->p->n_metrics);

	if (m == NULL)
		return ERR_NOMEM;
	m->kind = STAGE_METRIC;
	m->line = at->line;
	if (props != NULL && props->n > 0) {
		m->options = pipeline_keep(b, props);
		if (m->options == NULL)
			return ERR_NOMEM;
	}
	return pipeline_read_path(b, &m->path, b->dir, at, path);
}

static int add_metrics(struct pipeline_build *b, const struct node *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && list != NULL && i < list->n; i++) {
		const struct node *entry = list->items[i];

		if (entry->type != NODE_MAP)
			rc = add_metric(b, entry, entry->text, NULL);
		for (size_t k = 0; rc == 0 && entry->type == NODE_MAP && k < entry->n; k++)
			rc = add_metric(b, entry, entry->keys[k], entry->items[k]);
	}
	return rc;
}

static int add_params(struct pipeline_build *b, const struct node *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && list != NULL && i < list->n; i++) {
		struct stage_params *p =
			pipeline_grow(b->p->params, b->p->n_params, sizeof(*b->p->params));

		if (p == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		b->p->params = p;
		p += b->p->n_params++;
		p->line = list->items[i]->line;
		rc = pipeline_read_path(b, &p->file, b->dir, list->items[i], list->items[i]->text);
	}
	return rc;
}

/* --- plots ------------------------------------------------------------------------------------ */

/* {file: fields} with the files from the top. */
static int axis_from_top(struct pipeline_build *b, struct node *props, const char *axis)
{
	const struct node *files = node_get(props, axis);
	struct node *map = NULL;
	int rc = 0;

	if (files == NULL || files->type != NODE_MAP)
		return 0;
	map = node_map();
	if (map == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < files->n; i++) {
		char *path = NULL;
		struct node *copy = node_dup(files->items[i]);

		rc = copy != NULL
			     ? pipeline_read_path(b, &path, b->dir, files->items[i], files->keys[i])
			     : err_set(ERR_NOMEM, "out of memory");
		if (rc == 0)
			rc = node_set(map, path, copy);
		else
			node_free(copy);
		free(path);
	}
	if (rc == 0)
		return node_set(props, axis, map);
	node_free(map);
	return rc;
}

static int has_files(const struct node *props, const char *axis)
{
	const struct node *n = node_get(props, axis);

	return n != NULL && n->type == NODE_MAP;
}

static int add_plot(
	struct pipeline_build *b, const struct node *at, const char *id, const struct node *props)
{
	struct stage_path *plot = pipeline_add_path(&b->p->plots, &b->p->n_plots);
	struct node *copy = NULL;
	int rc;

	if (plot == NULL)
		return ERR_NOMEM;
	plot->kind = STAGE_PLOT;
	plot->line = at->line;
	if (has_files(props, "y") || has_files(props, "x")) {
		plot->path = strdup(id);
		rc = plot->path != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
	} else {
		rc = pipeline_read_path(b, &plot->path, b->dir, at, id);
	}
	if (rc < 0 || props == NULL || props->n == 0)
		return rc;
	copy = node_dup(props);
	if (copy == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = axis_from_top(b, copy, "y");
	if (rc == 0)
		rc = axis_from_top(b, copy, "x");
	if (rc == 0) {
		plot->options = pipeline_keep(b, copy);
		rc = plot->options != NULL ? 0 : ERR_NOMEM;
	}
	node_free(copy);
	return rc;
}

static int add_plot_map(struct pipeline_build *b, const struct node *map)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < map->n; i++)
		rc = add_plot(b, map->items[i], map->keys[i], map->items[i]);
	return rc;
}

static int add_plots(struct pipeline_build *b, const struct node *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && list != NULL && i < list->n; i++)
		rc = list->items[i]->type == NODE_MAP
			     ? add_plot_map(b, list->items[i])
			     : add_plot(b, list->items[i], list->items[i]->text, NULL);
	return rc;
}

int pipeline_top(struct pipeline_build *b, const struct node *root)
{
	struct node *metrics = NULL, *params = NULL, *plots = NULL;
	int rc = resolve(b, &metrics, root, "metrics");

	if (rc == 0)
		rc = resolve(b, &params, root, "params");
	if (rc == 0)
		rc = resolve(b, &plots, root, "plots");
	if (rc == 0)
		rc = add_metrics(b, metrics);
	if (rc == 0)
		rc = add_params(b, params);
	if (rc == 0)
		rc = add_plots(b, plots);
	node_free(metrics);
	node_free(params);
	node_free(plots);
	return rc;
}
