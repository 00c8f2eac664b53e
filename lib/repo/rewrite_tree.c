/*
 * Trees of a rewrite.  Loading goes level by level, so that one `git cat-file` always has requests
 * ahead; building goes depth first in the order of the tree, which is the order in which Git LFS
 * meets files and so the order of its attribute lines.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/repo/rewrite_internal.h"

enum { MODE_TREE = 0040000, MODE_SUBMODULE = 0160000 };

static void copy_id(uint8_t out[static REPO_ID_MAX], const struct rewrite *r, const uint8_t *id)
{
	memset(out, 0, REPO_ID_MAX);
	memcpy(out, id, (size_t)r->repo->hash_len);
}

/* ---- numbers ---- */

static int dir_number(struct rewrite *r, const char *path, unsigned depth, uint32_t *number)
{
	void *v = strmap_get(&r->dir_numbers, path), *dirs = r->dirs;
	const char *kept;
	int rc;

	if (v) {
		*number = (uint32_t)((uintptr_t)v - 1);
		return 0;
	}
	if (depth > REWRITE_DEPTH_MAX)
		return err_set(ERR_LIMIT, "directories are nested too deeply at '%.200s...'", path);
	rc = rewrite_room(&dirs, &r->cap_dirs, r->n_dirs, sizeof *r->dirs);
	r->dirs = dirs;
	if (rc < 0)
		return rc;
	kept = pathpool_keep(&r->dir_names, path, strlen(path));
	if (!kept)
		return err_set(ERR_NOMEM, "out of memory");
	*number = (uint32_t)r->n_dirs;
	rc = strmap_put(&r->dir_numbers, path, (void *)((uintptr_t)*number + 1));
	if (rc == 0)
		r->dirs[r->n_dirs++] = (struct rewrite_dir){kept, depth};
	return rc;
}

static int push(uint32_t **v, size_t *cap, size_t *n, uint32_t value)
{
	void *p = *v;
	int rc = rewrite_room(&p, cap, *n, sizeof **v);

	*v = p;
	if (rc == 0)
		(*v)[(*n)++] = value;
	return rc;
}

/* A tree that is to be loaded. */
static int new_tree(struct rewrite *r, const uint8_t *id, uint32_t dir, uint32_t state, int root)
{
	void *trees = r->trees;
	struct rewrite_work *w;
	int rc = rewrite_room(&trees, &r->cap_trees, r->n_trees, sizeof *r->trees);

	r->trees = trees;
	if (rc < 0)
		return rc;
	if (!(w = calloc(1, sizeof *w)))
		return err_set(ERR_NOMEM, "out of memory");
	memcpy(w->id, id, REPO_ID_MAX);
	w->path = dir;
	w->state = state;
	w->root = root;
	r->trees[r->n_trees] = (struct rewrite_tree){.work = w};
	rc = push(&r->fresh, &r->cap_fresh, &r->n_fresh, (uint32_t)r->n_trees);
	if (rc == 0)
		r->n_trees++;
	else
		free(w);
	return rc;
}

int rewrite_add_root(struct rewrite *r, const uint8_t *tree, uint32_t *number)
{
	struct oid key;
	uint32_t dir;
	int rc = dir_number(r, "", 0, &dir);

	rewrite_key(&key, tree, 0, 0);
	if (rc < 0 || oidmap_get(&r->roots, &key, number))
		return rc;
	*number = (uint32_t)r->n_trees;
	rc = new_tree(r, tree, dir, 0, 1);
	if (rc == 0 && oidmap_add(&r->roots, &key, *number) < 0)
		rc = err_set(ERR_NOMEM, "out of memory");
	return rc;
}

static int tree_number(
	struct rewrite *r, const uint8_t *id, uint32_t dir, uint32_t state, uint32_t *number)
{
	struct oid key;
	int rc;

