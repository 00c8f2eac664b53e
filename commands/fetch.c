/*
 * `git dvx fetch`: bring objects from the blob remote into the local store; the work tree is not
 * touched.
 */
#include "commands/transfer.h"

int cmd_fetch(struct command_ctx *ctx, int argc, char **argv)
{
	struct transfer t = {.direction = BATCH_DOWNLOAD};
	const struct opt options[] = {TRANSFER_OPTIONS(&t), OPT_END};
	struct scan_list list = SCAN_LIST_INIT;
	struct sync sync = SYNC_INIT;
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx fetch [<options>] [<revision>...] [<path>...]", 0, &n))
		goto done;
	rc = transfer_prepare(&t, ctx, argv + 1, n);
	if (rc == 0)
		rc = transfer_scan(&t, ctx, &list);
	if (rc == 0)
		rc = transfer_run(&t, ctx, &list, &sync);
	if (rc == 0)
		rc = transfer_report(&t, &sync);
done:
	sync_release(&sync);
	scan_list_release(&list);
	transfer_release(&t);
	return rc;
}
