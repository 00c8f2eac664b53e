/*
 * `git dvx install`: the once-per-user part - Git's configuration learns the filter - and the hooks
 * of the repository it is run in, if any.
 */
#include <stdio.h>

#include "commands/command.h"
#include "commands/filter_config.h"
#include "commands/hooks_text.h"
#include "hooks/install.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

struct install {
	int local, system, worktree, force, lfs, skip_smudge, skip_repo, manual;
	const char *file;
};

/* Repositories of Git LFS work where there is no Git LFS. */
static int is_lfs_free(struct command_ctx *ctx)
{
	struct buf program = BUF_INIT;
	int is_free = command_config(ctx) == 0 && !config_get(ctx->c, "filter.lfs.clean") &&
		      !config_get(ctx->c, "filter.lfs.process") &&
		      run_resolve(&program, "git-lfs") == ERR_NOTFOUND;

	err_clear();
	buf_release(&program);
	return is_free;
}

static int configure(const struct install *o, struct command_ctx *ctx)
{
	struct buf scope = BUF_INIT;
	int lfs = o->lfs || is_lfs_free(ctx);
	int flags = FILTER_CONFIG_DVX | (lfs ? FILTER_CONFIG_LFS : 0) |
		    (o->skip_smudge ? FILTER_CONFIG_SKIP_SMUDGE : 0) |
		    (o->force ? FILTER_CONFIG_FORCE : 0);
	int rc = filter_config_scope(&scope, o->local, o->system, o->worktree, o->file);

	if (rc == 0)
		rc = filter_config_set(scope.p, flags);
	if (rc == 0)
		printf("git-dvx is set up in the %s configuration%s.\n", scope.p + 2,
			lfs && !o->lfs ? ", also for filter=lfs, since there is no Git LFS" : "");
	buf_release(&scope);
	return rc;
}

int cmd_install(struct command_ctx *ctx, int argc, char **argv)
{
	struct install o = {0};
	const struct opt table[] = {
		{'l', "local", OPT_FLAG, &o.local, NULL, "set it for this repository only", 0},
		{'w', "worktree", OPT_FLAG, &o.worktree, NULL, "set it for this worktree only", 0},
		{0, "system", OPT_FLAG, &o.system, NULL, "set it for all users", 0},
		{0, "file", OPT_VALUE, &o.file, "<file>", "set it in this file", 0},
		{'f', "force", OPT_FLAG, &o.force, NULL, "replace other values and foreign hooks",
			0},
		{0, "lfs", OPT_FLAG, &o.lfs, NULL,
			"take over filter=lfs from Git LFS, and its hooks", 0},
		{'s', "skip-smudge", OPT_FLAG, &o.skip_smudge, NULL,
			"leave pointers in the work tree until 'git dvx pull'", 0},
		{'m', "manual", OPT_FLAG, &o.manual, NULL,
			"print the lines for hooks of your own, install none", 0},
		{0, "skip-repo", OPT_FLAG, &o.skip_repo, NULL,
			"leave this repository's hooks alone", 0},
		OPT_END,
	};
	int n, status, rc;

	if (command_options(&status, argc, argv, table, "git dvx install [<options>]", 0, &n) != 0)
		return status;
	if (n)
		return command_usage("'git dvx install' takes no arguments");
	if ((rc = configure(&o, ctx)) < 0)
		return rc;
	filter_config_check_path();
	if (o.manual)
		return hooks_text_manual();
	if (!ctx->g || o.skip_repo)
		return 0;
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	return hooks_text_install(
		&ctx->repo, (o.force ? HOOKS_FORCE : 0) | (o.lfs ? HOOKS_REPLACE_LFS : 0), 0);
}
