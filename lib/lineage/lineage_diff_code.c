/*
 * Code between two commits: the commits that only one side has (the index of history knows them,
 * else `git log --left-right`: years of history take it a fifth of a second), the files
 * that differ (`git diff-tree`) without data and without what other sections tell, and the code
 * that the stages were run with.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/lineage/lineage_diff_internal.h"
#include "lib/repo/git.h"

enum { COMMITS_SHOWN = 100, COMMITS_COUNTED = 10000, FILES_SHOWN = 1000 };

/* ---- commits ---- */

struct counting {
	struct node *lists[2]; /* of commits that only the new, only the old side has */
	uint64_t n[2];
	uint8_t ids[2][COMMITS_SHOWN][REPO_ID_MAX]; /* that the index named and are shown */
	size_t n_ids[2];
};

/* "<mark><id> NUL <author> NUL <date> NUL <subject>" */
static int show_commit(struct counting *c, int side, const char *record, size_t len)
{
	static const char *const keys[] = {"id", "author", "date", "subject"};
	const char *end = record + len, *at = record + 1;
	struct node *entry;
	int rc = 0;

	entry = lineage_push_map(c->lists[side]);
	if (entry == NULL)
		return ERR_NOMEM;
	for (int i = 0; rc == 0 && i < 4; i++) {
		rc = lineage_put_text(entry, keys[i], at <= end ? at : "");
		if (at <= end)
			at += strlen(at) + 1;
	}
	return rc;
}

static int take_commit(struct counting *c, const char *record, size_t len)
{
	int side = *record == '<';

	return c->n[side]++ < COMMITS_SHOWN ? show_commit(c, side, record, len) : 0;
}

static int start_log(struct git_reader **out, const struct lineage_diff *d)
{
	struct run r = RUN_INIT;
	int rc = git_prepare(&r, d->l->repo, "log", "--no-show-signature", "--no-color",
		"--encoding=UTF-8", "--left-right", "--format=%m%H%x00%an%x00%aI%x00%s",
		(char *)NULL);

	if (rc == 0)
		rc = strvec_pushf(&r.argv, "-n%d", COMMITS_COUNTED);
	if (rc == 0)
		rc = strvec_pushf(&r.argv, "%s...%s",
			lineage_text(node_get(d->old, "commit"), "id"),
			lineage_text(node_get(d->now, "commit"), "id"));
	if (rc == 0)
		rc = strvec_push(&r.argv, "--");
	if (rc == 0)
		return git_reader_start(out, &r, NULL);
	run_release(&r);
	return rc;
}

static int read_log(struct counting *c, const struct lineage_diff *d)
{
	struct git_reader *reader = NULL;
	char *record;
	size_t len;
	int rc = start_log(&reader, d), end;

	while (rc == 0 && (rc = git_reader_next(reader, '\n', &record, &len)) > 0)
		rc = len > 0 ? take_commit(c, record, len) : 0;
	end = git_reader_finish(reader);
	return rc == 0 ? end : rc;
}

/* `side` of the index: 0 the old one. */
static int take_id(const uint8_t *id, int side, void *data)
{
	struct counting *c = data;

	side = !side;
	if (c->n[0] + c->n[1] >= COMMITS_COUNTED || c->n[side]++ >= COMMITS_SHOWN)
		return 0; /* as `git log -n` counts */
	memcpy(c->ids[side][c->n_ids[side]++], id, REPO_ID_MAX);
	return 0;
}

/* 1 if the index knew them all, 0 if not. */
static int ask_index(struct counting *c, const struct lineage_diff *d)
{
	uint8_t old[REPO_ID_MAX], now[REPO_ID_MAX];
	struct lineage *l = d->l;

	if (l->history == NULL &&
		history_open(&l->history, l->repo, source_cache_objects(l->sources), 1) < 0) {
		err_clear();
		return 0;
	}
	if (repo_id_parse(old, l->repo, lineage_text(node_get(d->old, "commit"), "id")) < 0 ||
		repo_id_parse(now, l->repo, lineage_text(node_get(d->now, "commit"), "id")) < 0)
		return ERR_INVALID;
	return history_apart(l->history, old, now, take_id, c);
}

/* Show those that the index named. */
static int put_named(struct counting *c, struct lineage *l, int side)
{
	const uint8_t(*ids)[REPO_ID_MAX] = (const uint8_t(*)[REPO_ID_MAX])c->ids[side];
	int rc = lineage_expect(l, ids, c->n_ids[side]);

	for (size_t i = 0; rc == 0 && i < c->n_ids[side]; i++) {
		struct node *entry = lineage_push_map(c->lists[side]);

		rc = entry != NULL ? lineage_put_brief(l, entry, ids[i]) : ERR_NOMEM;
	}
	return rc;
}

