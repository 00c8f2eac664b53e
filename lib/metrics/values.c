/*
 * Values of states: what a state's pipeline declares (values_declared.c) is read from it and parsed
 * (values_parse.c), and kept by the Git blob that it came from.  States that have the same files of
 * stages share one pipeline: it is loaded again only where a file that its loading looked at is
 * another one.
 */
#include "lib/metrics/values.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/strmap.h"
#include "lib/metrics/values_internal.h"
#include "lib/store/oidmap.h"

/* Blobs that were read in one and the same way: by type, selection and keys. */
struct recipe {
	struct oidmap places; /* blob -> place in roots of the cache */
};

/* A pipeline and what it was loaded from. */
struct loaded {
	struct pipeline *p;
	struct strvec paths;
	struct oid *blobs; /* one a path; all 0: there was no such file */
	int of_worktree;   /* whose files have no blobs: used once */
	struct declared_list lists[VALUES_KINDS];
	char collected[VALUES_KINDS];
};

struct values_cache {
	struct loaded **loaded;
	size_t n_loaded, cap_loaded;
	struct node **roots;
	size_t n_roots, cap_roots;
	struct strmap recipes;
};

int values_cache_new(struct values_cache **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static void loaded_free(struct loaded *l)
{
	if (!l)
		return;
	pipeline_free(l->p);
	strvec_release(&l->paths);
	free(l->blobs);
	for (size_t i = 0; i < VALUES_KINDS; i++)
		declared_list_release(&l->lists[i]);
	free(l);
}

static void recipe_free(void *p)
{
	struct recipe *r = p;

	oidmap_release(&r->places);
	free(r);
}

void values_cache_free(struct values_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_loaded; i++)
		loaded_free(c->loaded[i]);
	for (size_t i = 0; i < c->n_roots; i++)
		node_free(c->roots[i]);
	free(c->loaded);
	free(c->roots);
	strmap_release(&c->recipes, recipe_free);
	free(c);
}

/* ---- pipelines ---- */

static int blob_at(struct source *src, const char *path, struct oid *out)
{
	memset(out, 0, sizeof *out);
	return source_blob(src, path, out->id);
}

/* 1 if all that the pipeline was made of is the same in `src`. */
static int is_of(const struct loaded *l, struct source *src, const struct strvec *files)
{
	struct oid id;

	if (l->of_worktree)
		return 0;
	for (size_t i = 0; i < files->n; i++) /* files of stages that it does not know */
		if (i >= l->paths.n || strcmp(files->v[i], l->paths.v[i]) != 0)
			return 0;
	for (size_t i = 0; i < l->paths.n; i++)
		if (blob_at(src, l->paths.v[i], &id) < 0 || !oid_eq(&id, &l->blobs[i]))
			return 0;
	return 1;
}

static int load(struct loaded *l, struct source *src)
{
	int rc;

	l->of_worktree = source_is_worktree(src);
	source_trace(src, &l->paths); /* behind the files of stages */
	rc = pipeline_load(&l->p, src, NULL);
	source_trace(src, NULL);
	if (rc < 0)
		return rc;
	if (!(l->blobs = calloc(l->paths.n + 1, sizeof *l->blobs)))
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc >= 0 && i < l->paths.n; i++)
		rc = blob_at(src, l->paths.v[i], &l->blobs[i]);
	return rc < 0 ? rc : 0;
}

/* The pipeline of a state, kept by the cache. */
static int pipeline_of(struct loaded **out, struct values_cache *c, struct source *src)
{
	static const char *const names[] = {"dvx.yaml", "dvc.yaml", NULL};
	struct loaded *l = calloc(1, sizeof *l);
	int rc = l ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0 && !source_is_worktree(src))
		rc = source_find(src, names, &l->paths);
	for (size_t i = 0; rc == 0 && !source_is_worktree(src) && i < c->n_loaded; i++)
		if (is_of(c->loaded[i], src, &l->paths)) {
			*out = c->loaded[i];
			goto done;
		}
	if (rc == 0)
		rc = array_room(&c->loaded, c->n_loaded, &c->cap_loaded, sizeof(*c->loaded));
	if (rc == 0)
		rc = load(l, src);
	if (rc == 0) {
		*out = c->loaded[c->n_loaded++] = l;
		l = NULL;
	}
