/*
 * The run cache in push, fetch, pull and the pre-push hook: behind the objects, and told in a line.
 */
#include <stdio.h>
#include <string.h>

#include "commands/transfer.h"
#include "lib/base/err.h"
#include "lib/base/progress.h"
#include "lib/pipeline/runcache.h"

static int wanted_always(const struct command_ctx *ctx)
{
	const char *value = config_get(ctx->repo.config, "dvx.runcache");

	return value && strcmp(value, "push") == 0;
}

static void tell(FILE *to, const struct runcache_transfer *t, const char *done)
{
	char size[16];

	if (t->damaged)
		fprintf(stderr, "warning: %zu bundle%s of the run cache left out: %s\n", t->damaged,
			t->damaged == 1 ? " is" : "s are", t->why);
	if (t->entries)
		fprintf(to, "%zu run%s %s, %s\n", t->entries, t->entries == 1 ? "" : "s", done,
			progress_bytes(size, t->bytes));
}

int transfer_run_cache(const struct transfer *t, struct command_ctx *ctx)
{
	struct runcache_transfer r = {.remote = t->remote, .jobs = t->jobs, .stop = command_stop()};
	int push = t->direction == BATCH_UPLOAD, rc;

	if (t->dry_run || !(t->run_cache || (push && wanted_always(ctx))))
		return 0;
	rc = push ? runcache_push(&ctx->repo, ctx->s, &r) : runcache_fetch(&ctx->repo, &r);
	if (rc == ERR_UNSUPPORTED && !t->run_cache) /* only configured: this remote has none */
		return 0;
	if (rc == 0 && !t->json)
		tell(stdout, &r, push ? "pushed to the run cache" : "fetched of the run cache");
	return rc;
}

void transfer_push_run_cache(struct command_ctx *ctx, const char *git_remote)
{
	struct runcache_transfer r = {.git_remote = git_remote};
	int rc;

	if (!wanted_always(ctx))
		return;
	rc = command_store(ctx);
	if (rc == 0)
		rc = runcache_push(&ctx->repo, ctx->s, &r);
	if (rc == 0)
		tell(stderr, &r, "pushed to the run cache");
	else if (rc != ERR_UNSUPPORTED)
		fprintf(stderr, "warning: the run cache was not pushed: %s\n", err_msg());
	err_clear();
}

int transfer_fetch_run_cache(struct command_ctx *ctx)
{
	struct runcache_transfer r = {.stop = command_stop()};
	int rc = runcache_fetch(&ctx->repo, &r);

	if (rc == ERR_INTERRUPTED)
		return rc;
	tell(stderr, &r, "fetched of the run cache");
	if (rc < 0 && rc != ERR_UNSUPPORTED)
		fprintf(stderr, "warning: no run cache was fetched: %s\n", err_msg());
	err_clear();
	return 0;
}
