/*
 * Collecting plots: what a state's dvx.yaml declares (outputs of stages under `plots:`, the list at
 * the top), or files that were named, read from that state and sorted by the plot's name.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/metrics/plots_internal.h"
#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/pipeline/pipeline.h"

static const char *const templates[] = {"linear", "simple", "smooth", "scatter", "confusion",
	"confusion_normalized", "bar_horizontal", "bar_horizontal_sorted", "scatter_jitter", NULL};

const char *plots_template(size_t i)
{
	return i < sizeof templates / sizeof *templates ? templates[i] : NULL;
}

int plots_is_template(const char *name)
{
	for (size_t i = 0; templates[i] != NULL; i++)
		if (strcmp(templates[i], name) == 0)
			return 1;
	return 0;
}

int plots_new(struct plots **out, const struct repo *repo, const struct plots_options *o)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	(*out)->repo = repo;
	(*out)->o = *o;
	return 0;
}

static void plot_free(struct plot *plot)
{
	for (size_t i = 0; i < plot->n_series; i++) {
		free(plot->series[i].revision);
		free(plot->series[i].name);
		buf_release(&plot->series[i].x);
		buf_release(&plot->series[i].y);
	}
	for (size_t i = 0; i < plot->n_images; i++) {
		free(plot->images[i].revision);
		buf_release(&plot->images[i].bytes);
	}
	strvec_release(&plot->notes);
	free(plot->series);
	free(plot->images);
	free(plot->title);
	free(plot->x_label);
	free(plot->y_label);
	free(plot->template);
	free(plot->x_name);
	free(plot->y_name);
	free(plot->id);
	free(plot);
}

void plots_free(struct plots *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++)
		plot_free(p->v[i]);
	free(p->v);
	strmap_release(&p->by_id, NULL);
	strmap_release(&p->declared, NULL);
	strvec_release(&p->revisions);
	free(p);
}

struct plot *plots_get(struct plots *p, const char *id)
{
	struct plot *plot = strmap_get(&p->by_id, id);
	struct plot **grown;

	if (plot != NULL)
		return plot;
	grown = reallocarray(p->v, p->n + 1, sizeof *grown);
	if (grown != NULL)
		p->v = grown;
	plot = grown != NULL ? calloc(1, sizeof *plot) : NULL;
	if (plot == NULL || (plot->id = strdup(id)) == NULL ||
		strmap_put(&p->by_id, id, plot) < 0) {
		if (plot != NULL)
			plot_free(plot);
		err_set(ERR_NOMEM, "out of memory");
		return NULL;
	}
	p->v[p->n++] = plot;
	return plot;
}

int plot_note(struct plot *plot, const char *revision)
{
	return strvec_pushf(&plot->notes, "%s: %s", revision, err_msg());
}

/* ---- what dvx.yaml says of it ---- */

