/*
 * `git dvx hook <name>`: what the stubs in the hooks directory call.  The post-* hooks run after
 * every commit and checkout, so they look for an abandoned journal before anything else, and never
 * fail the command that they follow.
 */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "hooks/post.h"
#include "hooks/pre_commit.h"
#include "hooks/pre_push.h"
#include "lib/base/err.h"
#include "lib/worktree/pending.h"

/* pre-commit and pre-push stop Git with 1, whatever the reason. */
static int refuse(int rc)
{
	if (rc < 0)
		fprintf(stderr, "error: %s\n", err_msg());
	return rc == 0 ? COMMAND_OK : COMMAND_NO;
}

static int hook_pre_commit(struct command_ctx *ctx, int n, char **v)
{
	int rc = command_store(ctx);

	(void)n;
	(void)v;
	return refuse(rc == 0 ? pre_commit_run(&ctx->repo, ctx->s) : rc);
}

static int hook_pre_push(struct command_ctx *ctx, int n, char **v)
{
	int rc;

	if (n != 2)
		return command_usage("usage: git dvx hook pre-push <remote> <url>");
	rc = command_repo(ctx);
	return refuse(rc == 0 ? pre_push_run(&ctx->repo, v[0], v[1]) : rc);
}

static int hook_post(struct command_ctx *ctx, int n, char **v)
{
	int rc = 0;

	(void)n;
	(void)v;
	if (ctx->g->worktree == NULL || pending_any(ctx->g->git_dir) <= 0)
		return COMMAND_OK;
	rc = command_store(ctx);
	if (rc == 0)
		rc = post_run(&ctx->repo, ctx->s);
	if (rc < 0)
		fprintf(stderr, "warning: %s; 'git dvx checkout' tries again\n", err_msg());
	return COMMAND_OK;
}

static const struct {
	const char *name;
	int (*fn)(struct command_ctx *ctx, int n, char **v);
} hooks[] = {
	{"pre-commit", hook_pre_commit},
	{"pre-push", hook_pre_push},
	{"post-checkout", hook_post},
	{"post-commit", hook_post},
	{"post-merge", hook_post},
};

int cmd_hook(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git dvx hook <name> [<argument>...]",
		    OPT_STOP_AT_OPERAND, &n))
		return rc;
	if (n == 0)
		return command_usage("which hook?  see 'git dvx help hook'");
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (strcmp(hooks[i].name, argv[1]) == 0)
			return hooks[i].fn(ctx, n - 1, argv + 2);
	return command_usage("unknown hook '%s'", argv[1]);
}
