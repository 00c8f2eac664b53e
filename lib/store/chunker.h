/*
 * Content-defined chunking, "gear64-nc2-v1" (docs/chunker.md): where to cut an object so that two
 * versions of it share all chunks but those around an edit.  Pure: bytes in, a length out.  The
 * cuts are frozen: changing one breaks deduplication against everything that is stored.
 */
#ifndef LIB_STORE_CHUNKER_H
#define LIB_STORE_CHUNKER_H

#include <stddef.h>
#include <stdint.h>

/* Length of a chunk: at least CHUNK_MIN, unless the object ends; mostly somewhat above
 * CHUNK_NORMAL. */
enum { CHUNK_MIN = 16 * 1024, CHUNK_NORMAL = 64 * 1024, CHUNK_MAX = 256 * 1024 };
/* Bytes before an offset that decide whether a chunk may end there. */
enum { CHUNK_WINDOW = 64 };

/*
 * Length of the chunk that begins at `data`, the start of an object or the end of its last chunk.
 * `len` bytes are at hand; `final` says that the object ends behind them.
 *
 * Returns 1…CHUNK_MAX; or 0 for "these bytes do not tell yet, call again with the same and more",
 * which happens only if !final and len < CHUNK_MAX; or 0 if len is 0.
 *
 * There is no state: an object that is read in pieces is cut the same, however it is read.  Give it
 * large pieces, megabytes, so that little is looked at twice.
 */
size_t chunker_next(const uint8_t *data, size_t len, int final);

/*
 * The first offset in [from, to) where a chunk may end by its content, however long it is: the hash
 * of the CHUNK_WINDOW bytes before it is below the limit for normal lengths.  `to` if there is
 * none. from >= CHUNK_WINDOW; bytes before `to` are looked at.
 */
size_t chunker_candidate(const uint8_t *data, size_t from, size_t to);

/* The same as chunker_next by the plain loop of the definition, several times slower: the oracle of
 * the tests. */
size_t chunker_next_scalar(const uint8_t *data, size_t len, int final);

#endif
