/*
 * Content-defined chunking, "gear64-nc2-v1" (docs/chunker.md): 64-bit gear hash, FastCDC's normalised chunking
 * level 2 (Xia et al., USENIX ATC 2016), min/normal/max 16/64/256 KiB.  Pure: bytes in, cut points out.  The hash is not
 * reset at a cut, so whether a position can be a cut depends on the 64 bytes before it only; that lets the fast kernel
 * search several strips of the input at once.  Cut points are frozen: changing one breaks deduplication.
 */
#ifndef LIB_STORE_CHUNKER_H
#define LIB_STORE_CHUNKER_H

#include <stddef.h>
#include <stdint.h>

enum {
	CHUNK_MIN = 16 * 1024,
	CHUNK_NORMAL = 64 * 1024,
	CHUNK_MAX = 256 * 1024
};

struct chunker {
	uint8_t tail[64];  /* the bytes before the present position, for the window */
	uint64_t position; /* bytes seen in all */
	int implementation;
};

/* Start at the beginning of an object. */
void chunker_init(struct chunker *c);

/* Length of the next chunk of `data` (`len` bytes follow the last cut; `final` says that nothing comes after them): 1…CHUNK_MAX, or 0: "give me more" (only
 * when !final and len < CHUNK_MAX).  Advances the state past the chunk; the caller
 * advances data by the returned length.  Never fails. */
size_t chunker_next(struct chunker *c, const uint8_t *data, size_t len, int final);

/* All cuts of a whole buffer at once, by the interleaved kernel: offsets of chunk ends, ascending, the last is `len`.  Returns how many were written
 * (at most len / CHUNK_MIN + 1, which `cuts` must hold). */
size_t chunker_cut_all(const uint8_t *data, size_t len, size_t *cuts);
/* The same by the plain loop: the oracle. */
size_t chunker_cut_all_scalar(const uint8_t *data, size_t len, size_t *cuts);

#endif