static int put_commits(struct lineage_diff *d, struct node *code)
{
	struct counting c = {.n = {0, 0}};
	int rc;

	c.lists[0] = lineage_put_list(code, "commits");
	c.lists[1] = lineage_put_list(code, "commits_only_old");
	if (c.lists[0] == NULL || c.lists[1] == NULL)
		return ERR_NOMEM;
	rc = ask_index(&c, d);
	if (rc == 0)
		rc = read_log(&c, d);
	else if (rc > 0 && (rc = put_named(&c, d->l, 0)) == 0)
		rc = put_named(&c, d->l, 1);
	if (rc == 0)
		rc = lineage_put_size(code, "commits_total", c.n[0]);
	if (rc == 0)
		rc = lineage_put_size(code, "commits_only_old_total", c.n[1]);
	if (rc == 0 && c.n[0] + c.n[1] > 0 && git_is_shallow(d->l->repo))
		rc = lineage_unknown(d->unknown, "commits",
			"whether these are all the commits between the two: this clone is shallow; "
			"'git fetch --unshallow' brings the rest");
	return rc;
}

/* ---- files ---- */

struct file_change {
	char status;
	char *path, *old_path;
	uint8_t old[REPO_ID_MAX], now[REPO_ID_MAX];
};
struct file_changes {
	struct file_change *v;
	size_t n, cap;
};

static void release_files(struct file_changes *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].old_path);
	}
	free(l->v);
}

/* ":100644 100644 <id> <id> R100", then one path, of a rename two. */
static int take_file(struct file_changes *l, struct git_reader *reader, const char *head,
	const struct repo *repo)
{
	const char *ids = strlen(head) > 15 ? head + 15 : "";
	size_t hex = 2 * (size_t)repo->hash_len, len;
	struct file_change *f;
	char *path;
	int rc;

	if (strlen(ids) < 2 * hex + 3)
		return err_set(ERR_CORRUPT, "'git diff-tree' told '%s'", head);
	if (array_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return ERR_NOMEM;
	f = &l->v[l->n++];
	memset(f, 0, sizeof(*f));
	f->status = ids[2 * hex + 2];
	rc = repo_id_parse(f->old, repo, ids);
	if (rc == 0)
		rc = repo_id_parse(f->now, repo, ids + hex + 1);
	for (int i = 0; rc == 0 && i < 1 + (f->status == 'R'); i++) {
		rc = git_reader_next(reader, '\0', &path, &len);
		if (rc <= 0)
			return rc < 0 ? rc : err_set(ERR_CORRUPT, "'git diff-tree' told no path");
		free(f->old_path);
		f->old_path = f->path;
		f->path = strdup(path);
		rc = f->path != NULL ? 0 : err_no_memory();
	}
	return rc;
}

int lineage_diff_code_begin(struct lineage_diff *d)
{
	struct run r = RUN_INIT;
	int rc = git_prepare(&r, d->l->repo, "diff-tree", "-r", "-z", "-M", "--raw", "--no-abbrev",
		lineage_text(node_get(d->old, "commit"), "id"),
		lineage_text(node_get(d->now, "commit"), "id"), "--", (char *)NULL);

	if (rc == 0)
		rc = git_reader_start(&d->diff_tree, &r, NULL);
	else
		run_release(&r);
	return rc;
}

static int read_files(struct file_changes *l, struct lineage_diff *d)
{
	char *record;
	size_t len;
	int rc = 0, end;

	while (rc == 0 && (rc = git_reader_next(d->diff_tree, '\0', &record, &len)) > 0)
		rc = take_file(l, d->diff_tree, record, d->l->repo);
	end = git_reader_finish(d->diff_tree);
	d->diff_tree = NULL;
	return rc == 0 ? end : rc;
}

/* Which of them are data on either side: their status becomes 0. */
static int drop_data(struct file_changes *l, struct lineage *own)
{
	struct pointers_query *q = calloc(2 * l->n + 1, sizeof(*q));
	int rc = q != NULL ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		memcpy(q[2 * i].blob, l->v[i].old, REPO_ID_MAX);
		memcpy(q[2 * i + 1].blob, l->v[i].now, REPO_ID_MAX);
		for (size_t k = 2 * i; k < 2 * i + 2; k++)
			if (repo_id_is_zero(q[k].blob))
				q[k].state = POINTERS_NO; /* not there on this side */
	}
	if (rc == 0)
		rc = lineage_open_pointers(own);
	if (rc == 0)
		rc = pointers_resolve(own->pointers, q, 2 * l->n);
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		if (pointers_is_pointer(&q[2 * i]) || pointers_is_pointer(&q[2 * i + 1]))
			l->v[i].status = 0;
	free(q);
	return rc;
}

