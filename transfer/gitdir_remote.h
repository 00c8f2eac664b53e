/*
 * A local Git repository as remote: the objects that it keeps itself (Git LFS's "lfs/objects", and
 * its packs), and the blob store in its "dvx" folder.
 */
#ifndef TRANSFER_GITDIR_REMOTE_H
#define TRANSFER_GITDIR_REMOTE_H

#include "transfer/engine.h"

/* As engine_run, for the open objects and e->spec of kind REMOTE_GITDIR. */
int gitdir_remote_run(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n);

#endif
