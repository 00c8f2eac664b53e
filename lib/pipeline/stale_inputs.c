/*
 * What a stage would be run with now: fingerprints of its dependencies, values of its parameters,
 * the environment that it declares.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/environ.h"
#include "lib/pipeline/stagelock_internal.h"
#include "lib/pipeline/stale_internal.h"

/* ---- paths ---- */

static int has_path(const struct locked_path *v, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].path, path) == 0)
			return 1;
	return 0;
}

static int gather_paths(struct locked_path **out, size_t *n_out, const struct stale_context *c,
	const struct stage_path *v, size_t n)
{
	int rc = 0;

	*out = calloc(n + 1, sizeof(**out));
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct locked_path *p = &(*out)[*n_out];

		if (has_path(*out, *n_out, v[i].path))
			continue;
		p->path = strdup(v[i].path);
		if (p->path == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		++*n_out;
		rc = fingerprints_of_path(c->fp, &v[i], &p->fp);
	}
	if (rc == 0)
		locked_paths_sort(*out, *n_out);
	return rc;
}

static int refuse_absent(const struct stage *s, const struct locked_stage *now)
{
	for (size_t i = 0; i < s->n_deps; i++) {
		const struct stage_path *p = &s->deps[i];

		for (size_t k = 0; k < now->n_deps; k++)
			if (now->deps[k].fp.type == FP_ABSENT &&
				strcmp(now->deps[k].path, p->path) == 0)
				return err_set(ERR_NOTFOUND,
					p->glob ? "no file matches the dependency '%s' of stage "
						  "'%s' (%s:%u)"
						: "the dependency '%s' of stage '%s' does not "
						  "exist "
						  "(%s:%u)",
					p->path, s->name, s->file, p->line);
	}
	return 0;
}

/* ---- parameters ---- */

struct taking {
	const struct stage *stage;
	const struct stage_params *params;
	struct node *map; /* what is taken */
	int strict;
};

static int take_leaf(const char *path, const struct node *value, void *data)
{
	struct node *copy = node_dup(value);

	return copy != NULL ? node_set(data, path, copy) : err_set(ERR_NOMEM, "out of memory");
}

/* Put the values of the keys into the map. */
static int take_params(const struct node *root, void *data)
{
	const struct taking *t = data;
	const struct stage_params *p = t->params;
	int rc = 0;

	if (p->keys.n == 0 && root->type == NODE_MAP)
		return node_each(root, 1, take_leaf, t->map);
	for (size_t i = 0; rc == 0 && i < p->keys.n; i++) {
		const struct node *value = node_at(root, p->keys.v[i]);

		if (value != NULL)
			rc = take_leaf(p->keys.v[i], value, t->map);
		else if (t->strict)
			rc = err_set(ERR_NOTFOUND, "no parameter '%s' in '%s' (stage '%s', %s:%u)",
				p->keys.v[i], p->file, t->stage->name, t->stage->file, p->line);
	}
	return rc;
}

/* The map of a file, made when it is not there yet (two entries may name one file). */
static struct node *params_map(struct node *params, const char *file)
{
	struct node *map = node_get(params, file);

	if (map != NULL)
		return map;
	map = node_map();
	if (map == NULL || node_set(params, file, map) < 0)
		return NULL;
	return map;
}

static int gather_params(
	struct node **out, const struct stale_context *c, const struct stage *s, int strict)
{
	int rc = 0;

	if (s->n_params == 0)
		return 0;
	*out = node_map();
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < s->n_params; i++) {
		const struct stage_params *p = &s->params[i];
		struct taking t = {s, p, params_map(*out, p->file), strict};

		if (t.map == NULL)
			return err_set(ERR_NOMEM, "out of memory");
		rc = fingerprints_document(c->fp, c->src, p->file, take_params, &t);
		if (rc == ERR_NOTFOUND && source_has(c->src, p->file) == 0)
			rc = strict ? err_set(ERR_NOTFOUND,
					      "'%s', the file of parameters of stage '%s', does "
					      "not exist (%s:%u)",
					      p->file, s->name, s->file, p->line)
				    : 0;
	}
	return rc;
}

/* ---- all ---- */

static int copy_words(struct strvec *out, const struct strvec *in)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->n; i++)
		rc = strvec_push(out, in->v[i]);
	return rc;
}

/* Where the commands start, unless that is beside the file of stages. */
static int copy_wdir(char **out, const struct stage *s)
{
	const char *slash = strrchr(s->file, '/');
	const size_t len = slash != NULL ? (size_t)(slash - s->file) : 0;

	if (strlen(s->wdir) == len && strncmp(s->wdir, s->file, len) == 0)
		return 0;
	*out = strdup(s->wdir[0] != '\0' ? s->wdir : ".");
	return *out != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

int stale_gather(
	struct locked_stage **out, const struct stale_context *c, const struct stage *s, int how)
{
	int strict = how == STALE_GATHER_ALL;
	struct locked_stage *n = calloc(1, sizeof(*n));
	int rc;

	*out = NULL;
	if (n == NULL || (n->name = strdup(s->name)) == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	rc = copy_words(&n->cmd, &s->cmd);
	if (rc == 0)
		rc = copy_wdir(&n->wdir, s);
	if (rc == 0)
		rc = gather_paths(&n->deps, &n->n_deps, c, s->deps, s->n_deps);
	if (rc == 0 && strict)
		rc = refuse_absent(s, n);
	if (rc == 0)
		rc = gather_params(&n->params, c, s, strict);
	if (rc == 0 && (s->env.set.n > 0 || s->env.vars.n > 0 || s->env.facts.n > 0))
		rc = environ_declared(&n->env, c->repo, s);
	if (rc == 0 && how == STALE_GATHER_OUTS)
		rc = gather_paths(&n->outs, &n->n_outs, c, s->outs, s->n_outs);
done:
	if (rc < 0) {
		locked_stage_free(n);
		return rc;
	}
	*out = n;
	return 0;
}
