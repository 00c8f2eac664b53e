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

/* ---- what differs between trees ---- */

static int is_also(const struct datadiff *d, const struct staged_change *c)
{
	return d->also && d->also(c->path) && (c->old_mode == 0 || S_ISREG(c->old_mode)) &&
	       (c->new_mode == 0 || S_ISREG(c->new_mode)) &&
	       memcmp(c->old.blob, c->new.blob, REPO_ID_MAX) != 0;
}

static int is_not_here(const struct staged_change *c)
{
	return (S_ISREG(c->old_mode) && c->old.state == POINTERS_MISSING) ||
	       (S_ISREG(c->new_mode) && c->new.state == POINTERS_MISSING);
}

static void keep_data_changes(struct datadiff *d, struct staged *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		d->not_here += (size_t)is_not_here(&s->v[i]);
		if (pointers_is_pointer(&s->v[i].old) || pointers_is_pointer(&s->v[i].new) ||
			is_also(d, &s->v[i]))
			s->v[kept++] = s->v[i];
		else
			free(s->v[i].path);
	}
	s->n = kept;
}

static int is_in_git(const struct pointers_query *q, uint32_t mode)
{
	return mode != 0 && !pointers_is_pointer(q);
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
static int list_changes(struct datadiff *d, struct staged *s, const struct repo *repo,
	struct pointers *p, const char *old, const char *new)
{
	int rc = staged_list_between(s, repo, old, new);

	if (rc < 0 && rc != ERR_NOMEM && rc != ERR_INTERRUPTED && git_is_partial(repo))
		return err_prefix(rc, "this partial clone may not have all directories of both "
				      "sides ('git diff --stat' of the two fetches them)");
	if (rc == 0)
		rc = staged_resolve(s, p);
	if (rc < 0)
		return rc;
	keep_data_changes(d, s);
	if (s->n > 1)
		qsort(s->v, s->n, sizeof *s->v, cmp_change);
	return find_sizes(s, repo);
}

/* Append one side of a change, if it is there. */
static int add_side(struct datadiff *d, struct datadiff_list *side, const char *path, uint32_t mode,
	const struct pointers_query *q)
{
	struct datadiff_file f = {path, DATADIFF_IN_GIT, q->oid, q->size, {0}};

	if (mode == 0)
		return 0;
	if (pointers_is_pointer(q))
		f.kind = DATADIFF_DATA;
	memcpy(f.blob, q->blob, sizeof f.blob);
	return datadiff_add(d, side, &f);
}

int datadiff_trees(struct datadiff *d, const struct repo *repo, struct pointers *p, const char *old,
	const char *new)
{
	struct staged s = STAGED_INIT;
	int rc = list_changes(d, &s, repo, p, old, new);

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
static int add_by_lstat(struct datadiff *d, const struct repo *repo, const char *path, char status)
{
	struct datadiff_file f = {.path = path, .kind = DATADIFF_IN_GIT};
	struct buf full = BUF_INIT;
	struct stat st;
	int rc = fs_join(&full, repo->dir->worktree, path);

	if (rc == 0 && lstat(buf_str(&full), &st) == 0) {
		if (status == 'U' && S_ISREG(st.st_mode))
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
	if (c != NULL && pointers_is_pointer(&c->old) && size == c->old.size &&
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
	struct datadiff_file staged = {item->path, DATADIFF_DATA, item->oid, item->size, {0}};
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
	if (pointers_is_pointer(&c->new)) /* below a directory that the sparse index has folded */
		return add_side(d, &d->new, c->path, c->new_mode, &c->new);
	return c->new_mode != 0 || c->status == 'U' ? add_by_lstat(d, repo, c->path, c->status) : 0;
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

static int is_listed(const struct datadiff_list *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].path, path) == 0)
			return 1;
	return 0;
}

static int by_path(const void *path, const void *item)
{
	return strcmp(path, ((const struct scan_item *)item)->path);
}

/* ":100644 100644 <id> 0000… M": a file whose stat data are not those of the index.  Of pointers
 * (`l`) more than that is known already. */
static int add_unstaged(struct datadiff *d, const struct repo *repo, const struct scan_list *l,
	const char *record, const char *path)
{
	struct datadiff_file old = {.path = path, .kind = DATADIFF_IN_GIT};
	const size_t hex = strlen(":100644 100644 ");
	int rc;

	old.size = DATADIFF_NO_SIZE;
	if (!d->also(path) || strncmp(record, ":100", 4) != 0 || is_listed(&d->old, path) ||
		is_listed(&d->new, path) ||
		(l->n > 0 && bsearch(path, l->v, l->n, sizeof *l->v, by_path) != NULL))
		return 0;
	if (strlen(record) < hex || repo_id_parse(old.blob, repo, record + hex) < 0)
		return err_set(ERR_CORRUPT, "'git diff-files' answers '%s'", record);
	rc = datadiff_add(d, &d->old, &old);
	return rc == 0 ? add_by_lstat(d, repo, path, 'M') : rc;
}

/* Ask Git for the sizes of what add_unstaged added, which is in d->old from `from` on. */
static int size_unstaged(struct datadiff *d, const struct repo *repo, size_t from)
{
	size_t n = d->old.n - from;
	struct git_object *o = calloc(n + 1, sizeof *o);
	int rc = 0;

	if (o == NULL)
		return err_no_memory();
	for (size_t i = 0; i < n; i++)
		memcpy(o[i].id, d->old.v[from + i].blob, REPO_ID_MAX);
	if (n > 0)
		rc = git_objects_info(repo, o, n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (o[i].type == GIT_BLOB)
			d->old.v[from + i].size = o[i].size;
	free(o);
	return rc;
}

/* Of what add_unstaged added, from `old` and `new` on, forget the files that Git would make the
 * same blob of (`ids`, a line for each of d->new): only their stat data differ. */
static int forget_same(
	struct datadiff *d, const struct repo *repo, size_t old, size_t new, const char *ids)
{
	size_t kept_old = old, kept_new = new;

	for (size_t i = old, k = new; i < d->old.n; i++) {
		const struct datadiff_file *f = &d->old.v[i];
		uint8_t id[REPO_ID_MAX] = {0};

		/* the new one comes in the same order, if it is there */
		if (k < d->new.n && strcmp(d->new.v[k].path, f->path) == 0) {
			if (repo_id_parse(id, repo, ids) < 0)
				return err_set(ERR_CORRUPT, "'git hash-object' answers '%s'", ids);
			ids = strchrnul(ids, '\n');
			ids += *ids == '\n';
			if (memcmp(id, f->blob, sizeof id) == 0) {
				k++;
				continue;
			}
			d->new.v[kept_new++] = d->new.v[k++];
		}
		d->old.v[kept_old++] = *f;
	}
	d->old.n = kept_old;
	d->new.n = kept_new;
	return 0;
}

/* Have Git hash the worktree's files, by its own filters. */
static int compare_unstaged(struct datadiff *d, const struct repo *repo, size_t old, size_t new)
{
	struct buf paths = BUF_INIT, ids = BUF_INIT;
	int rc = 0;

	for (size_t i = new; rc == 0 && i < d->new.n; i++) {
		if (strchr(d->new.v[i].path, '\n') != NULL)
			goto done; /* a line is a path there; they are shown as modified */
		rc = buf_addf(&paths, "%s\n", d->new.v[i].path);
	}
	if (rc == 0 && paths.len > 0)
		rc = git_run(repo, paths.p, paths.len, &ids, "hash-object", "--stdin-paths",
			(char *)NULL);
	if (rc == 0)
		rc = forget_same(d, repo, old, new, buf_str(&ids));
done:
	buf_release(&paths);
	buf_release(&ids);
	return rc;
}

/* Files in Git that changed in the worktree and were not added: for d->also only. */
static int add_also(struct datadiff *d, const struct repo *repo, const struct scan_list *l)
{
	struct git_reader *r = NULL;
	struct run run = RUN_INIT;
	struct buf record = BUF_INIT;
	size_t from = d->old.n, from_new = d->new.n, len;
	char *text;
	int rc, end;

	if (d->also == NULL)
		return 0;
	rc = git_prepare(&run, repo, "diff-files", "-z", "--raw", "--no-abbrev",
		"--ignore-submodules", "--diff-filter=MD", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &text, &len)) > 0) {
		buf_reset(&record);
		rc = buf_add(&record, text, len);
		if (rc == 0)
			rc = git_reader_next(r, '\0', &text, &len);
		rc = rc > 0    ? add_unstaged(d, repo, l, record.p, text)
		     : rc == 0 ? err_set(ERR_CORRUPT, "'git diff-files' ended too early")
			       : rc;
	}
	end = git_reader_finish(r);
	run_release(&run);
	buf_release(&record);
	if (rc < 0 || end < 0)
		return rc < 0 ? rc : end;
	rc = compare_unstaged(d, repo, from, from_new);
	return rc == 0 ? size_unstaged(d, repo, from) : rc;
}

int datadiff_worktree(
	struct datadiff *d, const struct repo *repo, struct pointers *p, const char *old)
{
	struct staged s = STAGED_INIT;
	struct scan_list l = SCAN_LIST_INIT;
	struct scan_found *found = NULL;
	int rc = list_changes(d, &s, repo, p, old, NULL);

	if (rc == 0)
		rc = scan_index(&l, repo, p, 1);
	if (rc == 0)
		rc = scan_files(&found, &l, repo);
	if (rc == 0)
		rc = merge(d, repo, &s, &l, found);
	if (rc == 0)
		rc = add_also(d, repo, &l);
	free(found);
	scan_list_release(&l);
	staged_release(&s);
	return rc;
}
