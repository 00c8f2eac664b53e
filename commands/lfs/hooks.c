/*
 * Git's hooks by Git LFS's names for them: `git lfs pre-push` and the like, which hooks that Git
 * LFS wrote call.  What they do is `git dvx hook`'s business.
 */
#include <stdio.h>

#include "commands/lfs/lfs.h"
#include "hooks/pre_push.h"
#include "lib/base/err.h"

static int not_by_git(const char *hook)
{
	printf("This should be run through Git's %s hook.  Run `git lfs update` to install it.\n",
		hook);
	return COMMAND_NO;
}

int lfs_pre_push(struct command_ctx *ctx, int argc, char **argv)
{
	int dry_run = 0, n, rc;
	const struct opt options[] = {
		{'d', "dry-run", OPT_FLAG, &dry_run, NULL, "send nothing", 0}, OPT_END};

	if (command_options(&rc, argc, argv, options,
		    "git lfs pre-push [--dry-run] <remote> [<url>]", 0, &n))
		return rc;
	if (n == 0)
		return not_by_git("pre-push");
	if (ctx->g == NULL)
		return lfs_fail(LFS_NO_REPOSITORY, "Not in a Git repository.");
	rc = command_repo(ctx);
	if (rc == 0 && !dry_run)
		rc = pre_push_run(&ctx->repo, argv[1], n > 1 ? argv[2] : argv[1]);
	if (rc < 0)
		lfs_fail(0, "error: %s", err_msg());
	return rc == 0 ? COMMAND_OK : LFS_FAILED;
}

/* The post-* hooks want at least so many arguments. */
static int post_hook(struct command_ctx *ctx, char *name, int wanted, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	char *hook_argv[] = {(char *)"hook", name, NULL, NULL, NULL, NULL};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git lfs post-<hook> [<argument>...]", 0, &n))
		return rc;
	if (n < wanted)
		return not_by_git(name);
	if (ctx->g == NULL)
		return COMMAND_OK;
	for (int i = 0; i < n && i < 3; i++)
		hook_argv[2 + i] = argv[1 + i];
	return cmd_hook(ctx, 2 + (n < 3 ? n : 3), hook_argv);
}

int lfs_post_checkout(struct command_ctx *ctx, int argc, char **argv)
{
	char name[] = "post-checkout";

	return post_hook(ctx, name, 3, argc, argv);
}

int lfs_post_commit(struct command_ctx *ctx, int argc, char **argv)
{
	char name[] = "post-commit";

	return post_hook(ctx, name, 0, argc, argv);
}

int lfs_post_merge(struct command_ctx *ctx, int argc, char **argv)
{
	char name[] = "post-merge";

	return post_hook(ctx, name, 1, argc, argv);
}
