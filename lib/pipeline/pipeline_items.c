/*
 * The lists of a stage's definition that name files: deps, outs, metrics, plots, params, in their
 * short and long forms; paths from the top, and the refusal of what cannot work - outputs outside
 * of the project, URLs, one path twice.
 */
#include "lib/pipeline/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pathmatch.h"

void *pipeline_grow(void *array, size_t n, size_t size)
{
	size_t cap = n == 0 ? 1 : 2 * n;

	if ((n & (n - 1)) == 0) {
		array = reallocarray(array, cap, size);
		if (array == NULL)
			return NULL;
	}
	memset((char *)array + n * size, 0, size);
	return array;
}

int pipeline_text(char **out, const struct node *n)
{
	if (n == NULL)
		return 0;
	free(*out);
	*out = strdup(n->text);
	return *out != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* "s3://bucket/x", "remote://…" */
static int is_url(const char *path)
{
	size_t len =
		strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	return len > 1 && strncmp(path + len, "://", 3) == 0;
}

/* The path that `n` writes, from the top, into *out. */
int pipeline_read_path(struct pipeline_build *b, char **out, const char *wdir, const struct node *n,
	const char *text)
{
	struct buf path = BUF_INIT;
	int rc;

	if (is_url(text))
		return template_complain(b->file, n,
			"'%s' is a URL; a stage reads and writes files: let its command fetch it "
			"into "
			"an output, or name a mounted path",
			text);
	rc = pipeline_path(&path, b->reader->top, wdir, text);
	if (rc == ERR_INVALID)
		rc = template_complain(b->file, n, "%s", err_msg());
	if (rc == 0) {
		*out = buf_detach(&path);
		if (*out == NULL)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	buf_release(&path);
	return rc;
}

static int is_glob(const char *path)
{
	const char *bracket = strchr(path, '[');

	return strpbrk(path, "*?") != NULL || (bracket != NULL && strchr(bracket, ']') != NULL);
}

struct stage_path *pipeline_add_path(struct stage_path **v, size_t *n)
{
	struct stage_path *grown = pipeline_grow(*v, *n, sizeof(*grown));

	if (grown == NULL) {
		err_set(ERR_NOMEM, "out of memory");
		return NULL;
	}
	*v = grown;
	return &grown[(*n)++];
}

/* 1 if the dependency holds or matches the file that the results are kept in. */
static int holds_lock(const struct pipeline_build *b, const char *path)
{
	const char *lock = b->p->files[b->p->n_files - 1].lock;

	return is_glob(path) ? pathmatch_glob(path, lock) : pathmatch_within(lock, path);
}

/* One more dependency, unless it is there (a template may well name one twice). */
static int add_dep(struct pipeline_build *b, struct stage *s, const struct node *at, int env)
{
	struct stage_path *dep;
	char *path = NULL;
	int rc = pipeline_read_path(b, &path, s->wdir, at, at->text);

	for (size_t i = 0; rc == 0 && i < s->n_deps; i++)
		if (strcmp(s->deps[i].path, path) == 0)
			goto done;
	if (rc == 0 && holds_lock(b, path))
		rc = template_complain(b->file, at,
			"'%s' cannot be a dependency: dvx.lock is in it, which every run changes; "
			"name "
			"what is read",
			at->text);
	dep = rc == 0 ? pipeline_add_path(&s->deps, &s->n_deps) : NULL;
	if (dep == NULL) {
		rc = rc < 0 ? rc : ERR_NOMEM;
		goto done;
	}
	*dep = (struct stage_path){.path = path,
		.kind = STAGE_DEP,
		.glob = is_glob(path),
		.env = env,
		.line = at->line};
	path = NULL;
done:
	free(path);
	return rc;
}

int pipeline_deps(struct pipeline_build *b, struct stage *s, const struct node *list, int env)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && list != NULL && i < list->n; i++)
		rc = add_dep(b, s, list->items[i], env);
	return rc;
}

/* --- outputs ---------------------------------------------------------------------------------- */

/* Outputs are files of the project that are neither Git's nor ours. */
static int check_out(struct pipeline_build *b, const struct stage_path *out, const struct node *at,
	const char *text)
{
	const char *base = strrchr(out->path, '/');
	const char *mend = NULL;

	base = base != NULL ? base + 1 : out->path;
	if (out->path[0] == '/')
		mend = "outputs lie inside of the project";
	else if (pathmatch_within(b->file, out->path))
		mend = "it holds the file of stages itself; name a directory below it";
	else if (pathmatch_within(out->path, ".git") || strstr(out->path, "/.git/") != NULL ||
		 strcmp(base, ".git") == 0)
		mend = "it belongs to Git";
	else if (strcmp(base, "dvx.lock") == 0 || strcmp(base, "dvc.lock") == 0 ||
		 strcmp(base, "dvx.yaml") == 0 || strcmp(base, "dvc.yaml") == 0 ||
		 strcmp(base, ".gitattributes") == 0 || strcmp(base, ".dvxconfig") == 0)
		mend = "git-dvx writes this file itself";
	else if (strpbrk(out->path, "*?") != NULL)
		mend = "outputs are paths, not patterns; name the directory";
	if (mend == NULL)
		return 0;
	return template_complain(b->file, at, "'%s' cannot be an output: %s", text, mend);
}

int pipeline_flag(const struct node *props, const char *key, int otherwise)
{
	const struct node *n = node_get(props, key);

	return n != NULL && n->type == NODE_BOOL ? n->i != 0 : otherwise;
}