done:
	loaded_free(l);
	return rc;
}

static int declared_of(const struct declared_list **out, struct loaded *l, enum values_kind kind)
{
	int rc = 0;

	if (!l->collected[kind])
		rc = declared_collect(&l->lists[kind], l->p, kind);
	l->collected[kind] = rc == 0;
	*out = &l->lists[kind];
	return rc;
}

/* ---- files ---- */

/* How a declared file is read, with what was asked for instead. */
struct reading {
	const struct declared *d;
	const char *type, *select;
	const struct strvec *keys; /* NULL: all */
	struct recipe *recipe;
	struct oid blob;
	int known; /* from a blob that was parsed before */
	uint32_t place;
};

static int recipe_of(struct values_cache *c, struct reading *r)
{
	const char *slash = strrchr(r->d->path, '/');
	const char *dot = strrchr(slash ? slash : r->d->path, '.');
	struct buf key = BUF_INIT;
	int rc;

	rc = buf_addf(&key, "%s\n%s\n",
		r->type ? r->type
		: dot	? dot
			: "", /* not a type: */
		r->select ? r->select : "");
	for (size_t i = 0; rc == 0 && r->keys && i < r->keys->n; i++)
		rc = buf_addf(&key, "%s\n", r->keys->v[i]);
	if (rc < 0)
		goto done;
	r->recipe = strmap_get(&c->recipes, key.p);
	if (r->recipe)
		goto done;
	r->recipe = calloc(1, sizeof *r->recipe);
	rc = r->recipe ? strmap_put(&c->recipes, key.p, r->recipe)
		       : err_set(ERR_NOMEM, "out of memory");
	if (rc < 0) {
		free(r->recipe);
		r->recipe = NULL;
	}
done:
	buf_release(&key);
	return rc;
}

static int prepare(struct reading *r, struct values_cache *c, struct source *src,
	const struct declared *d, const struct values_options *o)
{
	int rc;

	r->d = d;
	r->type = o->override.type ? o->override.type : d->type;
	r->select = o->override.path ? o->override.path : d->select;
	r->keys = d->keys.n > 0 && !d->whole && !o->all ? &d->keys : NULL;
	rc = recipe_of(c, r);
	if (rc < 0 || blob_at(src, d->path, &r->blob) <= 0)
		return rc; /* whoever reads it will say why there is none */
	r->known = oidmap_get(&r->recipe->places, &r->blob, &r->place);
	return 0;
}

/* Only these keys, by their dotted names. */
static int keep_keys(struct node **root, const struct strvec *keys)
{
	struct node *kept = node_map(), *copy;
	int rc = kept ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < keys->n; i++) {
		const struct node *found = node_at(*root, keys->v[i]);

		if (!found)
			continue;
		copy = node_dup(found);
		rc = copy ? node_set(kept, keys->v[i], copy) : err_set(ERR_NOMEM, "out of memory");
	}
	node_free(*root);
	*root = kept;
	return rc;
}

static int parse(struct node **out, const struct reading *r, const struct buf *text)
{
	struct node *selected = NULL;
	int rc = values_parse(out, r->d->path, r->type, buf_str(text), text->len);

	if (rc == 0 && r->keys)
		rc = keep_keys(out, r->keys);
	if (rc == 0 && r->select && *r->select) {
		rc = values_select(&selected, *out, r->select);
		if (rc < 0)
			return err_prefix(rc, "%s", r->d->path);
		node_free(*out);
		*out = selected;
	}
	return rc;
}