	rewrite_key(&key, id, dir, state);
	if (oidmap_get(&r->tree_numbers, &key, number))
		return 0;
	*number = (uint32_t)r->n_trees;
	rc = new_tree(r, id, dir, state, 0);
	if (rc == 0 && oidmap_add(&r->tree_numbers, &key, *number) < 0)
		rc = err_set(ERR_NOMEM, "out of memory");
	return rc;
}

static int blob_number(struct rewrite *r, const uint8_t *id, const char *path, uint32_t *number)
{
	void *blobs = r->blobs;
	struct rewrite_blob *b;
	struct oid key;
	int rc;

	rewrite_key(&key, id, 0, 0);
	if (oidmap_get(&r->blob_numbers, &key, number))
		return 0;
	rc = rewrite_room(&blobs, &r->cap_blobs, r->n_blobs, sizeof *r->blobs);
	r->blobs = blobs;
	if (rc < 0)
		return rc;
	b = &r->blobs[r->n_blobs];
	*b = (struct rewrite_blob){.path = pathpool_keep(&r->blob_names, path, strlen(path))};
	memcpy(b->id, id, REPO_ID_MAX);
	memcpy(b->to, id, REPO_ID_MAX);
	*number = (uint32_t)r->n_blobs;
	if (!b->path || oidmap_add(&r->blob_numbers, &key, *number) < 0)
		return err_set(ERR_NOMEM, "out of memory");
	r->n_blobs++;
	return 0;
}

/* ---- loading ---- */

static const uint8_t *fresh_id(size_t i, void *data)
{
	struct rewrite *r = data;

	return r->trees[r->fresh[i]].work->id;
}

static int take_tree(struct catfile *c, const struct catfile_head *head, void *data)
{
	struct rewrite *r = data;
	struct rewrite_work *w = r->trees[r->fresh[head->i]].work;
	int rc;

	if (head->type != GIT_TREE || head->size > REWRITE_TREE_MAX)
		return rewrite_missing(r, w->id, "tree", r->dirs[w->path].path);
	rc = buf_grow(&w->raw, (size_t)head->size);
	return rc < 0 ? rc : catfile_take(c, REWRITE_TREE_MAX, &w->raw);
}

/* In a partial clone: are the fresh trees here? */
static int need_trees(struct rewrite *r)
{
	struct git_object *o;
	size_t i;
	int rc;

	if (!r->partial)
		return 0;
	if (!(o = calloc(r->n_fresh + 1, sizeof *o)))
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0; i < r->n_fresh; i++)
		memcpy(o[i].id, fresh_id(i, r), REPO_ID_MAX);
	rc = git_objects_info(r->repo, o, r->n_fresh);
	for (i = 0; rc == 0 && i < r->n_fresh; i++)
		if (o[i].type == GIT_MISSING)
			rc = rewrite_missing(
				r, o[i].id, "tree", r->dirs[r->trees[r->fresh[i]].work->path].path);
	free(o);
	return rc;
}

/* Let the .gitattributes of the tree, if there is one, have its say. */
static int enter_attributes(struct rewrite *r, struct rewrite_work *w)
{
	const char *dir = r->dirs[w->path].path;
	struct buf text = BUF_INIT;
	struct treeread_entry e;
	uint8_t id[REPO_ID_MAX];
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && at < w->raw.len) {
		rc = treeread_next(&e, r->repo->hash_len, &w->raw, &at);
		if (rc < 0 || strcmp(e.name, ".gitattributes") != 0 || e.mode == MODE_TREE)
			continue;
		if (!S_ISREG(e.mode)) {
			rc = err_set(ERR_INVALID, "'%s%s.gitattributes' is a symbolic link", dir,
				*dir ? "/" : "");
			break;
		}
		copy_id(id, r, e.id);
		rc = catfile_read(r->cat, id, GIT_BLOB, REWRITE_ATTRIBUTES_MAX, &text);
		if (rc == 0)
			rc = r->ops->enter(w->state, dir, id, &text, r->data);
		if (rc >= 0)
			w->state = (uint32_t)rc;
		break;
	}
	buf_release(&text);
	return rc < 0 ? rc : 0;
}

