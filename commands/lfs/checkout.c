/*
 * `git lfs checkout`: data in place of pointers and of missing files, nothing is downloaded; and
 * one side of a conflict into a file beside (--to).
 */
#include <stdio.h>
#include <string.h>

#include "commands/checkout.h"
#include "commands/checkout_side.h"
#include "commands/lfs/lfs.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"

/* ---- one side of a conflict ---- */

static int checkout_side(
	struct command_ctx *ctx, const char *typed, enum checkout_side side, const char *to)
{
	const struct batch_options batch = {.stop = command_stop()};
	struct scan_list wanted = SCAN_LIST_INIT;
	struct scan_item item = {0};
	struct datafile version;
	struct buf path = BUF_INIT;
	int rc = repo_path(&path, &ctx->repo, typed);

	if (rc == 0)
		rc = checkout_side_find(&version, &ctx->repo, buf_str(&path), side);
	if (rc < 0)
		goto done;
	if (rc == 0 || version.kind != DATAFILE_OBJECT) {
		rc = lfs_fail(LFS_FAILED,
			"Could not checkout (are you not in the middle of a merge?): Git can't "
			"resolve ref: \":%d:%s\"",
			(int)side, buf_str(&path));
		goto done;
	}
	item.path = version.path;
	item.oid = version.oid;
	item.size = version.size;
	rc = scan_list_add(&wanted, &item);
	if (rc == 0)
		rc = lfs_download(ctx, &wanted, &batch) != 0
			     ? LFS_FAILED
			     : checkout_side_write(ctx, &version, to);
done:
	scan_list_release(&wanted);
	buf_release(&path);
	return rc;
}

/* ---- the work tree ---- */

/* Paths and patterns, from the current directory. */
static int select_paths(struct select *s, const struct repo *repo, int n, char **typed)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	for (int i = 0; rc == 0 && i < n; i++) {
		buf_reset(&path);
		rc = repo_path(&path, repo, typed[i]);
		if (rc == 0 && path.len > 0)
			rc = strvec_push(&s->match.include, path.p);
	}
	buf_release(&path);
	return rc;
}

/* What cannot be put in place is told; what can is counted. */
static void count(
	const struct command_ctx *ctx, const struct scan_list *l, size_t *n, uint64_t *bytes)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct scan_item *item = &l->v[i];
		int state;

		++*n;
		*bytes += item->size;
		if (store_has(ctx->s, &item->oid, item->size))
			continue;
		state = scan_file_state(&ctx->repo, item, 0, NULL);
		if (state == SCAN_FILE_ABSENT || state == SCAN_FILE_POINTER)
			lfs_fail(0,
				"Skipped checkout for \"%s\", content not local. Use fetch to "
				"download.",
				item->path);
	}
}

static int checkout_tree(struct command_ctx *ctx, const struct select *select)
{
	struct restore_options o = {.quiet = 1, .stop = command_stop()};
	struct scan_list l = SCAN_LIST_INIT;
	struct pointers *p = NULL;
	uint64_t bytes = 0;
	const int64_t began = fs_now_ns();
	size_t n = 0;
	int rc = pointers_open(&p, &ctx->repo);

	if (rc == 0)
		rc = scan_index(&l, &ctx->repo, p, 1);
	pointers_close(p);
	if (rc == 0)
		rc = select_filter(select, &l);
	if (rc == 0)
		count(ctx, &l, &n, &bytes);
	scan_list_release(&l);
	if (rc == 0)
		rc = checkout_run(ctx, select, &o, CHECKOUT_SILENT);
	if (rc >= 0)
		lfs_print_done("Checking out LFS objects", n, bytes, began);
	return rc == COMMAND_NO ? COMMAND_OK : rc;
}

int lfs_checkout(struct command_ctx *ctx, int argc, char **argv)
{
	struct select select = SELECT_INIT;
	const char *to = NULL;
	int base = 0, ours = 0, theirs = 0, n, rc;
	const struct opt options[] = {
		{0, "base", OPT_FLAG, &base, NULL, "with --to: the merge base's version", 0},
		{0, "ours", OPT_FLAG, &ours, NULL, "with --to: our version", 0},
		{0, "theirs", OPT_FLAG, &theirs, NULL, "with --to: their version", 0},
		{0, "to", OPT_VALUE, &to, "<file>", "write one side of a conflict to this file", 0},
		OPT_END};

	if (command_options(&rc, argc, argv, options,
		    "git lfs checkout [<path>...]\n"
		    "git lfs checkout --to <file> (--base | --ours | --theirs) <path>",
		    0, &n))
		return rc;
	if (base + ours + theirs > 1)
		return lfs_fail(LFS_FAILED, "Error parsing args: at most one of --base, --theirs, "
					    "and --ours is allowed");
	if ((to != NULL) != (base + ours + theirs == 1))
		return lfs_fail(LFS_FAILED, "--to and exactly one of --theirs, --ours, and --base "
					    "must be used together");
	if (to != NULL && n != 1)
		return lfs_fail(LFS_FAILED, "--to requires exactly one Git LFS object file path");
	if (ctx->g->worktree == NULL)
		return COMMAND_OK; /* nothing to be put in place */
	rc = command_store(ctx);
	if (rc == 0 && to != NULL)
		return checkout_side(ctx, argv[1],
			base   ? CHECKOUT_BASE
			: ours ? CHECKOUT_OURS
			       : CHECKOUT_THEIRS,
			to);
	if (rc == 0 && !git_has_head(&ctx->repo))
		rc = err_set(ERR_NOTFOUND, "Could not checkout");
	if (rc == 0)
		rc = select_paths(&select, &ctx->repo, n, argv + 1);
	if (rc == 0)
		rc = checkout_tree(ctx, &select);
	select_release(&select);
	return rc;
}
