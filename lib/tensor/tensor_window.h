/*
 * The header of a file whose length nobody says beforehand, read in order.
 */
#ifndef LIB_TENSOR_TENSOR_WINDOW_H
#define LIB_TENSOR_TENSOR_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum { TENSOR_WINDOW = 64 * 1024 };

struct tensor_window {
	int fd;
	uint64_t start, size;	   /* of the window in the file; of what may be read of that */
	size_t at, len;		   /* in bytes[] */
	struct XXH3_state_s *hash; /* what is read goes through it; NULL: not */
	uint8_t bytes[TENSOR_WINDOW];
};

/* Bytes that may still be read. */
uint64_t tensor_window_left(const struct tensor_window *w);
/* The error for a header that says more than there is: ERR_INVALID, or ERR_LIMIT. */
int tensor_window_ends(const struct tensor_window *w);
/* All that follow: 0, that error, or ERR_IO. */
int tensor_window_get(struct tensor_window *w, void *out, size_t len);
int tensor_window_u32(struct tensor_window *w, uint32_t *out);
int tensor_window_u64(struct tensor_window *w, uint64_t *out);
int tensor_window_skip(struct tensor_window *w, uint64_t len);
/* Append a string - its length comes first - of at most `most` bytes (ERR_LIMIT). */
int tensor_window_string(struct tensor_window *w, struct buf *out, size_t most);

/* Hash what is read between the two.  0 or ERR_NOMEM; the second one is called in any case. */
int tensor_window_hash(struct tensor_window *w);
uint64_t tensor_window_hashed(struct tensor_window *w);

#endif
