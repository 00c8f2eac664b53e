/*
 * `git lfs pointer`: the same as `git dvx pointer`, with Git LFS's exit statuses: 1, and with
 * --check 2 for what cannot be answered.
 */
#include <string.h>

#include "commands/lfs/lfs.h"
#include "lib/base/err.h"

int lfs_pointer(struct command_ctx *ctx, int argc, char **argv)
{
	int check = 0, strict = 0, no_strict = 0, rc;

	for (int i = 1; i < argc; i++) {
		check |= strcmp(argv[i], "--check") == 0;
		strict |= strcmp(argv[i], "--strict") == 0;
		no_strict |= strcmp(argv[i], "--no-strict") == 0;
	}
	if (check && strict && no_strict)
		return lfs_fail(LFS_FAILED, "Cannot combine --strict with --no-strict");
	rc = cmd_pointer(ctx, argc, argv);
	if (rc < 0 && rc != COMMAND_BAD_OPTION)
		return lfs_fail(check ? LFS_FAILED : COMMAND_NO, "%s", err_msg());
	return rc;
}
