/*
 * Three-way merge of `dvx.lock`, stage by stage (docs/dvx-lock.md): whoever alone changed a stage
 * wins; a stage that both sides ran differently is left between conflict markers.  Pure.
 */
#ifndef LIB_PIPELINE_LOCKMERGE_H
#define LIB_PIPELINE_LOCKMERGE_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"

struct lockmerge_options {
	int marker_size;       /* 0: 7 */
	const char *labels[3]; /* base, ours, theirs */
};
/* `text` and `len`: base, ours, theirs; an empty text has no stages.  Append the merged file and
 * the names of the stages (and of keys that this version does not know) in conflict.  0;
 * ERR_INVALID: a side is no dvx.lock (the message says which), or would say something else where it
 * comes to stand. */
int lockmerge_run(struct buf *out, struct strvec *conflicts, const char *const text[3],
	const size_t len[3], const struct lockmerge_options *o);

#endif
