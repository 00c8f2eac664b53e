/*
 * Sorting more small records than memory holds: sorted runs in an unnamed file, merged while they
 * are read.  A record is a few 64-bit words, compared from the first to the last.
 */
#ifndef LIB_TABLE_RUNSORT_H
#define LIB_TABLE_RUNSORT_H

#include <stddef.h>
#include <stdint.h>

struct runsort;

enum { RUNSORT_WORDS_MAX = 8 };

/* Records of `words` words in at most about `memory` bytes (a few records at least).  What does not
 * fit goes into an unnamed file in `tmp_dir`: NULL is $TMPDIR, else /tmp. */
int runsort_new(struct runsort **out, size_t words, size_t memory, const char *tmp_dir);
void runsort_free(struct runsort *s);
/* Before runsort_sort.  0, ERR_NOMEM, ERR_IO (the disk is full…). */
int runsort_add(struct runsort *s, const uint64_t *record);
/* All have been added.  0 or an error. */
int runsort_sort(struct runsort *s);
/* The next record in order: 1, valid until the next call; 0: that was the last; or an error. */
int runsort_next(struct runsort *s, const uint64_t **record);
/* Once more from the first. */
int runsort_rewind(struct runsort *s);

#endif
