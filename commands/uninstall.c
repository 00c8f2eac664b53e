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
	int rc = hooks_uninstall(repo, 0, &r);

	if (rc == 0 && r.removed)
		printf("Hooks removed.\n");
	for (i = 0; i < r.foreign.n; i++)
		fprintf(stderr, "warning: '%s' is not ours and still calls git-dvx; edit it\n",
			r.foreign.v[i]);
	hooks_result_release(&r);
	return rc;
}

static int unconfigure(int local, int system, int worktree, const char *file)
{
	struct buf scope = BUF_INIT;
	int rc = filter_config_scope(&scope, local, system, worktree, file);

	if (rc == 0)
		rc = filter_config_unset(scope.p, FILTER_CONFIG_DVX | FILTER_CONFIG_LFS);
	if (rc >= 0)
		printf(rc ? "git-dvx was removed from the %s configuration.\n"
			  : "git-dvx was not set up in the %s configuration.\n",
			scope.p + 2);
	buf_release(&scope);
	return rc < 0 ? rc : 0;
}

int cmd_uninstall(struct command_ctx *ctx, int argc, char **argv)
{
	int local = 0, system = 0, worktree = 0, skip_repo = 0, n, status, rc;
	const char *file = NULL;
	const struct opt table[] = {
		{'l', "local", OPT_FLAG, &local, NULL, "remove it from this repository only", 0},
		{'w', "worktree", OPT_FLAG, &worktree, NULL, "remove it from this worktree only",
			0},
		{0, "system", OPT_FLAG, &system, NULL, "remove it for all users", 0},
		{0, "file", OPT_VALUE, &file, "<file>", "remove it from this file", 0},
		{0, "skip-repo", OPT_FLAG, &skip_repo, NULL, "leave this repository's hooks alone",
			0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table, "git dvx uninstall [<options>]", 0, &n) !=
		0)
		return status;
	if (n)
		return command_usage("'git dvx uninstall' takes no arguments");
	if ((rc = unconfigure(local, system, worktree, file)) < 0)
		return rc;
	if (!ctx->g || skip_repo)
		return 0;
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	return remove_hooks(&ctx->repo);
}
