/*
 * How far into an object's extents its first bytes reach: where the download of a large object goes
 * on that was cut off.
 */
#ifndef TRANSFER_RESUME_H
#define TRANSFER_RESUME_H

#include "transfer/blob/extentreader.h"

struct resume_point {
	struct extent_place at; /* the entry to go on with; extent == n_extents: there is none */
	uint64_t bytes;		/* of the object that lie before it */
	uint64_t stored;	/* what they take up in the packs */
};

/* The last place where an entry ends and at most the first `have` bytes of the object lie before.
 * The lengths of entries are in the indexes of the packs, which are read (or in the local cache):
 * 2 KB for each MiB that need not be read again.  What cannot be told ends the way there.  0, or
 * ERR_INTERRUPTED, ERR_NOMEM. */
int resume_find(
	struct blobstore *b, const struct blob_hit *h, uint64_t have, struct resume_point *p);

#endif
