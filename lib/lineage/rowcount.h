/*
 * How many rows and columns tables have, remembered by the SHA-256 of their content in
 * "<dvx_dir>/rows" (docs/lineage.md#cache): counting reads a table to its end, and its content
 * never changes.  The file may be removed at any time; a damaged one is made again.
 */
#ifndef LIB_LINEAGE_ROWCOUNT_H
#define LIB_LINEAGE_ROWCOUNT_H

#include <stdint.h>

#include "lib/repo/repo.h"
#include "lib/store/oid.h"

struct rowcount;

struct rowcount_entry {
	struct oid oid;
	uint64_t rows;
	uint32_t columns;
};

/* Never fails for the sake of the file. */
int rowcount_open(struct rowcount **out, const struct repo *repo);
/* 1 and the numbers, or 0. */
int rowcount_find(const struct rowcount *r, const struct oid *oid, struct rowcount_entry *out);
int rowcount_add(struct rowcount *r, const struct rowcount_entry *e);
/* Write what was learnt (in one rename; a failure to write is no error), free.  NULL is fine. */
void rowcount_close(struct rowcount *r);

/* The file's text, for tests and fuzzing: entries of a damaged one are 0.  Pure. */
int rowcount_parse(struct rowcount_entry **out, size_t *n, const void *bytes, size_t len);

#endif
