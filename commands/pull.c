/*
 * `git dvx pull`: fetch, then checkout.  What can be had is placed even when something else cannot.
 */
#include <stdlib.h>
#include <string.h>

#include "commands/checkout.h"
#include "commands/transfer.h"
#include "lib/base/err.h"

int cmd_pull(struct command_ctx *ctx, int argc, char **argv)
{
	struct transfer t = {.direction = BATCH_DOWNLOAD};
	struct restore_options o = {.fetch = 1};
	const struct opt options[] = {TRANSFER_OPTIONS(&t),
		{'f', "force", OPT_FLAG, &o.force, NULL, "overwrite modified files, too", 0},
		OPT_END};
	int n, rc, placed;
	char *first_error = NULL;

	if (command_options(&rc, argc, argv, options,
		    "git dvx pull [<options>] [<revision>...] [<path>...]", 0, &n))
		goto done;
	rc = transfer_prepare(&t, ctx, argv + 1, n);
	if (rc < 0)
		goto done;
	o.remote = t.remote;
	o.jobs = t.jobs;
	o.stop = command_stop();
	if (t.tags || t.branches || t.commits || t.select.revs.n > 0 || t.dry_run || t.json) {
		rc = transfer_objects(&t, ctx); /* other versions: into the store only */
		o.fetch = t.select.revs.n > 0;	/* else what is checked out was among them */
	}
	if (t.dry_run || rc == ERR_INTERRUPTED)
		goto done;
	if (rc == 0)
		rc = transfer_run_cache(&t, ctx);
	if (rc < 0)
		first_error = strdup(err_msg());
	placed = checkout_run(ctx, &t.select, &o, t.json ? CHECKOUT_SILENT : CHECKOUT_TEXT);
	if (rc == 0)
		rc = placed;
	else if (first_error != NULL)
		rc = err_set(rc, "%s", first_error);
done:
	if (rc == ERR_INTERRUPTED)
		err_set(rc, TRANSFER_INTERRUPTED);
	free(first_error);
	transfer_release(&t);
	return rc;
}
