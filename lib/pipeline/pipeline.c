/*
 * Files of stages into one struct pipeline: each is parsed, its shape checked, its variables
 * loaded, its stages added.  The parts are listed in pipeline_internal.h.
 */
#include "lib/pipeline/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

static void free_paths(struct stage_path *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].path);
		free(v[i].desc);
	}
	free(v);
}

static void free_params(struct stage_params *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].file);
		strvec_release(&v[i].keys);
	}
	free(v);
}

static void free_stage(struct stage *s)
{
	if (s == NULL)
		return;
	free(s->name);
	free(s->file);
	free(s->wdir);
	free(s->desc);
	strvec_release(&s->cmd);
	free_paths(s->deps, s->n_deps);
	free_paths(s->outs, s->n_outs);
	free_params(s->params, s->n_params);
	strvec_release(&s->env.set);
	strvec_release(&s->env.vars);
	strvec_release(&s->env.facts);
	for (size_t i = 0; i < s->n_resources; i++)
		free(s->resources[i].name);
	free(s->resources);
	strvec_release(&s->mutex);
	free(s);
}

void pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++)
		free_stage(p->v[i]);
	free(p->v);
	for (size_t i = 0; i < p->n_files; i++) {
		free(p->files[i].path);
		free(p->files[i].dir);
		free(p->files[i].lock);
		node_free(p->files[i].root);
	}
	free(p->files);
	free_paths(p->metrics, p->n_metrics);
	free_paths(p->plots, p->n_plots);
	free_params(p->params, p->n_params);
	node_free(p->nodes);
	free(p);
}

static int new_pipeline(struct pipeline **out)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->nodes = node_list();
	if (p == NULL || p->nodes == NULL) {
		free(p);
		return err_set(ERR_NOMEM, "out of memory");
	}
	*out = p;
	return 0;
}

/* The entry of a file, its names filled in; NULL: out of memory. */
static struct pipefile *add_file(struct pipeline *p, const char *path)
{
	struct pipefile *grown = pipeline_grow(p->files, p->n_files, sizeof(*grown)), *f;
	const char *slash = strrchr(path, '/');
	struct buf lock = BUF_INIT;

	if (grown == NULL)
		return NULL;
	p->files = grown;
	f = &grown[p->n_files++];
	f->path = strdup(path);
	f->dir = strndup(path, slash != NULL ? (size_t)(slash - path) : 0);
	if (buf_addf(&lock, "%s%sdvx.lock", f->dir != NULL ? f->dir : "",
		    slash != NULL ? "/" : "") == 0)
		f->lock = buf_detach(&lock);
	buf_release(&lock);
	return f->path != NULL && f->dir != NULL && f->lock != NULL ? f : NULL;
}

/* Add the stages of one file's text; on failure `p` may hold a part of them. */
static int add_text(struct pipeline *p, const char *path, const void *text, size_t len,
	const struct pipeline_reader *reader)
{
	struct pipefile *f = add_file(p, path);
	struct pipeline_build b = {.p = p, .file = path, .reader = reader, .t = {.file = path}};
	int rc;

	if (f == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	b.dir = f->dir;
	b.t.used = &b.used;
	b.t.made = &b.made;
	if (len > PIPELINE_FILE_MAX)
		return err_set(
			ERR_LIMIT, "'%s' has more than %d bytes", path, (int)PIPELINE_FILE_MAX);
	rc = yaml_parse(&f->root, path, text, len);
	if (rc == 0)
		rc = pipeline_schema(path, f->root);
	if (rc == 0)
		rc = pipeline_vars(&b, node_get(f->root, "vars"));
	if (rc == 0)
		rc = pipeline_expand(&b, node_get(f->root, "stages"));
	if (rc == 0)
		rc = pipeline_top(&b, f->root);
	if (rc == 0)
		rc = pipeline_used(&b);
	pipeline_local_release(&b);
	template_release(&b.t);
	strmap_release(&b.used, NULL);
	strmap_release(&b.names, NULL);
	return rc;
}

int pipeline_parse(struct pipeline **out, const char *path, const void *text, size_t len,
	const struct pipeline_reader *reader)
{
	int rc = new_pipeline(out);

	if (rc < 0)
		return rc;
	rc = add_text(*out, path, text, len, reader);
	if (rc < 0) {
		pipeline_free(*out);
		*out = NULL;
	}
	return rc;
}

/* --- all files of a source -------------------------------------------------------------------- */

static int read_source(void *data, const char *path, struct buf *out)
{
	return source_read(data, path, PIPELINE_FILE_MAX, out);
}

/* 1 if `path` is a dvc.yaml beside a dvx.yaml of the list, which is read instead. */
static int is_hidden(const struct strvec *paths, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash != NULL ? (size_t)(slash + 1 - path) : 0;

	if (strcmp(path + dir, "dvc.yaml") != 0)
		return 0;
	for (size_t i = 0; i < paths->n; i++)
		if (strncmp(paths->v[i], path, dir) == 0 &&
			strcmp(paths->v[i] + dir, "dvx.yaml") == 0)
			return 1;
	return 0;
}

static int add_source(struct pipeline *p, const char *path, const struct pipeline_reader *reader)
{
	struct buf text = BUF_INIT;
	int rc;

	for (size_t i = 0; i < p->n_files; i++)
		if (strcmp(p->files[i].path, path) == 0)
			return 0;
	rc = reader->read(reader->data, path, &text);
	if (rc == 0)
		rc = add_text(p, path, buf_str(&text), text.len, reader);
	buf_release(&text);
	return rc;
}

int pipeline_load(struct pipeline **out, struct source *src, const char *also)
{
	static const char *const names[] = {"dvx.yaml", "dvc.yaml", NULL};
	struct pipeline_reader reader = {.read = read_source, .data = src};
	struct strvec paths = STRVEC_INIT;
	int rc = new_pipeline(out);

	if (rc < 0)
		return rc;
	reader.top = source_top(src);
	rc = source_find(src, names, &paths);
	for (size_t i = 0; rc == 0 && i < paths.n; i++)
		if (!is_hidden(&paths, paths.v[i]))
			rc = add_source(*out, paths.v[i], &reader);
	if (rc == 0 && also != NULL)
		rc = add_source(*out, also, &reader);
	strvec_release(&paths);
	if (rc < 0) {
		pipeline_free(*out);
		*out = NULL;
	}
	return rc;
}
