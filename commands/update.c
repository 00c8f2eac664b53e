/*
 * `git dvx update`: (re)installs the hooks of this repository (Git LFS's word for it).
 */
#include "commands/command.h"
#include "commands/filter_config.h"
#include "commands/hooks_text.h"
#include "hooks/install.h"

int cmd_update(struct command_ctx *ctx, int argc, char **argv)
{
	int force = 0, manual = 0, n, status, rc;
	const struct opt table[] = {
		{'f', "force", OPT_FLAG, &force, NULL,
			"replace foreign hooks (the old one is kept as <name>.old)", 0},
		{'m', "manual", OPT_FLAG, &manual, NULL, "print the lines for hooks of your own",
			0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table, "git dvx update [<options>]", 0, &n) != 0)
		return status;
	if (n)
		return command_usage("'git dvx update' takes no arguments");
	if (manual)
		return hooks_text_manual();
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	return hooks_text_install(&ctx->repo,
		(force ? HOOKS_FORCE : 0) |
			(filter_config_owns_lfs(ctx->c) ? HOOKS_REPLACE_LFS : 0),
		0);
}
