/*
 * One progress line on a terminal's stderr: nothing in the first second, at most ten
 * updates a second, bytes, rate, objects and time left.  Silent when stderr is no terminal, unless
 * forced (GIT_LFS_FORCE_PROGRESS, --progress); forced, it does not wait for the first second either
 * and always prints a last line.
 */
#ifndef LIB_BASE_PROGRESS_H
#define LIB_BASE_PROGRESS_H

#include <stdint.h>

struct progress;

enum progress_mode { PROGRESS_AUTO = 0, PROGRESS_OFF, PROGRESS_FORCE };

/* `title` is copied, e.g. "Uploading".  Totals of 0 mean unknown.  NULL when out of memory or
 * switched off; every other call accepts NULL. */
struct progress *progress_new(
	const char *title, uint64_t objects, uint64_t bytes, enum progress_mode mode);
/* Say how much is done so far (absolute).  Thread-safe and cheap. */
void progress_set(struct progress *p, uint64_t objects, uint64_t bytes);
/* Add to what is done.  Thread-safe. */
void progress_add(struct progress *p, uint64_t objects, uint64_t bytes);
/* Print the last line (if any was printed) and free. */
void progress_free(struct progress *p);

/* "1.5 GiB", "712 B": written into out (16 bytes suffice); returns out. */
const char *progress_bytes(char out[static 16], uint64_t bytes);

#endif
