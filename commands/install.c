/*
 * `git dvx install`: the once-per-user part - Git's configuration learns the filter - and the hooks
 * of the repository it is run in, if any.
 */
#include <stdio.h>

#include "commands/command.h"
#include "commands/filter_config.h"
#include "commands/hooks_text.h"

int cmd_install(struct command_ctx *ctx, int argc, char **argv)
{
	int local = 0, system = 0, worktree = 0, force = 0, skip_repo = 0, n, status, rc;
	const char *scope = NULL;
	const struct opt table[] = {
		{'l', "local", OPT_FLAG, &local, NULL, "set it for this repository only", 0},
		{'w', "worktree", OPT_FLAG, &worktree, NULL, "set it for this worktree only", 0},
		{0, "system", OPT_FLAG, &system, NULL, "set it for all users", 0},
		{'f', "force", OPT_FLAG, &force, NULL, "replace other values and foreign hooks", 0},
		{0, "skip-repo", OPT_FLAG, &skip_repo, NULL, "leave this repository's hooks alone",
			0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table, "git dvx install [<options>]", 0, &n) != 0)
		return status;
	if (n)
		return command_usage("'git dvx install' takes no arguments");
	if ((rc = filter_config_scope(&scope, local, system, worktree)) < 0 ||
		(rc = filter_config_set(scope, force)) < 0)
		return rc;
	printf("git-dvx is set up in the %s configuration.\n", scope + 2);
	filter_config_check_path();
	if (!ctx->g || skip_repo)
		return 0;
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	return hooks_text_install(&ctx->repo, force, 0);
}
