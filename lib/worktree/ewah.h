/*
 * Bitmaps as Git's index stores them: EWAH-compressed (word-aligned runs of equal words and literal
 * words; Lemire, Kaser, Aouiche 2010; the serialisation is that of Git's gitformat-bitmap, appendix
 * A).  In memory they are plain.
 */
#ifndef LIB_WORKTREE_EWAH_H
#define LIB_WORKTREE_EWAH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"

/* A plain bitmap of a fixed number of bits. */
struct ewah {
	uint64_t *words;
	size_t bits;
};

#define EWAH_INIT                                                                                  \
	{                                                                                          \
		NULL, 0                                                                            \
	}

/* All bits zero.  0 or ERR_NOMEM. */
int ewah_init(struct ewah *b, size_t bits);
void ewah_release(struct ewah *b);
int ewah_get(const struct ewah *b, size_t i);
/* `i` must be below b->bits. */
void ewah_set(struct ewah *b, size_t i);
size_t ewah_count(const struct ewah *b);

/* Decode into `b`, which was initialised to its number of bits.  The number of bytes used;
 * ERR_CORRUPT when the data ends too early, runs do not add up, or a bit is set that `b` does not
 * have. */
ssize_t ewah_read(struct ewah *b, const void *data, size_t len);
/* Append the compressed form.  0, ERR_LIMIT (2^32 bits), ERR_NOMEM. */
int ewah_write(struct buf *out, const struct ewah *b);

#endif
