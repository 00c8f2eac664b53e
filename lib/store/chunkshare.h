/*
 * How much of a file is new compared with an older version of it, by content-defined chunks
 * (chunker.h): what an upload of it would send, and what "really changed" means of large data.
 */
#ifndef LIB_STORE_CHUNKSHARE_H
#define LIB_STORE_CHUNKSHARE_H

#include <stdint.h>

struct chunkshare_file {
	int fd; /* open for reading; stays the caller's */
	uint64_t size;
};

/* *changed: bytes of the newer file in chunks that the older one does not have anywhere.  Both are
 * read once, side by side in two threads, by pread; memory is 40 bytes a chunk (of 64 KiB mostly)
 * and 8 MiB.  `stop` (may be NULL): non-zero gives up.  0; ERR_CORRUPT: a file is shorter than
 * said; ERR_IO, ERR_NOMEM, ERR_INTERRUPTED. */
int chunkshare_changed(uint64_t *changed, struct chunkshare_file old, struct chunkshare_file now,
	const volatile int *stop);

#endif
