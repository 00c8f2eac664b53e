/*
 * A few commits that are new, as after a day's work: read of the `git cat-file` that runs anyway,
 * and their trees compared here.  `git rev-list` and `git diff-tree` know more - grafts, objects
 * that are missing - and are quicker for many, but are two processes; nothing is added before it is
 * sure that they are not needed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/lineage/history_internal.h"
#include "lib/registry/tagtext.h"
#include "lib/repo/git.h"

enum { FEW_COMMITS = 64, FEW_CHANGES = 4096, FEW_DIRECTORIES = 512 };
enum { TREES_MOST = 8 * 1024 * 1024 };

struct few_commit {
	const uint8_t *tree;
	uint8_t (*parents)[REPO_ID_MAX];
	size_t n_parents, cap;
	int64_t when;
	int placed;
};
struct few_change {
	const char *path;
	const uint8_t *before, *after; /* NULL: no file */
	size_t commit;		       /* its place in `order` */
};
/* A directory that a commit changed. */
struct few_directory {
	const char *path;	       /* "" or with a slash at its end */
	const uint8_t *before, *after; /* its trees; NULL: it was not there, or is not any more */
	size_t commit;
};
struct few {
	struct history *h;
	uint8_t ids[FEW_COMMITS][REPO_ID_MAX];
	struct few_commit v[FEW_COMMITS];
	size_t n, order[FEW_COMMITS]; /* parents first */
	struct few_directory directories[FEW_DIRECTORIES];
	size_t n_directories;
	struct few_change changes[FEW_CHANGES];
	size_t n_changes;
	struct pathpool *paths;
	uint64_t bytes, largest; /* of the trees that were read */
};

/* Functions return 1; 0: this is for Git, which also reports what is not here or malformed; or a
 * negative error, as where `git cat-file` ended by itself. */

static int leave_damage(int rc)
{
	if (rc != ERR_CORRUPT && rc != ERR_LIMIT)
		return rc < 0 ? rc : 1;
	err_clear();
	return 0;
}

static int get(struct few *f, const uint8_t *id, enum git_type type, struct objcache_object **o)
{
	int rc = leave_damage(objcache_get(f->h->reader, id, o));

	return rc > 0 ? (*o)->type == type : rc;
}

/* ---- which commits are new ---- */

static struct few_commit *find(struct few *f, const uint8_t *id)
{
	for (size_t i = 0; i < f->n; i++)
		if (memcmp(f->ids[i], id, REPO_ID_MAX) == 0)
			return &f->v[i];
	return NULL;
}

static int want(struct few *f, const uint8_t *id)
{
	uint32_t known;

	if (history_find(f->h, id, &known) || find(f, id))
		return 1;
	if (f->n == FEW_COMMITS)
		return 0;
	memcpy(f->ids[f->n++], id, REPO_ID_MAX);
	return 1;
}

static int read_parents(struct few *f, struct few_commit *c, const char *p)
{
	static const char parent[] = "parent ";
	int rc = 1;

	for (; rc > 0 && strncmp(p, parent, strlen(parent)) == 0; p = strchr(p, '\n') + 1) {
		if (array_room(&c->parents, c->n_parents, &c->cap, sizeof *c->parents) < 0)
			return ERR_NOMEM;
		p += strlen(parent);
		if (!strchr(p, '\n') || repo_id_parse(c->parents[c->n_parents], f->h->repo, p) < 0)
			return leave_damage(ERR_CORRUPT);
		rc = want(f, c->parents[c->n_parents++]);
	}
	return rc;
}

static int read_commit(struct few *f, size_t i)
{
	struct few_commit *c = &f->v[i];
	struct objcache_object *o;
	const char *line;
	int rc = get(f, f->ids[i], GIT_COMMIT, &o);

	if (rc <= 0)
		return rc;
	c->tree = o->target;
	c->when = tagtext_commit_time(buf_str(&o->data));
	line = strchr(buf_str(&o->data), '\n'); /* the first one names the tree */
	return line && c->when > 0 ? read_parents(f, c, line + 1) : 0;
}

static int is_placed(struct few *f, const uint8_t *id)
{
	const struct few_commit *c = find(f, id);

	return !c || c->placed;
}

