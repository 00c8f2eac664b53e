/*
 * The parts of rowdiff.h: rowdiff_columns.c says which columns are compared, rowdiff_key.c by which
 * rows are paired, rowdiff_join.c pairs them, rowdiff_each.c reads what differs once more to show
 * it, and rowdiff.c runs them in this order.
 */
#ifndef LIB_TABLE_ROWDIFF_INTERNAL_H
#define LIB_TABLE_ROWDIFF_INTERNAL_H

#include "lib/table/rowdiff.h"
#include "lib/table/rows_hash.h"
#include "lib/table/runsort.h"

enum { ROWDIFF_OLD, ROWDIFF_NOW, ROWDIFF_SIDES };

#define ROWDIFF_NONE ((size_t)-1)

/* Places of rows that are read again, one by one. */
enum { ROWDIFF_AGAIN_BLOCK = 16 << 10 };

/* Rows of both files that belong together: number and offset of each. */
struct rowdiff_pair {
	uint64_t number[ROWDIFF_SIDES], offset[ROWDIFF_SIDES];
};

struct rowdiff_side {
	struct rows_file file;
	struct strvec columns;
	size_t *partner; /* by column: the one of the other side that it is compared with, or
			    ROWDIFF_NONE */
	char delimiter;
	uint64_t rows;
	size_t *key;		 /* columns */
	uint64_t *ids;		 /* of rows_hash.h; NULL: rows are hashed as text */
	struct runsort *records; /* RECORD_… of all rows */
	struct runsort *loose;	 /* LOOSE_… of rows that share their key and have no equal */
	struct rows_read *again;
	int has_more_columns; /* than were known before all rows were read */
};

enum { RECORD_KEY, RECORD_ROW = 2, RECORD_NUMBER, RECORD_OFFSET, RECORD_WORDS };
enum { LOOSE_KEY, LOOSE_NUMBER = 2, LOOSE_OFFSET, LOOSE_WORDS };
/* OLD_NUMBER 0: the row was added. */
enum { CHANGE_NOW_NUMBER, CHANGE_NOW_OFFSET, CHANGE_OLD_NUMBER, CHANGE_OLD_OFFSET, CHANGE_WORDS };
enum { REMOVED_NUMBER, REMOVED_OFFSET, REMOVED_WORDS };

struct rowdiff {
	struct rowdiff_side side[ROWDIFF_SIDES];
	enum rows_format format;
	struct rowdiff_options o;
	char *tmp_dir;
	struct rows_hash_seed seed;
	size_t n_key;
	int must_be_unique; /* the key was detected: it is none if rows share it */
	_Atomic int not_unique;
	struct runsort *changes; /* CHANGE_… of changed and added rows */
	struct runsort *removed; /* REMOVED_… */
	/* some pairs of rows, wanted where columns may have been renamed */
	int wants_pairs;
	struct rowdiff_pair *pairs;
	size_t n_pairs, pairs_cap;
	struct rowdiff_summary summary;
	/* what the summary points to */
	const char **key_names;
	struct rowdiff_column *columns;
	struct rowdiff_cells *cells;
};

/* Read a side from its first row. */
int rowdiff_read_new(struct rows_read **out, const struct rowdiff *d,
	const struct rowdiff_side *side, size_t block);
/* Read a row of a side once more. */
struct rowdiff_again {
	struct rows_row row;
	const struct rows_cell *cells;
	size_t n;
};
int rowdiff_read_again(
	struct rowdiff_again *out, struct rowdiff *d, int which, uint64_t number, uint64_t offset);
/* A cell of it; p NULL: there is none. */
struct rows_cell rowdiff_cell_of(const struct rowdiff_again *a, size_t column);
int rowdiff_same_cell(const struct rows_cell *a, const struct rows_cell *b);

/* Fill the partners by name. */
int rowdiff_columns_match(struct rowdiff *d);
/* 1 if both sides have columns that the other one has not. */
int rowdiff_columns_may_be_renamed(const struct rowdiff *d);
/* Make partners of columns of d->pairs that hold the same cells, whatever their names.  1: some; 0:
 * none; or an error. */
int rowdiff_columns_find_renamed(struct rowdiff *d);
/* Fill the summary's columns. */
int rowdiff_columns_report(struct rowdiff *d);

/* How much a column is called like a key.  2: it is; 1: it ends like one; 0; -1: no name (a number
 * of the row, as pandas writes it). */
int rowdiff_key_rank(const char *name);
/* The columns of d->o.key, into both sides' `key`. */
int rowdiff_key_given(struct rowdiff *d);
/* Columns of the newer side that may be keys, the best first; *v is on the heap. */
int rowdiff_key_candidates(size_t **v, size_t *n, struct rowdiff *d);
/* `column` of the newer side is the key; ROWDIFF_NONE: there is none. */
int rowdiff_key_set(struct rowdiff *d, size_t column);

/* Read both files and pair their rows: numbers of the summary, d->changes, d->removed.  0 or an
 * error; with must_be_unique also 1: rows share the key, and nothing was found out. */
int rowdiff_join(struct rowdiff *d);

/* Fill the summary's cells. */
int rowdiff_count_cells(struct rowdiff *d);

int rowdiff_stopped(const struct rowdiff *d);

#endif