const struct node *pipeline_keep(struct pipeline_build *b, const struct node *n)
{
	struct node *copy = node_dup(n);

	if (copy == NULL || node_push(b->p->nodes, copy) < 0) {
		err_set(ERR_NOMEM, "out of memory");
		return NULL;
	}
	return copy;
}

static int add_out(struct pipeline_build *b, struct stage *s, enum stage_path_kind kind,
	const struct node *at, const char *text, const struct node *props)
{
	struct stage_path *out = pipeline_add_path(&s->outs, &s->n_outs);
	int rc;

	if (out == NULL)
		return ERR_NOMEM;
	out->kind = kind;
	out->line = at->line;
	out->cache = pipeline_flag(props, "cache", 1);
	out->persist = pipeline_flag(props, "persist", 0);
	out->push = pipeline_flag(props, "push", 1);
	rc = pipeline_read_path(b, &out->path, s->wdir, at, text);
	if (rc == 0)
		rc = check_out(b, out, at, text);
	if (rc == 0)
		rc = pipeline_text(&out->desc, node_get(props, "desc"));
	if (rc == 0 && kind != STAGE_OUT && props != NULL && props->n > 0) {
		out->options = pipeline_keep(b, props);
		rc = out->options != NULL ? 0 : ERR_NOMEM;
	}
	return rc;
}

int pipeline_outs(struct pipeline_build *b, struct stage *s, enum stage_path_kind kind,
	const struct node *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && list != NULL && i < list->n; i++) {
		const struct node *entry = list->items[i];

		if (entry->type != NODE_MAP)
			rc = add_out(b, s, kind, entry, entry->text, NULL);
		for (size_t k = 0; rc == 0 && entry->type == NODE_MAP && k < entry->n; k++)
			rc = add_out(b, s, kind, entry, entry->keys[k], entry->items[k]);
	}
	return rc;
}

/* --- parameters ------------------------------------------------------------------------------- */

/* The entry of a file among the parameters of the stage, made if it is not there yet; NULL: out of
 * memory. */
static struct stage_params *params_of(struct stage *s, const char *file, unsigned line)
{
	struct stage_params *p;

	for (size_t i = 0; i < s->n_params; i++)
		if (strcmp(s->params[i].file, file) == 0)
			return &s->params[i];
	p = pipeline_grow(s->params, s->n_params, sizeof(*p));
	if (p == NULL)
		return NULL;
	s->params = p;
	p += s->n_params;
	p->line = line;
	p->file = strdup(file);
	if (p->file == NULL)
		return NULL;
	s->n_params++;
	return p;
}

static int has_key(const struct stage_params *p, const char *key)
{
	for (size_t i = 0; i < p->keys.n; i++)
		if (strcmp(p->keys.v[i], key) == 0)
			return 1;
	return 0;
}

/* One key of a file, or all of it (`key` NULL). */
static int add_param(struct pipeline_build *b, struct stage *s, const struct node *at,
	const char *file, const char *key)
{
	size_t before = s->n_params;
	struct stage_params *p;
	char *path = NULL;
	int rc = pipeline_read_path(b, &path, s->wdir, at, file), whole;

	if (rc < 0)
		return rc;
	p = params_of(s, path, at->line);
	free(path);
	if (p == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	whole = s->n_params == before && p->keys.n == 0;
	if (key == NULL)
		strvec_release(&p->keys);
	else if (!whole && !has_key(p, key))
		rc = strvec_push(&p->keys, key);
	return rc;
}

static int add_param_file(struct pipeline_build *b, struct stage *s, const struct node *at,
	const char *file, const struct node *keys)
{
	int rc = keys->n == 0 ? add_param(b, s, at, file, NULL) : 0;

	for (size_t i = 0; rc == 0 && i < keys->n; i++)
		rc = add_param(b, s, keys->items[i], file, keys->items[i]->text);
	return rc;
}

int pipeline_params(struct pipeline_build *b, struct stage *s, const struct node *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && list != NULL && i < list->n; i++) {
		const struct node *entry = list->items[i];

		if (entry->type != NODE_MAP)
			rc = add_param(b, s, entry, "params.yaml", entry->text);
		for (size_t k = 0; rc == 0 && entry->type == NODE_MAP && k < entry->n; k++)
			rc = add_param_file(b, s, entry, entry->keys[k], entry->items[k]);
	}
	return rc;
}

static int compare_paths(const void *a, const void *b)
{
	const struct stage_path *const *x = a, *const *y = b;
	int order = strcmp((*x)->path, (*y)->path);

	if (order == 0 && (*x)->kind != (*y)->kind)
		order = (*x)->kind < (*y)->kind ? -1 : 1;
	return order != 0 ? order : (*x)->line < (*y)->line ? -1 : (*x)->line > (*y)->line;
}

int pipeline_check_twice(struct pipeline_build *b, const struct stage *s)
{
	struct stage_path **all = calloc(s->n_deps + s->n_outs + 1, sizeof(*all));
	size_t n = 0;
	int rc = 0;

	if (all == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->n_deps; i++)
		all[n++] = &s->deps[i];
	for (size_t i = 0; i < s->n_outs; i++)
		all[n++] = &s->outs[i];
	qsort(all, n, sizeof(*all), compare_paths);
	for (size_t i = 1; rc == 0 && i < n; i++) {
		if (strcmp(all[i - 1]->path, all[i]->path) != 0)
			continue;
		rc = err_set(ERR_INVALID, "%s:%u: '%s' is %s of stage '%s'; remove one", b->file,
			all[i]->line, all[i]->path,
			all[i - 1]->kind == STAGE_DEP ? "both a dependency and an output"
						      : "named twice as an output",
			s->name);
	}
	free(all);
	return rc;
}
