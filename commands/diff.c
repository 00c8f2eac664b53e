/*
 * `git dvx diff`: which data differs between two revisions, or between a revision and the work
 * tree.  Sections and JSON follow `dvc diff`; the comparison is lib/repo/datadiff.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/json.h"
#include "commands/select.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/progress.h"
#include "lib/repo/datadiff.h"
#include "lib/repo/git.h"

struct diff {
	struct command_ctx *ctx;
	int json, md, name_only;
	struct select select;
	char revs[2][REPO_HEX_MAX + 1]; /* object names */
	int n_revs;
	struct datadiff data;
};

static const char *const status_names[DATADIFF_STATUSES] = {
	[DATADIFF_ADDED] = "added",
	[DATADIFF_DELETED] = "deleted",
	[DATADIFF_RENAMED] = "renamed",
	[DATADIFF_MODIFIED] = "modified",
};
static const char *const status_titles[DATADIFF_STATUSES] = {
	[DATADIFF_ADDED] = "Added:",
	[DATADIFF_DELETED] = "Deleted:",
	[DATADIFF_RENAMED] = "Renamed:",
	[DATADIFF_MODIFIED] = "Modified:",
};

/* ---- what is asked ---- */

static int add_revision(struct diff *d, const char *text)
{
	const struct repo *repo = &d->ctx->repo;
	uint8_t id[REPO_ID_MAX];
	int rc = git_resolve(repo, text, id);

	if (rc == 0 && d->n_revs == 2)
		rc = command_usage("two revisions at most; see 'git dvx diff -h'");
	if (rc == 0)
		repo_id_hex(d->revs[d->n_revs++], repo, id);
	return rc;
}

/* "A", "A..B", "A.." or "..B"; what is left out is HEAD. */
static int add_revisions(struct diff *d, const char *text)
{
	const char *dots = strstr(text, "..");
	struct buf first = BUF_INIT;
	int rc;

	if (dots == NULL || strcmp(text, "..") == 0)
		return add_revision(d, text);
	rc = dots > text ? buf_add(&first, text, (size_t)(dots - text))
			 : buf_addstr(&first, "HEAD");
	if (rc == 0)
		rc = add_revision(d, buf_str(&first));
	if (rc == 0)
		rc = add_revision(d, dots[2] != '\0' ? dots + 2 : "HEAD");
	buf_release(&first);
	return rc;
}

/* Of the operands, the last `n_paths` stood behind "--"; with -1 there was none. */
static int parse_operands(struct diff *d, char *const *v, int n, int n_paths)
{
	const struct repo *repo = &d->ctx->repo;
	int n_first = n_paths < 0 || n_paths > n ? n : n - n_paths, rc = 0;

	for (int i = 0; rc == 0 && i < n_first; i++) {
		if (n_paths < 0 && fs_exists(v[i])) {
			rc = select_operands(&d->select, repo, &v[i], 1, 0);
			continue;
		}
		rc = add_revisions(d, v[i]);
		if (rc == ERR_NOTFOUND && n_paths < 0)
			rc = err_set(rc,
				"'%s' is neither a revision nor a file; for a path that is gone, "
				"put '--' before it",
				v[i]);
	}
	if (rc == 0)
		rc = select_operands(&d->select, repo, v + n_first, n - n_first, 0);
	return rc == 0 ? select_patterns(&d->select, repo, 0) : rc;
}

static void keep_wanted(const struct diff *d, struct datadiff_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++)
		if (select_wants(&d->select, l->v[i].path))
			l->v[kept++] = l->v[i];
	l->n = kept;
}

static int compare(struct diff *d)
{
	const struct repo *repo = &d->ctx->repo;
	struct pointers *p = NULL;
	int rc;

	if (d->n_revs < 2 && repo->dir->worktree == NULL)
		return err_set(ERR_INVALID,
			"'%s' is a bare repository, without files to compare with; name two "
			"revisions",
			repo->dir->git_dir);
	if (d->n_revs == 0 && add_revision(d, "HEAD") < 0) {
		err_clear(); /* nothing is committed yet */
		snprintf(d->revs[0], sizeof(d->revs[0]), "%s", git_empty_tree(repo));
		d->n_revs = 1;
	}
	rc = pointers_open(&p, repo);
	if (rc == 0 && d->n_revs == 2)
		rc = datadiff_trees(&d->data, repo, p, d->revs[0], d->revs[1]);
	else if (rc == 0)
		rc = datadiff_worktree(&d->data, repo, p, d->revs[0]);
	pointers_close(p);
	if (rc < 0)
		return rc;
	keep_wanted(d, &d->data.old);
	keep_wanted(d, &d->data.new);
	return datadiff_compare(&d->data);
}

/* ---- for people ---- */

static int is_odd(char c)
{
	return (unsigned char)c < ' ' || c == '\x7f' || c == '"' || c == '\\';
}

/* A path with a line end or the like is quoted as Git does it; `escape` (0: none) gets a backslash
 * in any case. */
static void print_path(const char *path, char escape)
{
	int quote = 0;

	for (const char *c = path; *c != '\0'; c++)
		quote |= is_odd(*c);
	if (quote)
		putchar('"');
	for (const char *c = path; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c == '\n' || *c == '\t')
			printf("\\%c", *c == '\n' ? 'n' : 't');
		else if (is_odd(*c))
			printf("\\%03o", (unsigned char)*c);
		else
			printf("%s%c", *c == escape ? "\\" : "", *c);
	}
	if (quote)
		putchar('"');
}

