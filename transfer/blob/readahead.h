/*
 * Ranges of packs, read ahead and handed out in order: what keeps a remote that answers slowly busy
 * while one large object is being written.
 */
#ifndef TRANSFER_READAHEAD_H
#define TRANSFER_READAHEAD_H

#include "lib/store/pack.h"
#include "transfer/blob/blobstore.h"

/* Before each range there is room for the unfinished entry of the range before. */
enum { READAHEAD_FRONT = PACK_ENTRY_HEADER_LEN + PACK_ENTRY_RAW_MAX };

struct readahead_range {
	struct oid pack;
	uint64_t offset;
	uint32_t length;
};

struct readahead;

/* `ranges` is borrowed.  With `threads` below 2 nothing is read ahead: each range is read when it
 * is asked for.  Memory: the longest range for each thread. */
int readahead_new(struct readahead **out, struct blobstore *b, const struct readahead_range *ranges,
	size_t n, int threads);
/* Stops what is under way. */
void readahead_free(struct readahead *a);
/* The next range's bytes, all of them, and changeable; valid until the next call.  0; ERR_CORRUPT
 * for a pack that ends inside of it (message names it); errors of the remote. */
int readahead_next(struct readahead *a, uint8_t **bytes);

/* Exactly `len` bytes of a pack.  Errors as above. */
int readahead_exactly(
	struct blobstore *b, const struct oid *pack, uint64_t offset, void *into, size_t len);

#endif
