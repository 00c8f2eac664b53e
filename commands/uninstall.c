/*
 * `git dvx uninstall`: takes back what `git dvx install` did.  Tracked files and objects stay.
 */
#include <stdio.h>

#include "commands/command.h"
#include "commands/filter_config.h"
#include "hooks/install.h"

static int remove_hooks(const struct repo *repo)
{
	struct hooks_result r = HOOKS_RESULT_INIT;
	size_t i;
	int rc = hooks_uninstall(repo, &r);

	if (rc == 0 && r.removed)
		printf("Hooks removed.\n");
	for (i = 0; i < r.foreign.n; i++)
		fprintf(stderr, "warning: '%s' is not ours and still calls git-dvx; edit it\n",
			r.foreign.v[i]);
	hooks_result_release(&r);
	return rc;
}

int cmd_uninstall(struct command_ctx *ctx, int argc, char **argv)
{
	int local = 0, system = 0, worktree = 0, skip_repo = 0, n, status, rc;
	const char *scope = NULL;
	const struct opt table[] = {
		{'l', "local", OPT_FLAG, &local, NULL, "remove it from this repository only", 0},
		{'w', "worktree", OPT_FLAG, &worktree, NULL, "remove it from this worktree only",
			0},
		{0, "system", OPT_FLAG, &system, NULL, "remove it for all users", 0},
		{0, "skip-repo", OPT_FLAG, &skip_repo, NULL, "leave this repository's hooks alone",
			0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table, "git dvx uninstall [<options>]", 0, &n) !=
		0)
		return status;
	if (n)
		return command_usage("'git dvx uninstall' takes no arguments");
	if ((rc = filter_config_scope(&scope, local, system, worktree)) < 0 ||
		(rc = filter_config_unset(scope)) < 0)
		return rc;
	printf(rc ? "git-dvx was removed from the %s configuration.\n"
		  : "git-dvx was not set up in the %s configuration.\n",
		scope + 2);
	if (!ctx->g || skip_repo)
		return 0;
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	return remove_hooks(&ctx->repo);
}
