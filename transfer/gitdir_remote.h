/*
 * A local Git repository as remote: the objects that it keeps itself (Git LFS's "lfs/objects", and
 * its packs), and the blob store in its "dvx" folder.
 */
#ifndef TRANSFER_GITDIR_REMOTE_H
#define TRANSFER_GITDIR_REMOTE_H

#include "lib/store/store_gc.h"
#include "transfer/engine.h"
#include "transfer/remote/remote.h"

/* As engine_run, for the open objects and e->spec of kind REMOTE_GITDIR. */
int gitdir_remote_run(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n);

/* What the repository of e->spec keeps itself. */
int gitdir_remote_measure(struct engine *e, struct store_size *out);
/* The blob store in its "dvx" folder: 0 and *out, 1 when it has none, or a negative error. */
int gitdir_remote_blobs(struct engine *e, struct remote **out);

/* What the repository keeps itself, for whoever asks often: opened as e->spec says (`e` is borrowed
 * for its life). */
struct gitdir_own;
int gitdir_own_open(struct gitdir_own **out, struct engine *e);
void gitdir_own_close(struct gitdir_own *o);
/* 1 and *size if the object is there, else 0. */
int gitdir_own_find(struct gitdir_own *o, const struct oid *oid, uint64_t *size);

#endif
