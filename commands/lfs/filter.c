/*
 * `git lfs clean`, `smudge` and `filter-process`, for configurations that Git LFS wrote: the work
 * is git-dvx-filter's.  It is waited for, because Git LFS's exit statuses are others.
 */
#include <stdlib.h>

#include "commands/lfs/lfs.h"
#include "lib/base/run.h"

/* Run "git-dvx-filter <verb> [-- <path>]". */
static int run_filter(const char *verb, int n, char **operands)
{
	struct run r = RUN_INIT;
	struct buf program = BUF_INIT;
	int rc = run_resolve_sibling(&program, "git-dvx-filter");

	if (rc == 0)
		rc = strvec_pushl(&r.argv, program.p, verb, NULL);
	if (rc == 0 && n > 0)
		rc = strvec_pushl(&r.argv, "--", operands[0], NULL);
	if (rc == 0)
		rc = run_start(&r);
	if (rc == 0)
		rc = run_finish(&r);
	run_release(&r);
	buf_release(&program);
	return rc == COMMAND_FAILED ? LFS_FAILED : rc;
}

int lfs_clean(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	int n, rc;

	(void)ctx;
	if (command_options(&rc, argc, argv, options, "git lfs clean [<path>]", 0, &n))
		return rc;
	return run_filter("clean", n, argv + 1);
}

int lfs_smudge(struct command_ctx *ctx, int argc, char **argv)
{
	int skip = 0, n, rc;
	const struct opt options[] = {
		{'s', "skip", OPT_FLAG, &skip, NULL, "pass the pointer through", 0}, OPT_END};

	(void)ctx;
	if (command_options(&rc, argc, argv, options, "git lfs smudge [--skip] [<path>]", 0, &n))
		return rc;
	if (skip)
		setenv("GIT_LFS_SKIP_SMUDGE", "1", 1);
	return run_filter("smudge", n, argv + 1);
}

int lfs_filter_process(struct command_ctx *ctx, int argc, char **argv)
{
	int skip = 0, n, rc;
	const struct opt options[] = {
		{'s', "skip", OPT_FLAG, &skip, NULL, "leave pointers in the work tree", 0},
		OPT_END};

	(void)ctx;
	if (command_options(&rc, argc, argv, options, "git lfs filter-process [--skip]", 0, &n))
		return rc;
	if (skip)
		setenv("GIT_LFS_SKIP_SMUDGE", "1", 1);
	return run_filter("filter-process", 0, NULL);
}
