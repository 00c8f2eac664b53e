/*
 * Hashes of rows, by which they are compared and paired: 128 bits of XXH3, seeded anew by each run,
 * so that nobody can prepare two rows that are taken for one.  (Of equality within one run, never
 * the identity of content: that is SHA-256's.)
 *
 * A row's hash is the sum of its cells' hashes, each seeded by the column that the cell stands in:
 * the order of columns, quoting and delimiters make no difference.  Where both files have the same
 * columns in the same order the text of a row is hashed at once, which is faster.
 */
#ifndef LIB_TABLE_ROWS_HASH_H
#define LIB_TABLE_ROWS_HASH_H

#include "lib/table/rows_read.h"

enum { ROWS_HASH_SECRET = 192 };

struct rows_hash_seed {
	uint64_t seed;
	uint8_t secret[ROWS_HASH_SECRET];
};
void rows_hash_seed_init(struct rows_hash_seed *s);

/* What of the rows of one file is hashed.  Columns are numbered from 0; all is borrowed. */
struct rows_hash {
	const struct rows_hash_seed *seed;
	const size_t *key; /* columns, the same ones in the same order for all files */
	size_t n_key;
	/* By column: the same number, not 0, in all files; 0: it is not compared.  NULL: rows are
	 * hashed as text, by which all files must have the same columns, in the same order, with
	 * the same delimiter. */
	const uint64_t *ids;
	size_t n_ids;
};

struct rows_hash_value {
	uint64_t key[2];
	uint64_t row[2];
	int key_is_empty; /* one of its cells is empty or not there */
};

/* Of the row that `r` returned last.  0 or an error. */
int rows_hash_row(struct rows_hash_value *out, const struct rows_hash *h, struct rows_read *r,
	const struct rows_row *row);

/* Of a single cell: 64 bits. */
uint64_t rows_hash_cell(const struct rows_hash_seed *seed, const struct rows_cell *cell);

#endif