/* Parents first; 0: there is no such order, an object is not what its name says. */
static int place(struct few *f)
{
	size_t n = 0, before, i, k;

	do {
		before = n;
		for (i = f->n; i-- > 0;) {
			struct few_commit *c = &f->v[i];

			for (k = 0; k < c->n_parents && is_placed(f, c->parents[k]); k++)
				;
			if (c->placed || k < c->n_parents)
				continue;
			c->placed = 1;
			f->order[n++] = i;
		}
	} while (n > before && n < f->n);
	return n == f->n;
}

/* From the tips back to what is known. */
static int find_commits(struct few *f, const struct buf *tips)
{
	size_t i, end;
	int rc = 1;

	for (i = 0; rc > 0 && i < tips->len; i += REPO_ID_MAX)
		rc = want(f, (const uint8_t *)tips->p + i);
	for (i = 0; rc > 0 && i < f->n; i = end) {
		end = f->n;
		rc = leave_damage(objcache_load(
			f->h->reader, (const uint8_t(*)[REPO_ID_MAX])f->ids + i, end - i));
		for (; rc > 0 && i < end; i++)
			rc = read_commit(f, i);
	}
	return rc > 0 ? place(f) : rc;
}

/* ---- what they changed ---- */

static int add_directory(struct few *f, const struct few_directory *d)
{
	if (f->n_directories == FEW_DIRECTORIES)
		return 0;
	f->directories[f->n_directories++] = *d;
	return 1;
}

static int add_change(struct few *f, const struct few_change *c)
{
	if (f->n_changes == FEW_CHANGES)
		return 0;
	f->changes[f->n_changes++] = *c;
	return 1;
}

static const uint8_t *blob_of(const struct objcache_entry *e)
{
	return e && S_ISREG(e->mode) ? e->id : NULL;
}

/* What became of a name in the directory: one of the two may be NULL; both are directories, or
 * none. */
static int add_difference(struct few *f, const struct few_directory *d,
	const struct objcache_entry *before, const struct objcache_entry *after)
{
	const struct objcache_entry *e = before ? before : after;
	int is_dir = S_ISDIR(e->mode), rc;
	struct buf path = BUF_INIT;
	const char *kept;

	rc = buf_addf(&path, "%s%s%s", d->path, e->name, is_dir ? "/" : "");
	kept = rc == 0 ? pathpool_keep(&f->paths, path.p, path.len) : NULL;
	buf_release(&path);
	if (!kept)
		return err_no_memory();
	if (is_dir)
		return add_directory(f, &(struct few_directory){kept, before ? before->id : NULL,
						after ? after->id : NULL, d->commit});
	return add_change(
		f, &(struct few_change){kept, blob_of(before), blob_of(after), d->commit});
}

/* NULL is the empty tree. */
static const struct objcache_object *tree_of(struct few *f, const uint8_t *id, int *rc)
{
	static const struct objcache_object empty = {.type = GIT_TREE};
	struct objcache_object *o = NULL;

	if (id && *rc > 0)
		*rc = get(f, id, GIT_TREE, &o);
	return o && *rc > 0 ? o : &empty;
}

static int compare(struct few *f, const struct few_directory *d)
{
	size_t hash_len = (size_t)f->h->repo->hash_len, i = 0, k = 0;
	int rc = 1, order;
	const struct objcache_object *a = tree_of(f, d->before, &rc),
				     *b = tree_of(f, d->after, &rc);

	while (rc > 0 && (i < a->n || k < b->n)) {
		const struct objcache_entry *x = i < a->n ? &a->entries[i] : NULL,
					    *y = k < b->n ? &b->entries[k] : NULL;

		order = !y ? -1 : !x ? 1 : objcache_compare(x, y);
		i += order <= 0;
		k += order >= 0;
		if (order != 0 || x->mode != y->mode || memcmp(x->id, y->id, hash_len) != 0)
			rc = add_difference(f, d, order <= 0 ? x : NULL, order >= 0 ? y : NULL);
	}
	return rc;
}

/* Have the trees of the directories from number `from` on at hand; *end: so far.  Git is asked for
 * many at once, but for no more than are likely to be small enough. */
