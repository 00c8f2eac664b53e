/*
 * Running custom transfer agents (Git LFS's docs/custom-transfers.md; docs/lfs-client.md,
 * "Agents"): programs of the user's that move objects, spoken to in JSON lines.  Only the user's
 * own configuration names them (lfs.customtransfer.<name>.path, .args, .concurrent, .direction),
 * they are started by argument vector.
 */
#ifndef TRANSFER_LFS_CUSTOM_H
#define TRANSFER_LFS_CUSTOM_H

#include "lib/setup/lfs_endpoint.h"
#include "lib/wire/lfsjson.h"
#include "transfer/engine.h"

/* Append the names of the agents that are configured for this direction. */
int lfs_custom_names(struct strvec *out, const struct config *c, enum lfs_operation op);

struct lfs_custom_options {
	const char *name;
	const struct lfs_endpoint *endpoint;
};

/* Have an agent move all open objects and answer for each.  `actions` (may be NULL: standalone) has
 * the server's answer for each object, in the same order; objects whose answer has no action of
 * this direction are left open.  After an upload, `verify` actions are the caller's affair.  0;
 * negative when the agent could not do its work at all. */
int lfs_custom_run(struct engine *e, enum engine_direction d, struct transfer_object *objects,
	const struct lfs_batch_object *actions, size_t n, const struct lfs_custom_options *o);

#endif
