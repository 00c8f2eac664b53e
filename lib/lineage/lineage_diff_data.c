/*
 * Data that differs: what the stages of both sides read and what came out, by path, then by content
 * (a file that was only renamed did not change).  Of tables that are here the rows are compared,
 * since "1.2 GiB -> 1.2 GiB" explains nothing, and "column added: region" does.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/lineage/lineage_diff_internal.h"
#include "lib/lineage/rowsummary.h"
#include "lib/repo/tablekey.h"

/* Larger tables are left to `git dvx diff --rows`. */
#define TABLE_BYTES_MAX ((uint64_t)512 << 20)
enum { TABLES_MAX = 100 }; /* that are compared, the first ones */

/* The files of one side. */
struct side {
	const struct node *answer;
	struct strmap files; /* path -> struct node */
	const struct node **v;
	size_t n, cap;
};

struct change {
	const struct node *old, *now; /* NULL: not there */
	const char *status;
	int is_table; /* whose rows are to be compared */
	enum rows_format format;
	char *key; /* that is declared; NULL: none is */
};
struct changes {
	struct change *v;
	size_t n, cap;
};

/* ---- files of a side ---- */

static int add_file(struct side *s, const struct node *file)
{
	const char *path = lineage_text(file, "path");
	union { /* a map of ours holds what it does not change */
		const struct node *in;
		void *out;
	} same = {.in = file};

	if (strmap_has(&s->files, path))
		return 0;
	if (array_room(&s->v, s->n, &s->cap, sizeof(*s->v)) < 0)
		return ERR_NOMEM;
	s->v[s->n++] = file;
	return strmap_put(&s->files, path, same.out);
}

static int is_code(const struct node *file)
{
	const char *kind = lineage_text(file, "kind");

	return kind != NULL && strcmp(kind, "code") == 0;
}

static const char *hash_of(const struct node *file)
{
	const char *hash = lineage_text(file, "sha256");

	return hash != NULL ? hash : lineage_text(file, "md5");
}

/* The file that was asked for, where no stage tells it: it made none, or another one. */
static int add_asked(struct side *s, const struct node *answer)
{
	const struct node *file = node_get(answer, "file"), *as_made = node_get(file, "as_made");
	const char *storage = lineage_text(file, "storage");
	enum rows_format format;

	if (file == NULL || hash_of(file) == NULL || (as_made != NULL && as_made->i != 0))
		return 0;
	if (storage != NULL && strcmp(storage, "git") == 0 &&
		!rows_format_of(lineage_text(file, "path"), &format))
		return 0;
	return add_file(s, file);
}

/* What went in first, then what stages made of it, then the results. */
static int collect(struct side *s, const struct node *answer)
{
	static const char *const keys[] = {"deps", "outs"};
	const struct node *data = node_get(answer, "data"), *stages = node_get(answer, "stages");
	int rc = add_asked(s, answer);

	s->answer = answer;
	for (size_t i = 0; rc == 0 && i < data->n; i++)
		rc = add_file(s, data->items[i]);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = stages->n; rc == 0 && i-- > 0;) {
			const struct node *list = node_get(stages->items[i], keys[k]);

			for (size_t m = 0; rc == 0 && m < list->n; m++)
				if (!is_code(list->items[m]))
					rc = add_file(s, list->items[m]);
		}
	return rc;
}

static void side_release(struct side *s)
{
	strmap_release(&s->files, NULL);
	free(s->v);
}

/* ---- comparing ---- */

/* 0: the commit has no such file, or nobody looked into it; a stage that never ran declares it. */
static int is_known(const struct node *file)
{
	return file != NULL && (hash_of(file) != NULL || lineage_text(file, "storage") != NULL);
}

/* "added", "deleted", "modified"; NULL: no difference is known.  Either may be NULL, not both. */
static const char *compare(const struct node *old, const struct node *now)
{
	const char *was = old != NULL ? hash_of(old) : NULL,
		   *is = now != NULL ? hash_of(now) : NULL;

	if (is_known(old) && is_known(now))
		return was != NULL && is != NULL && strcmp(was, is) == 0 ? NULL : "modified";
	if (!is_known(old) && !is_known(now))
		return NULL;
	if (old != NULL && now != NULL && node_get(is_known(old) ? old : now, "nfiles") != NULL)
		return "modified"; /* a directory, which may have been there */
	return is_known(old) ? "deleted" : "added";
}

static int add_change(
	struct changes *c, const struct node *old, const struct node *now, const char *status)
{
	if (array_room(&c->v, c->n, &c->cap, sizeof(*c->v)) < 0)
		return ERR_NOMEM;
	c->v[c->n++] = (struct change){.old = strcmp(status, "added") != 0 ? old : NULL,
		.now = strcmp(status, "deleted") != 0 ? now : NULL,
		.status = status};
	return 0;
}

/* Metrics and files of parameters are compared by their values. */
static int is_told(const struct lineage_diff *d, const char *path)
{
	return node_get(node_get(d->old, "metrics"), path) != NULL ||
	       node_get(node_get(d->now, "metrics"), path) != NULL;
}

