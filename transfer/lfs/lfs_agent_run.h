/*
 * Objects that the server wants moved by a custom transfer agent instead of by HTTP.
 */
#ifndef TRANSFER_LFS_AGENT_RUN_H
#define TRANSFER_LFS_AGENT_RUN_H

#include "transfer/lfs/lfs_batch.h"

/* Answer for all of these (open) objects: `answers` names the agent.  Negative: the agent cannot do
 * its work at all. */
int lfs_agent_run(const struct lfs_asker *a, struct transfer_object *const *objects,
	struct lfs_batch *answers, size_t n);

#endif
