/*
 * Filling the two lists of a data diff.  Git itself says which paths differ between two trees, or
 * between a tree and the index, and skips what is equal; the pointer cache says what is data there;
 * the worktree is compared with the index by stat data.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/datadiff.h"
#include "lib/repo/git.h"
#include "lib/repo/scan.h"
#include "lib/repo/staged.h"

static int is_pointer(const struct pointers_query *q)
{
	return q->state == POINTERS_YES || q->state == POINTERS_ODD;
}

/* ---- what differs between trees ---- */

static void keep_data_changes(struct staged *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (is_pointer(&s->v[i].old) || is_pointer(&s->v[i].new))
			s->v[kept++] = s->v[i];
		else
			free(s->v[i].path);
	}
	s->n = kept;
}

static int is_in_git(const struct pointers_query *q, uint32_t mode)
{
	return mode != 0 && !is_pointer(q);
}

/* Ask Git for the sizes of what is no pointer: few, if any. */
static int find_sizes(struct staged *s, const struct repo *repo)
{
	struct git_object *o = calloc(2 * s->n + 1, sizeof *o);
	struct pointers_query **q = calloc(2 * s->n + 1, sizeof(*q));
	size_t n = 0;
	int rc = 0;

	if (o == NULL || q == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (is_in_git(&s->v[i].old, s->v[i].old_mode))
			q[n++] = &s->v[i].old;
		if (is_in_git(&s->v[i].new, s->v[i].new_mode))
			q[n++] = &s->v[i].new;
	}
	for (size_t i = 0; i < n; i++)
		memcpy(o[i].id, q[i]->blob, REPO_ID_MAX);
	if (n > 0)
		rc = git_objects_info(repo, o, n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		q[i]->size = o[i].type == GIT_BLOB ? o[i].size : DATADIFF_NO_SIZE;
done:
	free(o);
	free(q);
	return rc;
}

static int cmp_change(const void *a, const void *b)
{
	const struct staged_change *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* The changes that concern data, by path. */
static int list_changes(struct staged *s, const struct repo *repo, struct pointers *p,
	const char *old, const char *new)
{
	int rc = staged_list_between(s, repo, old, new);

	if (rc == 0)
		rc = staged_resolve(s, p);
	if (rc < 0)
		return rc;
	keep_data_changes(s);
	if (s->n > 1)
		qsort(s->v, s->n, sizeof *s->v, cmp_change);
	return find_sizes(s, repo);
}

/* Append one side of a change, if it is there. */
static int add_side(struct datadiff *d, struct datadiff_list *side, const char *path, uint32_t mode,
	const struct pointers_query *q)
{
	struct datadiff_file f = {path, DATADIFF_IN_GIT, q->oid, q->size};

	if (mode == 0)
		return 0;
	if (is_pointer(q))
		f.kind = DATADIFF_DATA;
	return datadiff_add(d, side, &f);
}

int datadiff_trees(struct datadiff *d, const struct repo *repo, struct pointers *p, const char *old,
	const char *new)
{
	struct staged s = STAGED_INIT;
	int rc = list_changes(&s, repo, p, old, new);

	for (size_t i = 0; rc == 0 && i < s.n; i++) {
		const struct staged_change *c = &s.v[i];

		rc = add_side(d, &d->old, c->path, c->old_mode, &c->old);
		if (rc == 0)
			rc = add_side(d, &d->new, c->path, c->new_mode, &c->new);
	}
	staged_release(&s);
	return rc;
}

/* ---- what lies in the worktree ---- */

/* At a path that is no pointer in the index: one that Git keeps, or an unmerged one. */
static int add_by_lstat(struct datadiff *d, const struct repo *repo, const struct staged_change *c)
{
	struct datadiff_file f = {.path = c->path, .kind = DATADIFF_IN_GIT};
	struct buf full = BUF_INIT;
	struct stat st;
	int rc = fs_join(&full, repo->dir->worktree, c->path);

	if (rc == 0 && lstat(buf_str(&full), &st) == 0) {
		if (c->status == 'U' && S_ISREG(st.st_mode))
			f.kind = DATADIFF_UNSTAGED;
		f.size = S_ISDIR(st.st_mode) ? DATADIFF_NO_SIZE : (uint64_t)st.st_size;
		rc = datadiff_add(d, &d->new, &f);
	}
	buf_release(&full);
	return rc;
}

/* A file that the index calls changed may still have one of the contents that we know. */
static void settle_changed(struct datadiff_file *f, const struct repo *repo,
	const struct scan_item *item, const struct staged_change *c, uint64_t size)
{
	f->kind = DATADIFF_DATA;
	if (size == item->size && scan_file_holds(repo, item->path, &item->oid))
		return;
	if (c != NULL && is_pointer(&c->old) && size == c->old.size &&
		scan_file_holds(repo, item->path, &c->old.oid)) {
		f->oid = c->old.oid;
		f->size = c->old.size;
		return;
	}
	*f = (struct datadiff_file){.path = f->path, .kind = DATADIFF_UNSTAGED, .size = size};
}

/* At a pointer of the index; `c` (may be NULL) is how that differs from the tree. */
static int add_item(struct datadiff *d, const struct repo *repo, const struct scan_item *item,
	const struct scan_found *found, const struct staged_change *c)
{
	struct datadiff_file staged = {item->path, DATADIFF_DATA, item->oid, item->size};
	struct datadiff_file f = staged;
	int present = item->skip_worktree || found->state != SCAN_FILE_ABSENT, rc = 0;

	if (!item->skip_worktree && found->state == SCAN_FILE_CHANGED)
		settle_changed(&f, repo, item, c, found->size);
	if (c != NULL)
		rc = add_side(d, &d->old, c->path, c->old_mode, &c->old);
	else if (!present || f.kind != DATADIFF_DATA)
		rc = datadiff_add(d, &d->old, &staged);
	else
		return 0; /* nothing differs */
	return rc == 0 && present ? datadiff_add(d, &d->new, &f) : rc;
}

/* At a path that differs from the tree, and is no pointer in the index. */
static int add_change(struct datadiff *d, const struct repo *repo, const struct staged_change *c)
{
	int rc = add_side(d, &d->old, c->path, c->old_mode, &c->old);

	if (rc < 0)
		return rc;
	if (is_pointer(&c->new)) /* below a directory that the sparse index has folded */
		return add_side(d, &d->new, c->path, c->new_mode, &c->new);
	return c->new_mode != 0 || c->status == 'U' ? add_by_lstat(d, repo, c) : 0;
}

/* Both lists are sorted by path. */
static int merge(struct datadiff *d, const struct repo *repo, const struct staged *s,
	const struct scan_list *l, const struct scan_found *found)
{
	size_t i = 0, k = 0;
	int rc = 0;

	while (rc == 0 && (i < l->n || k < s->n)) {
		const struct staged_change *c = k < s->n ? &s->v[k] : NULL;
		int order = i == l->n ? 1 : c == NULL ? -1 : strcmp(l->v[i].path, c->path);

		if (order > 0)
			rc = add_change(d, repo, c);
		else
			rc = add_item(d, repo, &l->v[i], &found[i], order == 0 ? c : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	return rc;
}

int datadiff_worktree(
	struct datadiff *d, const struct repo *repo, struct pointers *p, const char *old)
{
	struct staged s = STAGED_INIT;
	struct scan_list l = SCAN_LIST_INIT;
	struct scan_found *found = NULL;
	int rc = list_changes(&s, repo, p, old, NULL);

	if (rc == 0)
		rc = scan_index(&l, repo, p, 1);
	if (rc == 0)
		rc = scan_files(&found, &l, repo);
	if (rc == 0)
		rc = merge(d, repo, &s, &l, found);
	free(found);
	scan_list_release(&l);
	staged_release(&s);
	return rc;
}
