/*
 * `git dvx diff`: which data differs between two revisions, or between a revision and the work
 * tree.  The comparison is lib/repo/datadiff and needs pointers only; diff_inside.c looks into what
 * it finds, as far as the options ask for it, and diff_print.c shows it.
 */
#include "commands/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/inside.h"
#include "commands/rows_print.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"

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
		if (rc == ERR_NOTFOUND && n_paths < 0 && !strstr(err_msg(), "shallow"))
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

static int is_table(const char *path)
{
	return inside_kind_of(path) == INSIDE_ROWS;
}

static int is_model(const char *path)
{
	return inside_kind_of(path) == INSIDE_TENSORS;
}

static int is_inside(const char *path)
{
	return inside_kind_of(path) != INSIDE_NOTHING;
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
	if (d->rows || d->tensors)
		d->data.also = d->rows && d->tensors ? is_inside : d->rows ? is_table : is_model;
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

/* How many operands stand behind "--", -1 without one. */
static int count_paths(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return argc - i - 1;
	return -1;
}

static int check_options(struct diff *d)
{
	if (d->json + d->md + d->name_only > 1)
		return command_usage("only one of --json, --md and --name-only can be had");
	if (d->key != NULL)
		d->rows = 1;
	if (d->name_only && (d->rows || d->tensors || d->chunks))
		return command_usage("--name-only looks into no file");
	return 0;
}

static int print(struct diff *d)
{
	int rc = 0;

	if (d->json)
		return diff_print_json(d);
	if (d->md)
		diff_print_markdown(d);
	else if (d->name_only)
		diff_print_names(d);
	else
		diff_print_text(d);
	if (!d->name_only)
		rc = diff_print_inside(d);
	return rc;
}

int cmd_diff(struct command_ctx *ctx, int argc, char **argv)
{
	struct diff d = {.ctx = ctx, .data = DATADIFF_INIT, .limit = ROWS_PRINT_MOST};
	const struct opt options[] = {{0, "rows", OPT_FLAG, &d.rows, NULL,
					      "which rows of tables (CSV, TSV, JSON Lines)", 0},
		{0, "key", OPT_VALUE, &d.key, "<columns>",
			"what identifies a row, comma-separated; implies --rows", 0},
		{0, "tensors", OPT_FLAG, &d.tensors, NULL,
			"which tensors of model files (safetensors, npy, npz, GGUF)", 0},
		{0, "limit", OPT_INT, &d.limit, "<n>",
			"rows and tensors to show of a file (20; 0: all)", 0},
		{0, "chunks", OPT_FLAG, &d.chunks, NULL,
			"how much is new of every modified file, whatever its size", 0},
		{0, "json", OPT_FLAG, &d.json, NULL, "print JSON", 0},
		{0, "md", OPT_FLAG, &d.md, NULL, "print Markdown", 0},
		{'n', "name-only", OPT_FLAG, &d.name_only, NULL, "print paths only", 0},
		{'r', "remote", OPT_VALUE, &d.remote, "<name>",
			"blob remote to get missing data from, instead of the default", 0},
		SELECT_OPTIONS(&d.select), OPT_END};
	int n_paths = count_paths(argc, argv), n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx diff [<options>] [<revision> [<revision>]] [--] [<path>...]", 0, &n))
		goto done;
	rc = check_options(&d);
	if (rc == 0)
		rc = command_repo(ctx);
	if (rc == 0)
		rc = parse_operands(&d, argv + 1, n, n_paths);
	if (rc == 0)
		rc = compare(&d);
	if (rc == 0 && !d.name_only)
		rc = diff_look(&d);
	if (rc == 0)
		rc = print(&d);
	if (rc == 0 && d.data.not_here)
		fprintf(stderr,
			"note: this partial clone has not got all versions of %zu file%s that "
			"differ: whether they are data cannot be known; 'git diff --stat' of the "
			"two fetches them\n",
			d.data.not_here, d.data.not_here == 1 ? "" : "s");
	if (rc == 0 && d.failed)
		rc = COMMAND_FAILED;
done:
	diff_look_release(&d);
	datadiff_release(&d.data);
	select_release(&d.select);
	return rc;
}
