/*
 * The steps that gc and a tidying push share: notices come, are acted on, and go
 * (docs/remote-gc.md).
 */
#ifndef TRANSFER_REMOVAL_H
#define TRANSFER_REMOVAL_H

#include "transfer/blob/blobstore.h"

/* Was it written more than `seconds` before the listing?  0 seconds: always. */
int removal_older(const struct listing *l, int64_t mtime, int64_t seconds);
/* May removing still be begun, `begun` (listing_clock) being when the run did?  A quarter of the
 * grace period. */
int removal_in_time(int64_t grace, int64_t begun);
/* Is the time over when it may be acted on, and is it there still?  1, 0 or an error. */
int removal_is_due(struct blobstore *b, int64_t grace, const struct listed_notice *n);

/* Put a notice with these names, if there are any. */
int removal_put_notice(struct blobstore *b, const struct notice *n);
/* Remove blobs, several at once; durable on return. */
int removal_remove(struct blobstore *b, enum remote_class c, const struct oid *names, size_t n);
/* Remove notices that were spent long enough ago, and what said so. */
int removal_retire(struct blobstore *b, int64_t grace);

/* Where do the objects of `f` lie in `in`: 1 if this one is there at the same place. */
int removal_same_place(const struct fragment *f, const struct fragment_object *o,
	const struct fragment *in, const struct fragment_object *other);

#endif