static void print_paths(const struct datadiff_change *c, char escape)
{
	print_path(c->old != NULL ? c->old->path : c->new->path, escape);
	if (c->status == DATADIFF_RENAMED) {
		fputs(" -> ", stdout);
		print_path(c->new->path, escape);
	}
}

static void print_size(const struct datadiff_file *f)
{
	char size[16];

	fputs(f->size == DATADIFF_NO_SIZE ? "unknown size" : progress_bytes(size, f->size), stdout);
	if (f->kind == DATADIFF_IN_GIT)
		fputs(" in Git", stdout);
}

static void print_sizes(const struct datadiff_change *c)
{
	print_size(c->old != NULL ? c->old : c->new);
	if (c->status == DATADIFF_MODIFIED) {
		fputs(" -> ", stdout);
		print_size(c->new);
	}
}

static void print_text(const struct datadiff *d)
{
	if (d->n == 0)
		return;
	for (int s = 0; s < DATADIFF_STATUSES; s++) {
		if (d->count[s] > 0)
			puts(status_titles[s]);
		for (size_t i = 0; i < d->n; i++) {
			if ((int)d->v[i].status != s)
				continue;
			fputs("    ", stdout);
			print_paths(&d->v[i], 0);
			fputs(" (", stdout);
			print_sizes(&d->v[i]);
			puts(")");
		}
		if (d->count[s] > 0)
			putchar('\n');
	}
	fputs("files summary: ", stdout);
	for (int s = 0; s < DATADIFF_STATUSES; s++)
		printf("%s%zu %s", s > 0 ? ", " : "", d->count[s], status_names[s]);
	putchar('\n');
}

static void print_markdown(const struct datadiff *d)
{
	if (d->n > 0)
		puts("| Status   | Path | Size |\n|----------|------|------|");
	for (int s = 0; s < DATADIFF_STATUSES; s++) {
		for (size_t i = 0; i < d->n; i++) {
			if ((int)d->v[i].status != s)
				continue;
			printf("| %-8s | ", status_names[s]);
			print_paths(&d->v[i], '|');
			fputs(" | ", stdout);
			print_sizes(&d->v[i]);
			puts(" |");
		}
	}
}

static void print_names(const struct datadiff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		print_path(d->v[i].new != NULL ? d->v[i].new->path : d->v[i].old->path, 0);
		putchar('\n');
	}
}

/* ---- for programs ---- */

static void json_oid(struct json *j, cJSON *o, const char *key, const struct datadiff_file *f)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &f->oid);
	json_string(j, o, key, f->kind == DATADIFF_DATA ? hex : NULL);
}

static void json_size(struct json *j, cJSON *o, const char *key, const struct datadiff_file *f)
{
	if (f->size == DATADIFF_NO_SIZE)
		json_string(j, o, key, NULL);
	else
		json_uint(j, o, key, f->size);
}

static void json_change(struct json *j, cJSON *o, const struct datadiff_change *c)
{
	const struct datadiff_file *any = c->new != NULL ? c->new : c->old;
	cJSON *pair;

	if (c->status == DATADIFF_RENAMED) {
		pair = json_object(j, o, "path");
		json_string(j, pair, "old", c->old->path);
		json_string(j, pair, "new", c->new->path);
	} else {
		json_string(j, o, "path", any->path);
	}
	if (c->status != DATADIFF_MODIFIED) {
		json_oid(j, o, "oid", any);
		json_size(j, o, "size", any);
		return;
	}
	pair = json_object(j, o, "oid");
	json_oid(j, pair, "old", c->old);
	json_oid(j, pair, "new", c->new);
	pair = json_object(j, o, "size");
	json_size(j, pair, "old", c->old);
	json_size(j, pair, "new", c->new);
}

static int print_json(const struct datadiff *d)
{
	cJSON *arrays[DATADIFF_STATUSES];
	struct json j;

	json_init(&j);
	for (int s = 0; s < DATADIFF_STATUSES; s++)
		arrays[s] = json_array(&j, j.root, status_names[s]);
	for (size_t i = 0; i < d->n; i++)
		json_change(&j, json_item(&j, arrays[d->v[i].status]), &d->v[i]);
	return json_print(&j);
}

/* How many operands stand behind "--", -1 without one. */
static int count_paths(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return argc - i - 1;
	return -1;
}

int cmd_diff(struct command_ctx *ctx, int argc, char **argv)
{
	struct diff d = {.ctx = ctx, .data = DATADIFF_INIT};
	const struct opt options[] = {{0, "json", OPT_FLAG, &d.json, NULL, "print JSON", 0},
		{0, "md", OPT_FLAG, &d.md, NULL, "print a Markdown table", 0},
		{'n', "name-only", OPT_FLAG, &d.name_only, NULL, "print paths only", 0},
		SELECT_OPTIONS(&d.select), OPT_END};
	int n_paths = count_paths(argc, argv), n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx diff [<options>] [<revision> [<revision>]] [--] [<path>...]", 0, &n))
		goto done;
	if (d.json + d.md + d.name_only > 1) {
		rc = command_usage("only one of --json, --md and --name-only can be had");
		goto done;
	}
	rc = command_repo(ctx);
	if (rc == 0)
		rc = parse_operands(&d, argv + 1, n, n_paths);
	if (rc == 0)
		rc = compare(&d);
	if (rc < 0)
		goto done;
	if (d.json)
		rc = print_json(&d.data);
	else if (d.md)
		print_markdown(&d.data);
	else if (d.name_only)
		print_names(&d.data);
	else
		print_text(&d.data);
done:
	datadiff_release(&d.data);
	select_release(&d.select);
	return rc;
}
