/*
 * `git dvx checkout`: the work tree as the index says.  Also what finishes the work of a late
 * rehydration that was interrupted.
 */
#include <stdio.h>

#include "commands/checkout.h"
#include "commands/checkout_side.h"
#include "commands/json.h"
#include "commands/transfer.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/repo/lockable.h"
#include "lib/worktree/pending.h"

static void print_summary(const struct restore_result *r)
{
	char size[16];

	if (r->fetched > 0)
		printf("%zu object%s, %s fetched from '%s'\n", r->fetched,
			r->fetched == 1 ? "" : "s", progress_bytes(size, r->fetched_bytes),
			r->remote);
	if (r->placed > 0)
		printf("%zu file%s, %s restored\n", r->placed, r->placed == 1 ? "" : "s",
			progress_bytes(size, r->bytes));
	if (r->repaired > 0)
		printf("%zu index entr%s repaired\n", r->repaired, r->repaired == 1 ? "y" : "ies");
	if (r->modified > 0)
		printf("%zu modified file%s left alone ('git dvx checkout --force' overwrites)\n",
			r->modified, r->modified == 1 ? "" : "s");
	if (r->placed + r->repaired + r->modified + r->pointers + r->fetched == 0)
		puts("Everything is in place");
	fflush(stdout);
}

static int print_json(const struct restore_result *r)
{
	struct json j;

	json_init(&j);
	json_string(&j, j.root, "remote", r->fetched > 0 ? r->remote : NULL);
	json_uint(&j, j.root, "fetched", r->fetched);
	json_uint(&j, j.root, "fetched_bytes", r->fetched_bytes);
	json_uint(&j, j.root, "restored", r->placed);
	json_uint(&j, j.root, "bytes", r->bytes);
	json_uint(&j, j.root, "repaired", r->repaired);
	json_uint(&j, j.root, "modified", r->modified);
	json_uint(&j, j.root, "pointers", r->pointers);
	return json_print(&j);
}

/* Data that came back is writable; what is lockable and not locked must not be. */
static int set_modes(const struct repo *repo, const struct scan_list *l)
{
	struct strvec paths = STRVEC_INIT;
	int any = lockable_any(repo), rc = any < 0 ? any : 0;

	for (size_t i = 0; any > 0 && rc == 0 && i < l->n; i++)
		if (!l->v[i].skip_worktree && l->v[i].stage == 0)
			rc = strvec_push(&paths, l->v[i].path);
	if (any > 0 && rc == 0)
		rc = lockable_apply(repo, &paths);
	strvec_release(&paths);
	return rc < 0 ? rc : 0;
}

int checkout_run(struct command_ctx *ctx, const struct select *select,
	const struct restore_options *o, enum checkout_report report)
{
	struct scan_list list = SCAN_LIST_INIT;
	struct restore_result r = {0};
	struct pending_taken *journals = NULL;
	struct pointers *p = NULL;
	int rc = 0, ended;

	if (!select_limited(select)) /* before looking at the index */
		rc = pending_take(&journals, ctx->g->git_dir);
	if (rc == 0)
		rc = pointers_open(&p, &ctx->repo);
	if (rc == 0)
		rc = scan_index(&list, &ctx->repo, p, 1);
	pointers_close(p);
	if (rc == 0)
		rc = select_filter(select, &list);
	if (rc == 0)
		rc = select_all_found(select, &list);
	if (rc == 0)
		rc = restore_run(&ctx->repo, ctx->s, &list, o, &r);
	if (rc == 0)
		rc = set_modes(&ctx->repo, &list);
	if (rc == 0 && report == CHECKOUT_TEXT)
		print_summary(&r);
	else if (rc == 0 && report == CHECKOUT_JSON)
		rc = print_json(&r);
	ended = pending_taken_end(journals, rc == 0 && r.left == 0);
	if (rc == 0)
		rc = ended;
	if (rc == 0 && r.fetch_error != NULL)
		rc = err_set(ERR_REMOTE, "%s", r.fetch_error);
	if (rc == 0 && r.pointers > 0)
		rc = COMMAND_NO;
	restore_result_release(&r);
	scan_list_release(&list);
	return rc;
}

/* The one side that was asked for, 0: none; or COMMAND_USAGE. */
static int side_of(int base, int ours, int theirs, const char *to, int n)
{
	if (base + ours + theirs > 1)
		return command_usage("only one of --ours, --theirs and --base can be given");
	if (to != NULL && base + ours + theirs == 0)
		return command_usage("--to needs --ours, --theirs or --base");
	if (base + ours + theirs == 0)
		return 0;
	if (n == 0 || (to != NULL && n != 1))
		return command_usage(
			to != NULL ? "--to is for one path"
				   : "which path?  'git status' lists what is in conflict");
	return base ? CHECKOUT_BASE : ours ? CHECKOUT_OURS : CHECKOUT_THEIRS;
}

int cmd_checkout(struct command_ctx *ctx, int argc, char **argv)
{
	struct restore_options o = {.fetch = 1};
	struct select select = SELECT_INIT;
	const char *to = NULL;
	int as_json = 0, base = 0, ours = 0, theirs = 0, side, n, rc;
	const struct opt options[] = {{0, "ours", OPT_FLAG, &ours, NULL,
					      "of a merge conflict: our version of the path", 0},
		{0, "theirs", OPT_FLAG, &theirs, NULL, "their version", 0},
		{0, "base", OPT_FLAG, &base, NULL, "the version that both started from", 0},
		{0, "to", OPT_VALUE, &to, "<file>", "write that version to this file instead", 0},
		{'f', "force", OPT_FLAG, &o.force, NULL, "overwrite modified files, too", 0},
		{'r', "remote", OPT_VALUE, &o.remote, "<name>", "blob remote for what is not here",
			0},
		{'j', "jobs", OPT_INT, &o.jobs, "<n>", "how many files at once", 0},
		{0, "json", OPT_FLAG, &as_json, NULL, "print JSON", 0}, SELECT_OPTIONS(&select),
		OPT_END};

	if (command_options(&rc, argc, argv, options,
		    "git dvx checkout [<options>] [<path>...]\n"
		    "git dvx checkout (--ours | --theirs | --base) [--to <file>] <path>...",
		    0, &n))
		goto done;
	rc = side = side_of(base, ours, theirs, to, n);
	if (rc >= 0)
		rc = command_store(ctx);
	if (rc == 0)
		rc = transfer_remote_check(ctx, o.remote);
	if (rc == 0 && side > 0) {
		rc = checkout_side_run(
			ctx, &(struct checkout_side_request){side, to, o.remote, argv + 1, n});
		goto done;
	}
	if (rc == 0)
		rc = select_operands(&select, &ctx->repo, argv + 1, n, 0);
	if (rc == 0)
		rc = select_patterns(&select, &ctx->repo, 0);
	o.stop = command_stop();
	if (rc == 0)
		rc = checkout_run(ctx, &select, &o, as_json ? CHECKOUT_JSON : CHECKOUT_TEXT);
done:
	select_release(&select);
	return rc;
}