static int take_text(char **out, const char *typed, const struct node *options, const char *key)
{
	const struct node *n = options != NULL ? node_get(options, key) : NULL;
	const char *text = typed;

	if (text == NULL && n != NULL && node_is_scalar(n) && n->type != NODE_NULL)
		text = n->text;
	if (text == NULL || *out != NULL)
		return 0;
	*out = strdup(text);
	return *out != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int take_options(struct plot_reading *r)
{
	const struct plots_options *o = &r->p->o;
	struct plot *plot = r->plot;
	int rc = take_text(&plot->title, o->title, r->options, "title");

	if (rc == 0)
		rc = take_text(&plot->x_label, o->x_label, r->options, "x_label");
	if (rc == 0)
		rc = take_text(&plot->y_label, o->y_label, r->options, "y_label");
	if (rc == 0 && plot->template == NULL)
		rc = take_text(&plot->template, o->template, r->options, "template");
	if (rc < 0 || plot->template == NULL || plots_is_template(plot->template))
		return rc;
	rc = strvec_pushf(
		&plot->notes, "there is no template '%s' here; this is 'linear'", plot->template);
	free(plot->template);
	plot->template = strdup("linear");
	return rc < 0 || plot->template != NULL ? rc : err_set(ERR_NOMEM, "out of memory");
}

/* ---- a plot of a state ---- */

static int add_contents(struct plot_reading *r, const char *id)
{
	const struct node *y = r->options != NULL ? node_get(r->options, "y") : NULL;
	int rc = 0;

	if (plot_image_type(id) != NULL)
		return plot_add_image(r, id);
	if (y == NULL || y->type != NODE_MAP)
		return plot_add_file(r, id, y, "");
	for (size_t i = 0; rc == 0 && i < y->n; i++)
		rc = plot_add_file(r, y->keys[i], y->items[i], y->n > 1 ? y->keys[i] : "");
	return rc;
}

static int has_files(const struct node *options)
{
	const struct node *y = options != NULL ? node_get(options, "y") : NULL;

	return y != NULL && y->type == NODE_MAP;
}

static int add_plot(struct plots *p, struct source *src, const char *id, const struct node *options)
{
	struct plot_reading r = {.p = p, .src = src, .options = options};
	int rc = has_files(options) ? 1 : source_has(src, id), found = 0;

	if (rc == 0)
		rc = plot_add_directory(&r, id, &found);
	if (rc < 0 || found)
		return rc;
	r.plot = plots_get(p, id);
	if (r.plot == NULL)
		return ERR_NOMEM;
	rc = take_options(&r);
	if (rc == 0)
		rc = add_contents(&r, id);
	if (rc < 0 && rc != ERR_NOMEM && rc != ERR_INTERRUPTED)
		rc = plot_note(r.plot, source_name(src));
	return rc;
}

/* ---- a state ---- */

/* 1 if it was asked for; the targets that do so are remembered. */
static int is_wanted(struct plots *p, const char *id, const struct node *options)
{
	const struct node *y = has_files(options) ? node_get(options, "y") : NULL;
	int wanted = p->o.n_targets == 0;

	for (size_t i = 0; i < p->o.n_targets; i++) {
		int fits = pathmatch_within(id, p->o.targets[i]);

		for (size_t k = 0; y != NULL && k < y->n; k++)
			fits |= strcmp(y->keys[k], p->o.targets[i]) == 0;
		if (fits && strmap_put(&p->declared, p->o.targets[i], NULL) < 0)
			return ERR_NOMEM;
		wanted |= fits;
	}
	return wanted;
}

static int add_declared(
	struct plots *p, struct source *src, const struct stage_path *declared, struct strmap *seen)
{
	int rc;

	if (strmap_has(seen, declared->path))
		return 0;
	rc = is_wanted(p, declared->path, declared->options);
	if (rc <= 0)
		return rc;
	rc = strmap_put(seen, declared->path, NULL);
	return rc < 0 ? rc : add_plot(p, src, declared->path, declared->options);
}

/* The top-level list first: it says more of a file than the stage that makes it. */
static int add_all_declared(struct plots *p, struct source *src, const struct pipeline *pipeline)
{
	struct strmap seen = STRMAP_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < pipeline->n_plots; i++)
		rc = add_declared(p, src, &pipeline->plots[i], &seen);
	for (size_t i = 0; rc == 0 && i < pipeline->n; i++)
		for (size_t k = 0; rc == 0 && k < pipeline->v[i]->n_outs; k++)
			if (pipeline->v[i]->outs[k].kind == STAGE_PLOT)
				rc = add_declared(p, src, &pipeline->v[i]->outs[k], &seen);
	strmap_release(&seen, NULL);
	return rc;
}

int plots_add(struct plots *p, struct source *src)
{
	struct pipeline *pipeline = NULL;
	int rc = strvec_push(&p->revisions, source_name(src));

	if (rc == 0)
		rc = pipeline_load(&pipeline, src, NULL);
	if (rc == 0)
		rc = add_all_declared(p, src, pipeline);
	pipeline_free(pipeline);
	/* what nobody declares is a file */
	for (size_t i = 0; rc == 0 && i < p->o.n_targets; i++)
		if (!strmap_has(&p->declared, p->o.targets[i]))
			rc = add_plot(p, src, p->o.targets[i], NULL);
	return rc;
}

int plots_check(const struct plots *p)
{
	for (size_t i = 0; i < p->o.n_targets; i++) {
		const struct plot *plot = strmap_get(&p->by_id, p->o.targets[i]);

		if (plot != NULL && plot->n_series == 0 && plot->n_images == 0)
			return err_set(ERR_NOTFOUND, "nothing to draw of '%s': %s", plot->id,
				plot->notes.n > 0 ? plot->notes.v[0] : "it is empty");
	}
	if (p->n > 0)
		return 0;
	return err_set(
		ERR_NOTFOUND, "no plots here; name files, or declare them by 'plots:' in dvx.yaml");
}
