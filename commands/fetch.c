/*
 * `git dvx fetch`: bring objects from the blob remote into the local store; the work tree is not
 * touched.
 */
#include "commands/transfer.h"

int cmd_fetch(struct command_ctx *ctx, int argc, char **argv)
{
	struct transfer t = {.direction = BATCH_DOWNLOAD};
	const struct opt options[] = {TRANSFER_OPTIONS(&t), OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx fetch [<options>] [<revision>...] [<path>...]", 0, &n))
		goto done;
	rc = transfer_prepare(&t, ctx, argv + 1, n);
	if (rc == 0)
		rc = transfer_objects(&t, ctx);
done:
	transfer_release(&t);
	return rc;
}
