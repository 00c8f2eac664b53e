/*
 * `git dvx push`: bring objects to the blob remote.  (`git push` does it by itself,
 * hooks/pre_push.c.)
 */
#include "commands/transfer.h"

int cmd_push(struct command_ctx *ctx, int argc, char **argv)
{
	struct transfer t = {.direction = BATCH_UPLOAD};
	const struct opt options[] = {TRANSFER_OPTIONS(&t), OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx push [<options>] [<revision>...] [<path>...]", 0, &n))
		goto done;
	rc = transfer_prepare(&t, ctx, argv + 1, n);
	if (rc == 0)
		rc = transfer_objects(&t, ctx);
done:
	transfer_release(&t);
	return rc;
}
