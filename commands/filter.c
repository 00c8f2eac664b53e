/*
 * `git dvx clean`, `smudge` and `filter-process`: for those who call them by hand or have them in
 * their configuration.  The work is git-dvx-filter's, which Git starts directly because it starts
 * faster; this process becomes it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "commands/command.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

/* Become "git-dvx-filter <args>"; returns only on failure. */
static int become_filter(const struct strvec *args)
{
	struct buf program = BUF_INIT;
	int rc = run_resolve_sibling(&program, "git-dvx-filter");

	if (rc == 0) {
		execv(buf_str(&program), args->v);
		rc = err_sys("cannot run '%s'", buf_str(&program));
	}
	buf_release(&program);
	return rc;
}

/* clean and smudge: one optional path, for messages and attributes. */
static int one_file(const char *name, int argc, char **argv, const struct opt *options,
	const char *usage, const int *skip)
{
	struct strvec args = STRVEC_INIT;
	int n, rc;

	if (command_options(&rc, argc, argv, options, usage, 0, &n))
		return rc;
	if (n > 1)
		return command_usage("one path at most; see 'git dvx %s -h'", name);
	if (skip != NULL && *skip)
		setenv("GIT_LFS_SKIP_SMUDGE", "1", 1);
	rc = strvec_pushl(&args, "git-dvx-filter", name, NULL);
	if (rc == 0 && n == 1)
		rc = strvec_pushl(&args, "--", argv[1], NULL);
	if (rc == 0)
		rc = become_filter(&args);
	strvec_release(&args);
	return rc;
}

int cmd_clean(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};

	(void)ctx;
	return one_file(
		"clean", argc, argv, options, "git dvx clean [--] [<path>] <data >pointer", NULL);
}

int cmd_smudge(struct command_ctx *ctx, int argc, char **argv)
{
	int skip = 0;
	const struct opt options[] = {
		{'s', "skip", OPT_FLAG, &skip, NULL, "pass the pointer through, fetch nothing", 0},
		OPT_END};

	(void)ctx;
	return one_file("smudge", argc, argv, options,
		"git dvx smudge [-s] [--] [<path>] <pointer >data", &skip);
}

int cmd_filter_process(struct command_ctx *ctx, int argc, char **argv)
{
	int skip = 0, n, rc;
	struct strvec args = STRVEC_INIT;
	const struct opt options[] = {{'s', "skip", OPT_FLAG, &skip, NULL,
					      "leave pointers in the work tree, fetch nothing", 0},
		OPT_END};

	(void)ctx;
	if (command_options(&rc, argc, argv, options, "git dvx filter-process [-s]", 0, &n))
		return rc;
	if (n > 0)
		return command_usage("'git dvx filter-process' takes no arguments");
	if (skip)
		setenv("GIT_LFS_SKIP_SMUDGE", "1", 1);
	rc = strvec_push(&args, "git-dvx-filter");
	if (rc == 0)
		rc = become_filter(&args);
	strvec_release(&args);
	return rc;
}
