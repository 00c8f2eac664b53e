/*
 * Where an upload's bytes come from: the local store, or a file that the client named.  Both are
 * hashed on the way.
 */
#ifndef TRANSFER_UPSOURCE_H
#define TRANSFER_UPSOURCE_H

#include "transfer/engine.h"

typedef int upsource_sink_fn(const void *p, size_t len, void *data);

/* Pass the object's bytes to `sink`; they are good only when this returns 0.  Errors name the
 * object; what `sink` returned comes back. */
int upsource_stream(
	struct engine *e, const struct transfer_object *o, upsource_sink_fn *sink, void *data);
/* Append a small object's bytes, checked. */
int upsource_read(struct engine *e, const struct transfer_object *o, struct buf *out);

#endif