/* Which tree or blob is an entry?  `path` is its place. */
static int number_entry(struct rewrite *r, const struct rewrite_work *w,
	const struct treeread_entry *e, const char *path, uint32_t *ref)
{
	uint8_t id[REPO_ID_MAX];
	uint32_t dir;
	int rc;

	*ref = REWRITE_NONE;
	copy_id(id, r, e->id);
	if ((e->mode & S_IFMT) == MODE_TREE) {
		rc = dir_number(r, path, r->dirs[w->path].depth + 1, &dir);
		return rc < 0 ? rc : tree_number(r, id, dir, w->state, ref);
	}
	if (!S_ISREG(e->mode))
		return 0;
	rc = r->ops->wanted(path, w->state, r->data);
	return rc > 0 ? blob_number(r, id, path, ref) : rc;
}

/* Look at the entries of a tree that was read.  (r->trees may move meanwhile, `w` stays.) */
static int enter_tree(struct rewrite *r, struct rewrite_work *w, struct buf *path)
{
	struct treeread_entry e;
	size_t at = 0, n = 0, prefix;
	int rc = r->ops->enter ? enter_attributes(r, w) : 0;

	while (rc == 0 && at < w->raw.len) {
		rc = treeread_next(&e, r->repo->hash_len, &w->raw, &at);
		n++;
	}
	if (rc < 0)
		return rc;
	if (!(w->refs = calloc(n + 1, sizeof *w->refs)))
		return err_set(ERR_NOMEM, "out of memory");
	w->n = n;
	r->bytes += w->raw.len + n * sizeof *w->refs;
	buf_reset(path);
	rc = buf_addstr(path, r->dirs[w->path].path);
	if (rc == 0 && path->len)
		rc = buf_addch(path, '/');
	prefix = path->len;
	for (n = at = 0; rc == 0 && n < w->n; n++) {
		rc = treeread_next(&e, r->repo->hash_len, &w->raw, &at);
		buf_truncate(path, prefix);
		if (rc == 0)
			rc = buf_addstr(path, e.name);
		if (rc == 0)
			rc = number_entry(r, w, &e, buf_str(path), &w->refs[n]);
	}
	return rc;
}

/* Read the fresh trees; those that they name and that are new are the next fresh ones. */
static int load_level(struct rewrite *r)
{
	struct buf path = BUF_INIT;
	uint32_t *level;
	size_t i, n = r->n_fresh;
	int rc = need_trees(r);

	if (rc == 0)
		rc = catfile_each(r->cat, n, fresh_id, take_tree, r);
	if (rc < 0)
		return rc;
	level = r->fresh;
	r->fresh = NULL;
	r->n_fresh = r->cap_fresh = 0;
	for (i = 0; rc == 0 && i < n; i++) {
		rc = push(&r->open, &r->cap_open, &r->n_open, level[i]);
		if (rc == 0)
			rc = enter_tree(r, r->trees[level[i]].work, &path);
	}
	free(level);
	buf_release(&path);
	return rc;
}

int rewrite_load(struct rewrite *r)
{
	int rc = 0;

	while (rc == 0 && r->n_fresh)
		rc = load_level(r);
	if (rc == 0 && r->n_blobs > r->converted)
		rc = r->ops->convert(
			r, r->blobs + r->converted, r->n_blobs - r->converted, r->data);
	r->converted = r->n_blobs;
	return rc;
}

static void free_work(struct rewrite *r, const uint32_t *numbers, size_t n)
{
	struct rewrite_work *w;
	size_t i;

	for (i = 0; i < n; i++) {
		w = r->trees[numbers[i]].work;
		r->trees[numbers[i]].work = NULL;
		if (!w)
			continue;
		buf_release(&w->raw);
		free(w->refs);
		free(w);
	}
}