static int load_trees(struct few *f, size_t from, size_t *end)
{
	uint64_t left = TREES_MOST - f->bytes;
	size_t most = f->largest ? 1 + (size_t)(left / f->largest / 2) : 1, n = 0, i;
	uint8_t(*ids)[REPO_ID_MAX] = calloc(2 * FEW_DIRECTORIES, sizeof *ids);
	struct objcache_object *o;
	int rc = ids ? 1 : err_no_memory();

	for (*end = from; rc > 0 && *end < f->n_directories && *end - from < most; ++*end) {
		const uint8_t *sides[2] = {f->directories[*end].before, f->directories[*end].after};

		for (i = 0; i < 2; i++)
			if (sides[i] && !objcache_knows(f->h->reader, sides[i]))
				memcpy(ids[n++], sides[i], (size_t)f->h->repo->hash_len);
	}
	if (rc > 0)
		rc = leave_damage(
			objcache_load(f->h->reader, (const uint8_t(*)[REPO_ID_MAX])ids, n));
	for (i = 0; rc > 0 && i < n; i++) {
		rc = get(f, ids[i], GIT_TREE, &o);
		if (rc <= 0)
			break;
		f->bytes += o->size;
		f->largest = o->size > f->largest ? o->size : f->largest;
	}
	free(ids);
	return rc > 0 ? f->bytes <= TREES_MOST : rc;
}

/* Against the first parent, as diff-tree does it. */
static int add_root(struct few *f, size_t commit)
{
	const struct few_commit *c = &f->v[f->order[commit]];
	struct objcache_object *parent = NULL;
	int rc = c->n_parents ? get(f, c->parents[0], GIT_COMMIT, &parent) : 1;

	if (rc <= 0 || (parent && memcmp(parent->target, c->tree, REPO_ID_MAX) == 0))
		return rc;
	return add_directory(
		f, &(struct few_directory){"", parent ? parent->target : NULL, c->tree, commit});
}

/* The history wants the changes of a commit together. */
static int cmp_change(const void *a, const void *b)
{
	const struct few_change *x = a, *y = b;

	return x->commit != y->commit ? (x->commit > y->commit) - (x->commit < y->commit)
				      : strcmp(x->path, y->path);
}

/* The directories of all commits, level by level. */
static int find_changes(struct few *f)
{
	size_t i, end;
	int rc = 1;

	for (i = 0; rc > 0 && i < f->n; i++)
		rc = add_root(f, i);
	for (i = 0; rc > 0 && i < f->n_directories;) {
		rc = load_trees(f, i, &end);
		for (; rc > 0 && i < end; i++)
			rc = compare(f, &f->directories[i]);
	}
	if (f->n_changes)
		qsort(f->changes, f->n_changes, sizeof *f->changes, cmp_change);
	return rc;
}

/* ---- into the index ---- */

static int add(struct few *f, struct pointers *p)
{
	struct history_changes changes;
	size_t first = f->h->n_commits, i;
	int rc = 0;

	for (i = 0; i < f->n && rc == 0; i++) {
		const struct few_commit *c = &f->v[f->order[i]];

		rc = history_add_commit(f->h, f->ids[f->order[i]], c->when,
			(const uint8_t(*)[REPO_ID_MAX])c->parents, c->n_parents);
	}
	history_changes_begin(&changes, f->h, p, first);
	for (i = 0; i < f->n_changes && rc == 0; i++) {
		const struct few_change *c = &f->changes[i];

		changes.commit = (uint32_t)(first + c->commit);
		rc = history_changes_add(&changes, c->path, c->before, c->after);
	}
	return history_changes_end(&changes, rc);
}

int history_add_few(struct history *h, const struct buf *tips, struct pointers *p)
{
	struct few *f;
	int rc;

	if (h->roots || git_is_partial(h->repo))
		return 0;
	if (!(f = calloc(1, sizeof *f)))
		return err_no_memory();
	f->h = h;
	rc = find_commits(f, tips);
	if (rc > 0)
		rc = find_changes(f);
	if (rc > 0 && (rc = add(f, p)) == 0)
		rc = 1;
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].parents);
	pathpool_free(&f->paths);
	free(f);
	return rc;
}