/* Read, parse and keep a file; r->place is where. */
static int read_file(struct reading *r, struct values_cache *c, struct source *src)
{
	struct buf text = BUF_INIT;
	struct node *root = NULL;
	struct oid none = {{0}};
	int rc;

	if (array_room(&c->roots, c->n_roots, &c->cap_roots, sizeof(*c->roots)) < 0)
		return ERR_NOMEM;
	rc = source_read(src, r->d->path, VALUES_BYTES_MAX, &text);
	if (rc == 0)
		rc = parse(&root, r, &text);
	buf_release(&text);
	if (rc == 0 && !oid_eq(&r->blob, &none))
		rc = oidmap_set(&r->recipe->places, &r->blob, (uint32_t)c->n_roots);
	if (rc < 0) {
		node_free(root);
		return rc;
	}
	r->place = (uint32_t)c->n_roots;
	c->roots[c->n_roots++] = root;
	return 0;
}

/* ---- states ---- */

/* Ask Git in one go for what was not parsed yet. */
static int prefetch(struct source *src, const struct reading *v, size_t n)
{
	const char **paths = calloc(n ? n : 1, sizeof *paths);
	size_t wanted = 0;
	int rc;

	if (!paths)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (!v[i].known)
			paths[wanted++] = v[i].d->path;
	rc = source_prefetch(src, paths, wanted);
	free(paths);
	return rc;
}

static int add_file(
	struct values *out, struct values_cache *c, struct source *src, struct reading *r)
{
	struct values_file *f = &out->v[out->n];
	int rc = r->known ? 0 : read_file(r, c, src);

	if (rc == ERR_NOMEM || (rc == ERR_NOTFOUND && r->d->optional))
		return rc == ERR_NOMEM ? rc : 0;
	f->path = strdup(r->d->path);
	if (rc < 0) {
		f->code = rc;
		f->error = strdup(err_msg());
	} else {
		f->root = c->roots[r->place];
	}
	out->n++;
	return f->path && (f->root || f->error) ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int read_chosen(struct values *out, struct values_cache *c, struct source *src,
	const struct chosen *chosen, const struct values_options *o)
{
	struct reading *v = calloc(chosen->n ? chosen->n : 1, sizeof *v);
	int rc;

	out->v = calloc(chosen->n ? chosen->n : 1, sizeof *out->v);
	rc = v && out->v ? 0 : err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < chosen->n; i++)
		rc = prepare(&v[i], c, src, chosen->v[i], o);
	if (rc == 0)
		rc = prefetch(src, v, chosen->n);
	for (size_t i = 0; rc == 0 && i < chosen->n; i++)
		rc = add_file(out, c, src, &v[i]);
	free(v);
	return rc;
}

int values_collect(struct values *out, struct values_cache *c, struct source *src,
	const struct values_options *o)
{
	static const struct declared_list none = {NULL, 0, 0, STRMAP_INIT};
	const struct declared_list *all = &none;
	struct chosen chosen = {.n = 0};
	struct loaded *l;
	int rc;

	memset(out, 0, sizeof *out);
	if (!(out->name = strdup(source_name(src))))
		return err_set(ERR_NOMEM, "out of memory");
	rc = pipeline_of(&l, c, src);
	if (rc == 0) {
		rc = declared_of(&all, l, o->kind);
	} else if (rc != ERR_NOMEM) { /* files that are named are read nevertheless */
		out->error = strdup(err_msg());
		rc = out->error ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	if (rc == 0)
		rc = declared_choose(&chosen, all, src, o);
	if (rc == 0)
		rc = read_chosen(out, c, src, &chosen, o);
	chosen_release(&chosen);
	if (rc < 0)
		values_release(out);
	return rc;
}

void values_release(struct values *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->v[i].path);
		free(v->v[i].error);
	}
	free(v->v);
	free(v->name);
	free(v->error);
	memset(v, 0, sizeof *v);
}
