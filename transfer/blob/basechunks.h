/*
 * The chunks of an older version of an object, in their order, from the fragments and pack indexes
 * of the blob store: what transfer/blob/cutter.h cuts along.
 */
#ifndef TRANSFER_BASECHUNKS_H
#define TRANSFER_BASECHUNKS_H

#include "transfer/blob/blobstore.h"
#include "transfer/blob/cutter.h"

struct basechunks;

/* For one thread.  `b` borrowed, its fragments loaded. */
int basechunks_new(struct basechunks **out, struct blobstore *b);
void basechunks_free(struct basechunks *s);

/* Replace what is in `out` by the chunks of `base`.  Best effort: what the store does not name or
 * cannot be read is left out, it only costs bytes. */
void basechunks_read(struct basechunks *s, const struct oid *base, struct cutter_base *out);

#endif
