/*
 * `git dvx hook <name>`: what the stubs in the hooks directory call.  The post-* hooks run after
 * every commit and checkout, so they look first whether there is anything to do - an abandoned
 * journal, lockable files -, and never fail the command that they follow.
 */
#include <stdio.h>
#include <string.h>

#include "commands/transfer.h"
#include "hooks/post.h"
#include "hooks/pre_commit.h"
#include "hooks/pre_push.h"
#include "lib/base/err.h"
#include "lib/repo/conflicts.h"
#include "lib/worktree/pending.h"

/* pre-commit and pre-push stop Git with 1, whatever the reason. */
static int refuse(int rc)
{
	if (rc < 0)
		fprintf(stderr, "error: %s\n", err_msg());
	return rc == 0 ? COMMAND_OK : COMMAND_NO;
}

static int hook_pre_commit(struct command_ctx *ctx, const char *name, int n, char **v)
{
	int rc = command_store(ctx);

	(void)name;
	(void)n;
	(void)v;
	return refuse(rc == 0 ? pre_commit_run(&ctx->repo, ctx->s) : rc);
}

static int hook_pre_push(struct command_ctx *ctx, const char *name, int n, char **v)
{
	int rc;

	(void)name;
	if (n != 2)
		return command_usage("usage: git dvx hook pre-push <remote> <url>");
	rc = command_repo(ctx);
	if (rc == 0)
		rc = pre_push_run(&ctx->repo, v[0], v[1]);
	if (rc == 0)
		transfer_push_run_cache(ctx, strcmp(v[0], v[1]) == 0 ? NULL : v[0]);
	return refuse(rc);
}

static int place_pending(struct command_ctx *ctx)
{
	int rc = pending_any(ctx->g->git_dir) > 0 ? command_store(ctx) : 1;

	return rc == 0 ? post_run(&ctx->repo, ctx->s) : rc < 0 ? rc : 0;
}

static int hook_post(struct command_ctx *ctx, const char *name, int n, char **v)
{
	int rc;

	if (ctx->g->worktree == NULL)
		return COMMAND_OK;
	rc = place_pending(ctx);
	if (rc < 0)
		fprintf(stderr, "warning: %s; 'git dvx checkout' tries again\n", err_msg());
	rc = command_repo(ctx);
	if (rc == 0 && conflicts_tidy(&ctx->repo) < 0)
		fprintf(stderr, "warning: %s\n", err_msg());
	if (rc == 0)
		rc = post_modes(&ctx->repo, name, v, n);
	if (rc < 0)
		fprintf(stderr, "warning: modes of lockable files: %s\n", err_msg());
	return COMMAND_OK;
}

static const struct {
	const char *name;
	int (*fn)(struct command_ctx *ctx, const char *name, int n, char **v);
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
			return hooks[i].fn(ctx, hooks[i].name, n - 1, argv + 2);
	return command_usage("unknown hook '%s'", argv[1]);
}
