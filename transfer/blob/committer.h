/*
 * Commits finished packs in the background: flushing 64 MiB takes long, and the next pack can be
 * built meanwhile.
 */
#ifndef TRANSFER_COMMITTER_H
#define TRANSFER_COMMITTER_H

#include "transfer/blob/blobstore.h"

struct committer;

/* Threads that commit to `b` (borrowed).  0, or ERR_NOMEM: also when no thread can be started. */
int committer_new(struct committer **out, struct blobstore *b);
/* Commit this put (taken over in every case), then note `tail` (index and trailer, emptied) in the
 * local cache as sent.  Waits when too many are under way. 0, or the error of an earlier one. */
int committer_add(struct committer *c, struct remote_put *put, const struct oid *name,
	uint64_t size, struct buf *tail);
/* Wait for all.  0 when all are durable, else the first error. */
int committer_wait(struct committer *c);
/* Waits, then frees. */
void committer_free(struct committer *c);

#endif
