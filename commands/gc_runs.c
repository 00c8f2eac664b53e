/*
 * What `git dvx gc` does for pipelines: objects that dvx.lock names stay, entries of the run cache
 * without theirs go.
 */
#include "commands/gc.h"

#include "lib/pipeline/runcache.h"

static int add_item(const struct oid *oid, uint64_t size, const char *path, void *data)
{
	return scan_list_add(data,
		&(struct scan_item){.oid = *oid, .size = size, .path = path, .mode = 0100644});
}

int gc_keep_locked(struct command_ctx *ctx, struct scan_list *l)
{
	return runcache_each_locked(&ctx->repo, ctx->s, add_item, l);
}

int gc_runs(const struct gc *gc, int64_t older_than, size_t *removed)
{
	*removed = 0;
	if (gc->no_prune || gc->dry_run)
		return 0;
	return runcache_gc(&gc->ctx->repo, gc->ctx->s, older_than, removed);
}
