/*
 * A row diff in words, the same wherever one is told.
 */
#ifndef LIB_TABLE_ROWWORDS_H
#define LIB_TABLE_ROWWORDS_H

#include "lib/base/buf.h"

/* Append "2 rows added, 1 removed, 3 changed", of these what is not 0; nothing where all are.  0 or
 * a negative error. */
int rowwords_counts(struct buf *out, uint64_t added, uint64_t removed, uint64_t changed);

#endif
