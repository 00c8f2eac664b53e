/*
 * `git dvx run`: a stage is written into dvx.yaml and run at once, as DVC's `run` did it; the
 * spellings of its old tutorials are accepted.
 */
#include "commands/command.h"
#include "commands/stage_options.h"

int cmd_run(struct command_ctx *ctx, int argc, char **argv)
{
	struct stage_command c = {.run = 1};
	int no_exec = 0, n, status, rc;
	const struct opt table[] = {
		STAGE_OPTIONS(&c, 0),
		{'f', "file", OPT_VALUE, &c.old_file, "<name>.dvc",
			"name of the stage, as DVC 0.x has it", 0},
		{0, "no-exec", OPT_FLAG, &no_exec, NULL, "do not run it", 0},
		REPRODUCE_OPTIONS(&c.r, 0),
		{'c', "cwd", OPT_VALUE, &c.spec.wdir, NULL, NULL, 0},
		{'y', "yes", OPT_FLAG, &c.force, NULL, NULL, 0},
		{0, "overwrite-dvcfile", OPT_FLAG, &c.force, NULL, NULL, 0},
		{0, "overwrite", OPT_FLAG, &c.force, NULL, NULL, 0},
		{0, "ignore-build-cache", OPT_FLAG, &c.r.no_run_cache, NULL, NULL, 0},
		{0, "remove-outs", OPT_FLAG, &c.accepted, NULL, NULL, 0},
		OPT_END,
	};

	if (command_options(&status, argc, argv, table,
		    "git dvx run [<options>] <command> [<argument>...]", OPT_STOP_AT_OPERAND,
		    &n) != 0)
		return status;
	c.run = !no_exec;
	rc = stage_command_do(&c, ctx, argv + 1, (size_t)n);
	stage_command_release(&c);
	return rc;
}
