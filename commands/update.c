/*
 * `git dvx update`: (re)installs the hooks of this repository (Git LFS's word for it).
 */
#include <stdio.h>

#include "commands/command.h"
#include "commands/hooks_text.h"
#include "hooks/install.h"
#include "lib/base/buf.h"

/* Print what to write into hooks of one's own. */
static int print_manual(void)
{
	struct buf text = BUF_INIT;
	const char *const *name;
	int rc = 0;

	for (name = hooks_names; *name && rc == 0; name++) {
		buf_reset(&text);
		if ((rc = hooks_chain_text(&text, *name)) == 0)
			printf("Add to the hook '%s':\n%s\n", *name, text.p);
	}
	buf_release(&text);
	return rc;
}

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
		return print_manual();
	if ((rc = command_repo(ctx)) < 0)
		return rc;
	return hooks_text_install(&ctx->repo, force, 0);
}
