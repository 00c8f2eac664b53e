/*
 * All objects of a transfer through the Batch API: several batches and several objects at a time.
 */
#ifndef TRANSFER_LFS_FLOW_H
#define TRANSFER_LFS_FLOW_H

#include "transfer/lfs/lfs_batch.h"

/* Answer all open objects; negative when the rest is not worth trying (no answer from the server,
 * no access, an answer that makes no sense). */
int lfs_flow_run(const struct lfs_asker *a, struct transfer_object *objects, size_t n);

#endif
