/*
 * Commits as sources: paths are looked up in trees that objcache holds.  Files are looked for by
 * name through the whole tree, one level at a time so that Git is asked for many trees at once;
 * what lies below a tree is remembered with it, so that a further commit costs only the trees it
 * changed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/repo/objcache.h"
#include "lib/repo/source_internal.h"

enum {
	TAGS_MAX = 10,	   /* a tag of a tag of a tag... */
	DEPTH_MAX = 200,   /* directories in each other that are searched */
	FOUND_MAX = 100000 /* files of a name: a few trees that hold each other can make up any
			      number */
};

struct source_cache {
	const struct repo *repo;
	struct store *store;
	struct objcache *objects;
	/* what `found` of the trees is about */
	unsigned search;
	struct strvec basenames;
};

int source_cache_new(struct source_cache **out, const struct repo *repo, struct store *s)
{
	struct source_cache *c = calloc(1, sizeof *c);
	int rc;

	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	c->repo = repo;
	c->store = s;
	rc = objcache_new(&c->objects, repo);
	if (rc < 0) {
		source_cache_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void source_cache_free(struct source_cache *c)
{
	if (!c)
		return;
	objcache_free(c->objects);
	strvec_release(&c->basenames);
	free(c);
}

struct objcache *source_cache_objects(struct source_cache *c)
{
	return c->objects;
}

int source_cache_find_commit(
	struct source_cache *c, const char *rev, uint8_t id[static REPO_ID_MAX])
{
	return objcache_find_commit(c->objects, rev, id);
}

int source_cache_load(struct source_cache *c, const uint8_t (*ids)[REPO_ID_MAX], size_t n)
{
	return objcache_load(c->objects, ids, n);
}

int source_cache_commit(const struct buf **out, struct source_cache *c, const uint8_t *id)
{
	struct objcache_object *o;
	int rc = objcache_get(c->objects, id, &o);

	if (rc == 0)
		*out = &o->data;
	return rc < 0 ? rc : o->type == GIT_COMMIT && o->data.len > 0;
}

/* ---- what revisions name ---- */

/* Follow tags and the commit to the tree. */
static int peel(struct source *s, const uint8_t *id)
{
	struct objcache_object *o;
	const uint8_t *at = id;

	for (int i = 0; i < TAGS_MAX + 1; i++) {
		int rc = objcache_get(s->cache->objects, at, &o);

		if (rc < 0)
			return err_prefix(rc, "%s", s->name);
		if (o->type == GIT_TREE) {
			memcpy(s->tree, at, (size_t)s->repo->hash_len);
			return 0;
		}
		if (o->type == GIT_MISSING)
			return err_set(ERR_NOTFOUND,
				git_is_partial(s->repo)
					? "this partial clone has not got the directories of '%s'; "
					  "'git checkout' of it fetches them"
					: "what '%s' names is not in this repository; run 'git "
					  "fetch'",
				s->name);
		if (o->type == GIT_BLOB)
			return err_set(
				ERR_NOTFOUND, "'%s' is a file, not a commit or a tree", s->name);
		at = o->target;
	}
	return err_set(ERR_NOTFOUND, "'%s' is a tag of too many tags", s->name);
}

int source_commit_id(
	struct source **out, struct source_cache *c, const char *name, const uint8_t *id)
{
	struct source *s = calloc(1, sizeof *s);
	int rc;

	if (!s || !(s->name = strdup(name))) {
		free(s);
		return err_set(ERR_NOMEM, "out of memory");
	}
	s->repo = c->repo;
	s->store = c->store;
	s->cache = c;
	rc = peel(s, id);
	if (rc < 0) {
		source_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

int source_commit(struct source **out, struct source_cache *c, const char *rev)
{
	uint8_t id[REPO_ID_MAX] = {0};
	int rc = git_resolve_state(c->repo, rev, id);

	return rc < 0 ? rc : source_commit_id(out, c, rev, id);
}

/* ---- by path ---- */

static int not_here(const struct source *s, const char *path)
{
	return err_set(ERR_NOTFOUND,
		"'%s' of %s is not in this partial clone; 'git show %s:%s' fetches it", path,
		s->name, s->name, path);
}

/* 1 and the entry of the file at `path`, 0 when there is none, or a negative error. */
static int look_up(struct source *s, const char *path, const struct objcache_entry **out)
{
	const struct objcache_entry *e;
	struct objcache_object *o;
	const uint8_t *tree = s->tree;

	for (;;) {
		size_t len = strcspn(path, "/");
		int last = !path[len];
		int rc = objcache_get(s->cache->objects, tree, &o);

		if (rc < 0)
			return err_prefix(rc, "%s", s->name);
		if (o->type == GIT_MISSING)
			return not_here(s, path);
		if (o->type != GIT_TREE)
			return 0;
		e = objcache_find(o, path, len, !last);
		if (!e)
			return 0;
		if (last) {
			*out = e;
			return S_ISDIR(e->mode) || (e->mode & S_IFMT) == 0160000 ? 0 : 1;
		}
		tree = e->id;
		path += len + 1;
	}
}

int source_commit_blob(struct source *s, const char *path, uint8_t id[static REPO_ID_MAX])
{
	const struct objcache_entry *e;
	int rc = look_up(s, path, &e);

	if (rc <= 0)
		return rc;
	if (!S_ISREG(e->mode))
		return 0;
	memset(id, 0, REPO_ID_MAX);
	memcpy(id, e->id, (size_t)s->repo->hash_len);
	return 1;
}

int source_commit_read(struct source *s, const char *path, size_t most, struct buf *out)
{
	const struct objcache_entry *e;
	struct objcache_object *o;
	struct pointer p;
	int rc = look_up(s, path, &e);

	if (rc < 0)
		return rc;
	if (rc > 0 && !S_ISREG(e->mode))
		return err_set(ERR_NOTFOUND,
			"no file '%s' in %s: there is a symbolic link, and links are not followed",
			path, s->name);
	if (rc == 0)
		return source_no_file(s, path);
	rc = objcache_get(s->cache->objects, e->id, &o);
	if (rc == 0 && o->type == GIT_MISSING)
		return not_here(s, path);
	if (rc == 0 && o->size > 0 && o->size < POINTER_MAX &&
		pointer_parse(&p, buf_str(&o->data), o->data.len) == 0)
		return source_read_object(s, path, &p.oid, p.size, most, out);
	if (rc == 0)
		rc = objcache_read(s->cache->objects, e->id, most, out);
	return rc < 0 ? err_prefix(rc, "'%s' in %s", path, s->name) : 0;
}

int source_prefetch(struct source *s, const char *const *paths, size_t n)
{
	uint8_t(*ids)[REPO_ID_MAX];
	size_t wanted = 0;
	int rc = 0;

	if (!s->cache || n == 0)
		return 0;
	if (!(ids = calloc(n, sizeof *ids)))
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = source_commit_blob(s, paths[i], ids[wanted]);
		if (rc == ERR_NOTFOUND)
			rc = 0; /* the reader will be told */
		wanted += rc > 0;
	}
	if (rc >= 0)
		rc = objcache_load(s->cache->objects, (const uint8_t(*)[REPO_ID_MAX])ids, wanted);
	free(ids);
	return rc;
}

/* ---- by name ---- */

/* Begin to look for these names, unless they are what is looked for already. */
static int begin_search(struct source_cache *c, const char *const *basenames)
{
	size_t n = 0;
	int rc = 0;

	while (basenames[n] != NULL && n < c->basenames.n &&
		strcmp(basenames[n], c->basenames.v[n]) == 0)
		n++;
	if (c->search > 0 && basenames[n] == NULL && n == c->basenames.n)
		return 0;
	strvec_release(&c->basenames);
	c->search++;
	for (n = 0; rc == 0 && basenames[n] != NULL; n++)
		rc = strvec_push(&c->basenames, basenames[n]);
	return rc;
}

static int is_wanted(const struct source_cache *c, const struct objcache_entry *e)
{
	if (!S_ISREG(e->mode))
		return 0;
	for (size_t i = 0; i < c->basenames.n; i++)
		if (strlen(c->basenames.v[i]) == e->name_len &&
			memcmp(c->basenames.v[i], e->name, e->name_len) == 0)
			return 1;
	return 0;
}

struct ids {
	uint8_t (*v)[REPO_ID_MAX];
	size_t n, cap;
};

static int ids_add(struct ids *l, const uint8_t *id, int hash_len)
{
	if (array_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return ERR_NOMEM;
	memset(l->v[l->n], 0, REPO_ID_MAX);
	memcpy(l->v[l->n++], id, (size_t)hash_len);
	return 0;
}

/* Add the trees in `tree` that were not searched yet. */
static int add_subtrees(struct source_cache *c, const uint8_t *tree, struct ids *next)
{
	struct objcache_object *o, *below;
	int rc = objcache_get(c->objects, tree, &o);

	if (rc < 0 || o->type != GIT_TREE || o->found_for == c->search)
		return rc;
	for (size_t i = 0; rc == 0 && i < o->n; i++) {
		const struct objcache_entry *e = &o->entries[i];

		if (!S_ISDIR(e->mode))
			continue;
		if (objcache_knows(c->objects, e->id)) {
			rc = objcache_get(c->objects, e->id, &below);
			if (rc < 0 || below->found_for == c->search)
				continue;
		}
		rc = ids_add(next, e->id, c->repo->hash_len);
	}
	return rc;
}

/* Have all trees at hand that were not searched yet: a level at a time. */
static int load_trees(struct source_cache *c, const uint8_t *top)
{
	struct ids level = {NULL, 0, 0}, next = {NULL, 0, 0}, done;
	int rc = ids_add(&level, top, c->repo->hash_len);

	for (int depth = 0; rc == 0 && level.n > 0 && depth < DEPTH_MAX; depth++) {
		rc = objcache_load(c->objects, (const uint8_t(*)[REPO_ID_MAX])level.v, level.n);
		for (size_t i = 0; rc == 0 && i < level.n; i++)
			rc = add_subtrees(c, level.v[i], &next);
		done = level;
		level = next;
		next = done;
		next.n = 0;
	}
	free(level.v);
	free(next.v);
	return rc;
}

/* Fill `found` of a tree: its own files of those names, and its directories'. */
static int search(struct source_cache *c, struct objcache_object *tree, int depth)
{
	struct objcache_object *below;
	int rc = 0;

	if (tree->type != GIT_TREE || tree->found_for == c->search)
		return 0;
	strvec_release(&tree->found);
	for (size_t i = 0; rc == 0 && i < tree->n; i++) {
		const struct objcache_entry *e = &tree->entries[i];

		if (is_wanted(c, e))
			rc = strvec_pushn(&tree->found, e->name, e->name_len);
		if (rc < 0 || !S_ISDIR(e->mode) || depth == DEPTH_MAX)
			continue;
		rc = objcache_get(c->objects, e->id, &below);
		if (rc == 0)
			rc = search(c, below, depth + 1);
		if (rc == 0 && tree->found.n + below->found.n > FOUND_MAX)
			rc = err_set(ERR_LIMIT, "more than %d files named '%s'", FOUND_MAX,
				c->basenames.v[0]);
		for (size_t k = 0; rc == 0 && k < below->found.n; k++)
			rc = strvec_pushf(&tree->found, "%.*s/%s", (int)e->name_len, e->name,
				below->found.v[k]);
	}
	tree->found_for = c->search;
	return rc;
}

int source_commit_find(struct source *s, const char *const *basenames, struct strvec *out)
{
	struct source_cache *c = s->cache;
	struct objcache_object *top;
	int rc = begin_search(c, basenames);

	if (rc == 0)
		rc = objcache_get(c->objects, s->tree, &top);
	if (rc == 0 && top->found_for != c->search)
		rc = load_trees(c, s->tree);
	if (rc == 0)
		rc = search(c, top, 0);
	for (size_t i = 0; rc == 0 && i < top->found.n; i++)
		rc = strvec_push(out, top->found.v[i]);
	return rc < 0 ? err_prefix(rc, "%s", s->name) : 0;
}

/* ---- all files ---- */

struct walk {
	struct source *s;
	struct buf path;
	int (*fn)(const char *path, size_t len, uint32_t mode, const uint8_t *blob, void *data);
	void *data;
};

/* The files below one tree, whose path is in w->path ("" or with a slash at the end). */
static int walk_tree(struct walk *w, const uint8_t *tree, int depth)
{
	struct objcache_object *o;
	uint8_t id[REPO_ID_MAX] = {0};
	size_t before = w->path.len;
	int rc = objcache_get(w->s->cache->objects, tree, &o);

	if (rc == 0 && o->type == GIT_MISSING)
		return not_here(w->s, buf_str(&w->path));
	for (size_t i = 0; rc == 0 && i < o->n; i++) {
		const struct objcache_entry *e = &o->entries[i];

		memcpy(id, e->id, (size_t)w->s->repo->hash_len);
		rc = buf_add(&w->path, e->name, e->name_len);
		if (rc == 0 && S_ISREG(e->mode)) {
			rc = w->fn(w->path.p, w->path.len, e->mode, id, w->data);
		} else if (rc == 0 && S_ISDIR(e->mode) && depth < DEPTH_MAX) {
			rc = buf_addch(&w->path, '/');
			if (rc == 0)
				rc = walk_tree(w, id, depth + 1);
		}
		buf_truncate(&w->path, before);
	}
	return rc;
}

int source_each(struct source *s,
	int (*fn)(const char *path, size_t len, uint32_t mode, const uint8_t *blob, void *data),
	void *data)
{
	struct walk w = {s, BUF_INIT, fn, data};
	int rc;

	if (!s->cache)
		return err_set(ERR_UNSUPPORTED, "source_each: of commits only");
	rc = load_trees(s->cache, s->tree);
	if (rc == 0)
		rc = walk_tree(&w, s->tree, 0);
	buf_release(&w.path);
	return rc;
}
