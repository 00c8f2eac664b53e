/*
 * `git dvx help`: the list of commands, or one command's man page (its `-h` where no man page is
 * installed).
 */
#include <stdio.h>
#include <unistd.h>

#include "commands/command.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

static void print_list(int all)
{
	size_t n;
	const struct command *table = command_table(&n);

	puts("usage: git dvx <command> [<options>] [<arguments>]\n");
	for (size_t i = 0; i < n; i++)
		if (all || !(table[i].flags & COMMAND_HIDDEN))
			printf("   %-16s %s\n", table[i].name, table[i].summary);
	puts("\n'git dvx <command> -h' lists the options of one, 'git dvx help <command>' explains "
	     "it.");
	puts("Data also follows plain git: add, commit, push, clone, checkout.");
}

/* 0 when man showed the page. */
static int show_man_page(const char *name)
{
	struct run r = RUN_INIT;
	int rc;

	r.err = RUN_NULL;
	rc = strvec_push(&r.argv, "man");
	if (rc == 0)
		rc = strvec_pushf(&r.argv, "git-dvx-%s", name);
	if (rc == 0)
		rc = run_start(&r);
	if (rc == 0)
		rc = run_finish(&r);
	run_release(&r);
	err_clear();
	return rc;
}

int cmd_help(struct command_ctx *ctx, int argc, char **argv)
{
	int all = 0, n, rc;
	char dash_h[] = "-h";
	const struct opt options[] = {{'a', "all", OPT_FLAG, &all, NULL,
					      "list also the commands that Git calls by itself", 0},
		OPT_END};
	const struct command *cmd;

	if (command_options(&rc, argc, argv, options, "git dvx help [-a] [<command>]", 0, &n))
		return rc;
	if (n == 0) {
		print_list(all);
		return COMMAND_OK;
	}
	if (n > 1)
		return command_usage("one command at a time; see 'git dvx help'");
	cmd = command_find(argv[1]);
	if (cmd == NULL)
		return command_usage("'%s' is not a git-dvx command; see 'git dvx help'", argv[1]);
	if (isatty(STDOUT_FILENO) && show_man_page(cmd->name) == 0)
		return COMMAND_OK;
	char *help_argv[] = {argv[1], dash_h, NULL};
	return cmd->fn(ctx, 2, help_argv);
}