static int find_changes(
	struct changes *c, const struct lineage_diff *d, const struct side *old, struct side *now)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < now->n; i++) {
		const char *path = lineage_text(now->v[i], "path");
		const struct node *before = strmap_get(&old->files, path);
		const char *status = compare(before, now->v[i]);

		if (status != NULL && !is_told(d, path))
			rc = add_change(c, before, now->v[i], status);
	}
	for (size_t i = 0; rc == 0 && i < old->n; i++) {
		const char *path = lineage_text(old->v[i], "path");
		const char *status = compare(old->v[i], NULL);

		if (status != NULL && !strmap_has(&now->files, path) && !is_told(d, path))
			rc = add_change(c, old->v[i], NULL, status);
	}
	return rc;
}

/* An added file that is a deleted one by another name takes its place; each is taken once. */
static int find_renames(struct changes *c)
{
	struct strmap gone = STRMAP_INIT; /* hash -> struct change */
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->n; i++)
		if (c->v[i].now == NULL && hash_of(c->v[i].old) != NULL)
			rc = strmap_put(&gone, hash_of(c->v[i].old), &c->v[i]);
	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		struct change *now = &c->v[i], *old;

		if (now->old != NULL || hash_of(now->now) == NULL)
			continue;
		old = strmap_get(&gone, hash_of(now->now));
		if (old == NULL || old->old == NULL)
			continue;
		now->old = old->old;
		now->status = "renamed";
		old->old = NULL; /* dropped below */
	}
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].old != NULL || c->v[i].now != NULL)
			c->v[kept++] = c->v[i];
	c->n = kept;
	strmap_release(&gone, NULL);
	return rc;
}

/* ---- rows ---- */

/* The blob of a file that Git has itself. */
static int find_blob(struct datafile *out, const struct lineage_diff *d, const struct node *answer)
{
	const char *hex = lineage_text(node_get(answer, "commit"), "id");
	uint8_t commit[REPO_ID_MAX] = {0};
	struct source *src = NULL;
	int rc = repo_id_parse(commit, d->l->repo, hex);

	if (rc == 0)
		rc = source_commit_id(&src, d->l->sources, hex, commit);
	if (rc == 0)
		rc = source_blob(src, out->path, out->blob);
	out->kind = rc == 1 ? DATAFILE_GIT : DATAFILE_NONE;
	source_free(src);
	return rc < 0 ? rc : 0;
}

/* The content of one side's file; DATAFILE_NONE: nothing to compare. */
static int find_table(struct datafile *out, const struct lineage_diff *d, const struct node *answer,
	const struct node *file)
{
	const char *hex = lineage_text(file, "sha256"), *storage = lineage_text(file, "storage");
	const struct node *size = node_get(file, "size");

	*out = (struct datafile){.path = lineage_text(file, "path")};
	if (hex == NULL || oid_from_hex(&out->oid, hex) < 0 || size == NULL ||
		size->type != NODE_INT)
		return 0;
	out->size = (uint64_t)size->i;
	if (storage != NULL && strcmp(storage, "git") == 0)
		return find_blob(out, d, answer);
	out->kind = DATAFILE_OBJECT;
	return 0;
}

static int diff_rows(struct node *entry, const struct lineage_diff *d, const struct datafile f[2],
	enum rows_format format, const char *key)
{
	const struct rowdiff_options o = {.key = key};
	struct rows_file files[2] = {{.name = f[0].path, .fd = -1}, {.name = f[1].path, .fd = -1}};
	struct rowdiff *rows = NULL;
	struct node *map;
	int rc = 0;

	for (int i = 0; rc == 0 && i < 2; i++)
		rc = datafile_open(&files[i].fd, &files[i].size, &f[i], d->l->repo, d->l->store);
	if (rc == 0)
		rc = rowdiff_new(&rows, &files[0], &files[1], format, &o);
	if (rc == 0) {
		map = lineage_put_map(entry, "table");
		rc = map != NULL ? rowsummary_node(map, rowdiff_summary(rows)) : ERR_NOMEM;
	}
	for (int i = 0; i < 2; i++)
		if (files[i].fd >= 0)
			close(files[i].fd);
	rowdiff_free(rows);
	return rc;
}

static int why_not(struct lineage_diff *d, const char *path, const char *reason, const char *how)
{
	return lineage_unknown(d->unknown, path,
		"which rows and columns changed: %s; 'git dvx diff --rows %.10s %.10s -- %s' %s",
		reason, lineage_text(node_get(d->old, "commit"), "id"),
		lineage_text(node_get(d->now, "commit"), "id"), path, how);
}

