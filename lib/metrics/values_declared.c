/*
 * Which files hold metrics or parameters, by the pipeline of a state and by what was typed.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/metrics/values_internal.h"

/* ---- the list ---- */

static void declared_free(struct declared *d)
{
	if (!d)
		return;
	free(d->path);
	free(d->type);
	free(d->select);
	strvec_release(&d->keys);
	free(d);
}

void declared_list_release(struct declared_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		declared_free(l->v[i]);
	free(l->v);
	strmap_release(&l->by_path, NULL);
	memset(l, 0, sizeof *l);
}

/* A new entry, or NULL when out of memory. */
static struct declared *add(struct declared_list *l, const char *path)
{
	struct declared *d = calloc(1, sizeof *d);

	if (!d || !(d->path = strdup(path)) ||
		array_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0 ||
		strmap_put(&l->by_path, path, d) < 0) {
		declared_free(d);
		err_set(ERR_NOMEM, "out of memory");
		return NULL;
	}
	l->v[l->n++] = d;
	return d;
}

/* The entry of this path, made if it is not there yet; NULL: out of memory. */
static struct declared *of_path(struct declared_list *l, const char *path)
{
	struct declared *d = strmap_get(&l->by_path, path);

	return d ? d : add(l, path);
}

/* ---- what pipelines declare ---- */

static int copy_text(char **out, const struct node *n)
{
	if (*out || !n || !node_is_scalar(n) || n->type == NODE_NULL)
		return 0;
	*out = strdup(n->text);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int add_metric(struct declared_list *l, const struct stage_path *p)
{
	struct declared *d = of_path(l, p->path);
	int rc;

	if (!d)
		return ERR_NOMEM;
	rc = copy_text(&d->type, node_get(p->options, "type"));
	if (rc == 0)
		rc = copy_text(&d->select, node_get(p->options, "path"));
	if (rc == 0)
		rc = copy_text(&d->select, node_get(p->options, "xpath"));
	return rc;
}

static int add_metrics(struct declared_list *l, const struct pipeline *p)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->n; i++)
		for (size_t k = 0; rc == 0 && k < p->v[i]->n_outs; k++)
			if (p->v[i]->outs[k].kind == STAGE_METRIC)
				rc = add_metric(l, &p->v[i]->outs[k]);
	for (size_t i = 0; rc == 0 && i < p->n_metrics; i++)
		rc = add_metric(l, &p->metrics[i]);
	return rc;
}

static int has(const struct strvec *v, const char *text)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->v[i], text) == 0)
			return 1;
	return 0;
}

static int add_params(struct declared_list *l, const struct stage_params *v, size_t n)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct declared *d = of_path(l, v[i].file);

		if (!d)
			return ERR_NOMEM;
		d->optional = 0;
		d->whole |= v[i].keys.n == 0;
		for (size_t k = 0; rc == 0 && k < v[i].keys.n; k++)
			if (!has(&d->keys, v[i].keys.v[k]))
				rc = strvec_push(&d->keys, v[i].keys.v[k]);
	}
	return rc;
}

/* The params.yaml beside each file of stages, which nobody needs to name. */
static int add_default_params(struct declared_list *l, const struct pipeline *p)
{
	struct declared *d;
	struct buf path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < (p->n_files ? p->n_files : 1); i++) {
		const char *dir = p->n_files ? p->files[i].dir : "";

		buf_reset(&path);
		rc = buf_addf(&path, "%s%sparams.yaml", dir, *dir ? "/" : "");
		if (rc == 0 && !(d = of_path(l, path.p)))
			rc = ERR_NOMEM;
		if (rc == 0)
			d->optional = d->whole = 1;
	}
	buf_release(&path);
	return rc;
}

int declared_collect(struct declared_list *out, const struct pipeline *p, enum values_kind kind)
{
	int rc = 0;

	if (kind == VALUES_METRICS)
		return add_metrics(out, p);
	if (kind == VALUES_PARAMS)
		rc = add_default_params(out, p);
	if (rc == 0 && kind == VALUES_PARAMS)
		rc = add_params(out, p->params, p->n_params);
	for (size_t i = 0; rc == 0 && i < p->n; i++)
		rc = add_params(out, p->v[i]->params, p->v[i]->n_params);
	return rc;
}

/* ---- what was asked for ---- */

void chosen_release(struct chosen *c)
{
	free(c->v);
	declared_list_release(&c->own);
	memset(c, 0, sizeof *c);
}

static int choose(struct chosen *c, const struct declared *d)
{
	int rc = array_room(&c->v, c->n, &c->cap, sizeof(*c->v));

	if (rc == 0)
		c->v[c->n++] = d;
	return rc;
}

/* Targets may overlap: "model" and "model/metrics.json". */
static int choose_once(struct chosen *c, const struct declared *d)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i]->path, d->path) == 0)
			return 0;
	return choose(c, d);
}

/* The declared files below a directory; 1 if there are any, or an error. */
static int choose_below(struct chosen *c, const struct declared_list *all, const char *dir)
{
	size_t len = strlen(dir), before = c->n;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < all->n; i++)
		if (len == 0 ||
			(strncmp(all->v[i]->path, dir, len) == 0 && all->v[i]->path[len] == '/'))
			rc = choose(c, all->v[i]);
	return rc < 0 ? rc : (int)(c->n - before);
}

/* "a,b.c" */
static int add_keys(struct strvec *out, const char *text)
{
	int rc = 0;

	while (rc == 0 && *text) {
		size_t len = strcspn(text, ",");

		if (len > 0)
			rc = strvec_pushn(out, text, len);
		text += len + (text[len] == ',');
	}
	return rc;
}

/* Some keys of a file, declared or not. */
static int choose_keys(
	struct chosen *c, const struct declared *known, const char *path, const char *keys)
{
	struct declared *d = of_path(&c->own, path);
	int rc;

	if (!d)
		return ERR_NOMEM;
	rc = add_keys(&d->keys, keys);
	if (rc == 0 && known && known->type && !d->type && !(d->type = strdup(known->type)))
		rc = err_set(ERR_NOMEM, "out of memory");
	return rc < 0 ? rc : choose_once(c, d);
}

/* All of a file that nobody declares. */
static int choose_other(struct chosen *c, const char *path)
{
	struct declared *d = of_path(&c->own, path);

	if (!d)
		return ERR_NOMEM;
	d->whole = 1;
	return choose_once(c, d);
}

static int choose_target(
	struct chosen *c, const struct declared_list *all, struct source *src, const char *target)
{
	const struct declared *known = strmap_get(&all->by_path, target);
	const char *colon = strrchr(target, ':');
	char *path;
	int rc;

	if (known)
		return choose_once(c, known);
	rc = choose_below(c, all, target);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (!colon || source_has(src, target) > 0)
		return choose_other(c, target);
	if (!(path = strndup(target, (size_t)(colon - target))))
		return err_set(ERR_NOMEM, "out of memory");
	rc = choose_keys(c, strmap_get(&all->by_path, path), path, colon + 1);
	free(path);
	return rc;
}

int declared_choose(struct chosen *out, const struct declared_list *all, struct source *src,
	const struct values_options *o)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->n; i++)
		rc = choose_target(out, all, src, o->targets[i]);
	for (size_t i = 0; rc == 0 && o->n == 0 && i < all->n; i++)
		rc = choose(out, all->v[i]);
	return rc;
}
