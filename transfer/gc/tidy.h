/*
 * What an ordinary push does for a blob store, without knowing anything of Git: fragments do not
 * become more and more (docs/remote-gc.md, "What an ordinary push does").
 */
#ifndef TRANSFER_TIDY_H
#define TRANSFER_TIDY_H

#include "transfer/blob/blobstore.h"

/* Merge small fragments and remove what merges left, if it is time to.  `b` is as a push that put
 * something loaded it.  A bounded number of requests; failures are nobody's business. */
void tidy_after_push(struct blobstore *b);

#endif