/* Add "table" where both tables can be compared, else say why not. */
static int put_rows(struct lineage_diff *d, struct node *entry, const struct change *c)
{
	const char *path = lineage_text(c->now, "path");
	struct datafile f[2];
	int rc = find_table(&f[0], d, d->old, c->old);

	if (rc == 0)
		rc = find_table(&f[1], d, d->now, c->now);
	if (rc < 0 || f[0].kind == DATAFILE_NONE || f[1].kind == DATAFILE_NONE)
		return rc;
	for (int i = 0; i < 2; i++)
		if (!datafile_is_here(&f[i], d->l->store))
			return why_not(d, path,
				i == 0 ? "the older data is not here"
				       : "the newer data is not here",
				"fetches it");
	if (f[0].size > TABLE_BYTES_MAX || f[1].size > TABLE_BYTES_MAX)
		return why_not(d, path, "the tables are large", "compares them");
	rc = diff_rows(entry, d, f, c->format, c->key);
	if (rc == ERR_INVALID || rc == ERR_LIMIT || rc == ERR_NOTFOUND || rc == ERR_CORRUPT ||
		rc == ERR_UNSUPPORTED)
		rc = lineage_unknown(
			d->unknown, path, "which rows and columns changed: %s", err_msg());
	return rc;
}

/* Which tables are to be compared, and by which keys: one question to Git.  *left gets how many are
 * not. */
static int find_tables(size_t *left, struct changes *c, const struct repo *repo)
{
	const char **paths = calloc(c->n + 1, sizeof(*paths));
	char **keys = calloc(c->n + 1, sizeof(*keys));
	size_t n = 0;
	int rc = paths != NULL && keys != NULL ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		const char *path = lineage_text(c->v[i].now, "path");

		if (strcmp(c->v[i].status, "modified") != 0 ||
			!rows_format_of(path, &c->v[i].format))
			continue;
		if (n == TABLES_MAX) {
			++*left;
			continue;
		}
		c->v[i].is_table = 1;
		paths[n++] = path;
	}
	if (rc == 0 && n > 0)
		rc = tablekey_find(keys, repo, paths, n);
	n = 0;
	for (size_t i = 0; rc == 0 && i < c->n; i++)
		if (c->v[i].is_table)
			c->v[i].key = keys[n++];
	free(paths);
	free(keys);
	return rc;
}

/* ---- into the answer ---- */

static int put_facts(struct node *entry, const char *key, const struct node *file)
{
	static const char *const kept[] = {
		"path", "sha256", "md5", "size", "nfiles", "storage", "rows", "columns"};
	struct node *map;
	int rc = 0;

	if (file == NULL)
		return node_append(entry, key, node_null());
	map = lineage_put_map(entry, key);
	if (map == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; rc == 0 && i < sizeof(kept) / sizeof(kept[0]); i++) {
		const struct node *value = node_get(file, kept[i]);

		if (value != NULL)
			rc = node_append(map, kept[i], node_dup(value));
	}
	return rc;
}

/* "source": no stage made it; "made": a stage did, and another one reads it; "result". */
static const char *role_of(const struct node *file)
{
	if (lineage_text(file, "made_by") != NULL)
		return "made";
	if (lineage_text(file, "stage") != NULL)
		return "result";
	return node_get(file, "used_by") != NULL ? "source" : "result";
}

static int put_change(struct lineage_diff *d, struct node *list, const struct change *c)
{
	const struct node *any = c->now != NULL ? c->now : c->old;
	struct node *entry = lineage_push_map(list);
	int rc;

	if (entry == NULL)
		return ERR_NOMEM;
	rc = node_append(entry, "path", node_dup(node_get(any, "path")));
	if (rc == 0)
		rc = node_append(entry, "status", node_string(c->status));
	if (rc == 0)
		rc = node_append(entry, "role", node_string(role_of(any)));
	if (rc == 0)
		rc = lineage_put_text(entry, "made_by", lineage_text(any, "made_by"));
	if (rc == 0)
		rc = put_facts(entry, "old", c->old);
	if (rc == 0)
		rc = put_facts(entry, "new", c->now);
	return rc == 0 && c->is_table ? put_rows(d, entry, c) : rc;
}

static int put_left(struct lineage_diff *d, size_t left)
{
	int rc = lineage_put_size(d->root, "tables_not_compared", left);

	if (rc < 0 || left == 0)
		return rc;
	return lineage_unknown(d->unknown, "data",
		"which rows and columns changed in %zu more tables: the first %d are compared; "
		"'git dvx "
		"diff --rows %.10s %.10s' compares all",
		left, TABLES_MAX, lineage_text(node_get(d->old, "commit"), "id"),
		lineage_text(node_get(d->now, "commit"), "id"));
}

int lineage_diff_data(struct lineage_diff *d)
{
	struct side old = {.n = 0}, now = {.n = 0};
	struct changes c = {.n = 0};
	size_t left = 0;
	struct node *list = lineage_put_list(d->root, "data");
	int rc = list != NULL ? collect(&old, d->old) : ERR_NOMEM;

	if (rc == 0)
		rc = collect(&now, d->now);
	if (rc == 0)
		rc = find_changes(&c, d, &old, &now);
	if (rc == 0)
		rc = find_renames(&c);
	if (rc == 0)
		rc = find_tables(&left, &c, d->l->repo);
	for (size_t i = 0; rc == 0 && i < c.n; i++)
		rc = put_change(d, list, &c.v[i]);
	if (rc == 0)
		rc = put_left(d, left);
	side_release(&old);
	side_release(&now);
	for (size_t i = 0; i < c.n; i++)
		free(c.v[i].key);
	free(c.v);
	return rc;
}
