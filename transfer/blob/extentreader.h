/*
 * From extents of packs on a remote to the bytes of an object.
 */
#ifndef TRANSFER_EXTENTREADER_H
#define TRANSFER_EXTENTREADER_H

#include "transfer/blob/blobstore.h"

struct extent_reader;

typedef int extent_sink_fn(const void *p, size_t len, void *data);

/* A place in the extents of an object: in that of this number, so many bytes from its start. */
struct extent_place {
	uint32_t extent, offset;
};

/* Buffers for one thread.  Large extents are read in pieces of 4 MiB, `ahead` of them at once. */
int extent_reader_new(struct extent_reader **out, struct blobstore *b, int ahead);
void extent_reader_free(struct extent_reader *r);

/* Decode the whole entries in `p` (a run: `len` bytes that begin at `offset` of `pack`) and pass
 * their bytes on.  Errors name pack and offset.  With `verify` each entry's hash is checked. */
int extent_reader_decode(struct extent_reader *r, const struct oid *pack, uint64_t offset,
	const uint8_t *p, size_t len, int verify, extent_sink_fn *sink, void *data);
/* Read and decode the extents of an object, from `at` to the end; it is the beginning of an entry.
 */
int extent_reader_stream(struct extent_reader *r, const struct blob_hit *h,
	const struct extent_place *at, int verify, extent_sink_fn *sink, void *data);
/* Read a range into memory of the reader (valid until the next call). 0 when all `len` bytes were
 * there. */
int extent_reader_range(struct extent_reader *r, const struct oid *pack, uint64_t offset,
	size_t len, const uint8_t **out);

#endif