/* 1 if another section tells of this file: lock files by stages and data, values by themselves. */
static int is_told(const struct lineage_diff *d, const char *path)
{
	static const char *const sections[] = {"params", "metrics"};
	const struct node *data = node_get(d->root, "data");
	const char *base = strrchr(path, '/');

	base = base != NULL ? base + 1 : path;
	if (strcmp(base, "dvx.lock") == 0 || strcmp(base, "dvc.lock") == 0)
		return 1;
	for (size_t i = 0; i < 2; i++)
		if (node_get(node_get(d->root, sections[i]), path) != NULL)
			return 1;
	for (size_t i = 0; i < data->n; i++)
		if (strcmp(lineage_text(data->items[i], "path"), path) == 0)
			return 1;
	return 0;
}

static const char *word_of(char status)
{
	switch (status) {
	case 'A':
		return "added";
	case 'D':
		return "deleted";
	case 'R':
		return "renamed";
	default:
		return "modified";
	}
}

static int put_file(struct node *list, const struct file_change *f)
{
	struct node *entry = lineage_push_map(list);
	int rc = entry != NULL ? lineage_put_text(entry, "path", f->path) : ERR_NOMEM;

	if (rc == 0)
		rc = lineage_put_text(entry, "status", word_of(f->status));
	return rc == 0 && f->old_path != NULL ? lineage_put_text(entry, "old_path", f->old_path)
					      : rc;
}

static int put_files(struct lineage_diff *d, struct node *code)
{
	struct node *list = lineage_put_list(code, "files");
	struct file_changes l = {.n = 0};
	uint64_t n = 0;
	int rc = list != NULL ? read_files(&l, d) : ERR_NOMEM;

	if (rc == 0)
		rc = drop_data(&l, d->l);
	for (size_t i = 0; rc == 0 && i < l.n; i++) {
		if (l.v[i].status == 0 || is_told(d, l.v[i].path))
			continue;
		if (n++ < FILES_SHOWN)
			rc = put_file(list, &l.v[i]);
	}
	release_files(&l);
	return rc == 0 ? lineage_put_size(code, "files_total", n) : rc;
}

/* ---- what stages were run with ---- */

static const struct node *find_code(const struct node *answer, const char *stage, const char *path)
{
	const struct node *stages = node_get(answer, "stages");

	for (size_t i = 0; i < stages->n; i++) {
		const struct node *deps = node_get(stages->items[i], "deps");

		if (strcmp(lineage_text(stages->items[i], "name"), stage) != 0)
			continue;
		for (size_t k = 0; k < deps->n; k++)
			if (strcmp(lineage_text(deps->items[k], "path"), path) == 0)
				return deps->items[k];
	}
	return NULL;
}

static int put_dep(struct node *list, const char *stage, const char *path, const struct node *old,
	const struct node *now)
{
	const char *a = lineage_text(old, "sha256"), *b = lineage_text(now, "sha256");
	struct node *entry;
	int rc;

	if (old != NULL && now != NULL && (a == NULL || b == NULL || strcmp(a, b) == 0))
		return 0;
	entry = lineage_push_map(list);
	rc = entry != NULL ? lineage_put_text(entry, "stage", stage) : ERR_NOMEM;
	if (rc == 0)
		rc = lineage_put_text(entry, "path", path);
	if (rc == 0)
		rc = lineage_put_text(entry, "status",
			old == NULL   ? "added"
			: now == NULL ? "deleted"
				      : "modified");
	if (rc == 0)
		rc = lineage_put_text(entry, "old", a);
	return rc == 0 ? lineage_put_text(entry, "new", b) : rc;
}

/* The code of stages that `answer` has; `other` is looked into for the same.  With `only_gone`:
 * those that `other` has not. */
static int put_deps(
	struct node *list, const struct node *answer, const struct node *other, int only_gone)
{
	const struct node *stages = node_get(answer, "stages");
	int rc = 0;

	for (size_t i = 0; i < stages->n; i++) {
		const struct node *deps = node_get(stages->items[i], "deps");
		const char *name = lineage_text(stages->items[i], "name");

		for (size_t k = 0; rc == 0 && k < deps->n; k++) {
			const struct node *dep = deps->items[k], *match;
			const char *path = lineage_text(dep, "path");

			if (strcmp(lineage_text(dep, "kind"), "code") != 0)
				continue;
			match = find_code(other, name, path);
			if (only_gone && match == NULL)
				rc = put_dep(list, name, path, dep, NULL);
			else if (!only_gone)
				rc = put_dep(list, name, path, match, dep);
		}
	}
	return rc;
}

int lineage_diff_code(struct lineage_diff *d)
{
	struct node *code = lineage_put_map(d->root, "code"), *list;
	int rc = code != NULL ? 0 : ERR_NOMEM;

	if (rc == 0 && (list = lineage_put_list(code, "stages")) != NULL) {
		rc = put_deps(list, d->now, d->old, 0);
		if (rc == 0)
			rc = put_deps(list, d->old, d->now, 1);
	} else {
		rc = ERR_NOMEM;
	}
	if (rc == 0)
		rc = put_files(d, code);
	return rc == 0 ? put_commits(d, code) : rc;
}