void rewrite_close_window(struct rewrite *r)
{
	free_work(r, r->open, r->n_open);
	free_work(r, r->fresh, r->n_fresh);
	r->n_open = r->n_fresh = 0;
	r->bytes = 0;
	oidmap_release(&r->roots);
	pathpool_free(&r->blob_names);
}

/* ---- building ---- */

struct build {
	struct rewrite *r;
	const uint8_t *commit;
	struct buf path;
};

static int build_tree(struct build *b, uint32_t number);

/* What an entry becomes: its id. */
static int build_entry(struct build *b, const struct treeread_entry *e, uint32_t ref,
	uint8_t id[static REPO_ID_MAX])
{
	struct rewrite *r = b->r;
	size_t prefix = b->path.len;
	int rc;

	if (ref == REWRITE_NONE) {
		copy_id(id, r, e->id);
		return 0;
	}
	if ((e->mode & S_IFMT) == MODE_TREE && r->trees[ref].done) {
		memcpy(id, r->trees[ref].to, REPO_ID_MAX);
		return 0;
	}
	rc = buf_addstr(&b->path, e->name);
	if (rc == 0 && (e->mode & S_IFMT) == MODE_TREE) {
		rc = buf_addch(&b->path, '/');
		if (rc == 0)
			rc = build_tree(b, ref);
		if (rc == 0)
			memcpy(id, r->trees[ref].to, REPO_ID_MAX);
	} else if (rc == 0) {
		rc = r->ops->visit(b->commit, buf_str(&b->path), &r->blobs[ref], r->data);
		if (rc == 0)
			memcpy(id, r->blobs[ref].to, REPO_ID_MAX);
	}
	buf_truncate(&b->path, prefix);
	return rc;
}

/* The new text of a tree. */
static int build_text(struct build *b, const struct rewrite_work *w, struct buf *text)
{
	size_t hash = (size_t)b->r->repo->hash_len, at = 0, i;
	struct treeread_entry e;
	uint8_t id[REPO_ID_MAX];
	int rc = 0;

	for (i = 0; rc == 0 && i < w->n; i++) {
		rc = treeread_next(&e, b->r->repo->hash_len, &w->raw, &at);
		if (rc == 0)
			rc = build_entry(b, &e, w->refs[i], id);
		if (rc == 0)
			rc = buf_add(text, e.start, e.len - hash);
		if (rc == 0)
			rc = buf_add(text, id, hash);
	}
	return rc;
}

static int build_tree(struct build *b, uint32_t number)
{
	struct rewrite *r = b->r;
	struct rewrite_work *w = r->trees[number].work;
	struct buf text = BUF_INIT;
	uint8_t to[REPO_ID_MAX];
	int rc = build_text(b, w, &text);

	if (rc == 0 && w->root && r->ops->attributes)
		rc = rewrite_attributes(r, &text);
	memcpy(to, w->id, REPO_ID_MAX);
	if (rc == 0 &&
		(text.len != w->raw.len || memcmp(buf_str(&text), buf_str(&w->raw), text.len) != 0))
		rc = rewrite_put(r, GIT_TREE, buf_str(&text), text.len, to);
	if (rc == 0) {
		memcpy(r->trees[number].to, to, REPO_ID_MAX);
		r->trees[number].done = 1;
		w->version = r->ops->version ? *r->ops->version : 0;
	}
	buf_release(&text);
	return rc;
}

int rewrite_build_root(
	struct rewrite *r, const uint8_t *commit, uint32_t number, uint8_t to[static REPO_ID_MAX])
{
	struct build b = {.r = r, .commit = commit};
	struct rewrite_tree *t = &r->trees[number];
	char hex[REPO_HEX_MAX + 1];
	int rc = 0;

	if (!t->done || (r->ops->version && t->work->version != *r->ops->version))
		rc = build_tree(&b, number);
	memcpy(to, r->trees[number].to, REPO_ID_MAX);
	buf_release(&b.path);
	repo_id_hex(hex, r->repo, commit);
	return rc < 0 ? err_prefix(rc, "commit %s", hex) : 0;
}
