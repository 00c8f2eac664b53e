/*
 * Object servers: whoever keeps whole objects by their SHA-256 - a Git LFS server by HTTPS (Batch
 * API) or SSH (git-lfs-transfer), or a custom transfer agent.  The engine's way to all of them.
 */
#ifndef TRANSFER_LFS_REMOTE_H
#define TRANSFER_LFS_REMOTE_H

#include "transfer/engine.h"

/* Answer all open objects, or fail as a whole (some may be answered).  e->spec is of kind
 * REMOTE_LFS. In this order: the endpoint's standalone agent, git-lfs-transfer over SSH, the Batch
 * API. */
int lfs_remote_run(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n);

#endif
