/*
 * Which rows of a table were added, removed and changed, and which of its columns: two files, in
 * bounded memory, whatever their size (docs/row-diff.md).
 *
 * Rows are paired by a key of one or more columns: as given, else detected (columns that are there
 * on both sides, never empty, and unique on both).  Without a key rows are compared as a whole, as
 * multisets: exact for duplicates.  A declared key that is not unique pairs equal rows first, then
 * those of one key in their order.
 */
#ifndef LIB_TABLE_ROWDIFF_H
#define LIB_TABLE_ROWDIFF_H

#include "lib/table/rows.h"

struct rowdiff;

struct rowdiff_options {
	const char *key;     /* names of columns, comma-separated; NULL: detected; "": none */
	size_t memory;	     /* the most to use, in bytes, roughly; 0: 128 MiB */
	const char *tmp_dir; /* what does not fit is spilled into unnamed files here; NULL: $TMPDIR,
				else /tmp */
	const volatile int *stop; /* non-zero: give up with ERR_INTERRUPTED; may be NULL */
};

enum rowdiff_column_kind {
	ROWDIFF_COLUMN_ADDED,	/* `now` only */
	ROWDIFF_COLUMN_REMOVED, /* `old` only */
	ROWDIFF_COLUMN_RENAMED, /* other names, the same cells in (nearly) all paired rows */
	ROWDIFF_COLUMN_MOVED	/* the same name in another order */
};
struct rowdiff_column {
	enum rowdiff_column_kind kind;
	const char *old, *now; /* names; NULL: not there */
	size_t old_at, now_at; /* from 0 */
};
/* A column of both sides in which cells differ. */
struct rowdiff_cells {
	const char *column; /* its name now; all cells behind the last column are one */
	uint64_t changed;   /* in so many paired rows */
};
enum rowdiff_key { ROWDIFF_KEY_GIVEN, ROWDIFF_KEY_DETECTED, ROWDIFF_KEY_NONE };

struct rowdiff_summary {
	uint64_t rows[2]; /* old, now; without the header */
	uint64_t added, removed, changed, same;
	enum rowdiff_key key_from;
	const char *const *key; /* n_key names, as they are now */
	size_t n_key;
	const struct rowdiff_column *columns; /* added, removed, renamed, moved; in that order */
	size_t n_columns;
	const struct rowdiff_cells *cells; /* the most changed first */
	size_t n_cells;
};

/* Compare.  Only columns of both sides make a row changed: a column that was added or removed is
 * said once.  The files' descriptors and names are borrowed until rowdiff_free: rows are read
 * again. 0; ERR_INVALID "<name>:<line>: …" for what is no table; ERR_NOTFOUND for a key that is no
 * column (the message lists those there are); ERR_LIMIT, ERR_CHANGED (a file became shorter),
 * ERR_IO, ERR_NOMEM, ERR_INTERRUPTED. */
int rowdiff_new(struct rowdiff **out, const struct rows_file *old, const struct rows_file *now,
	enum rows_format format, const struct rowdiff_options *o);
void rowdiff_free(struct rowdiff *d);
/* Borrowed. */
const struct rowdiff_summary *rowdiff_summary(const struct rowdiff *d);

enum rowdiff_kind { ROWDIFF_ADDED, ROWDIFF_REMOVED, ROWDIFF_CHANGED };
struct rowdiff_cell {
	const char *column;    /* its name now (of a removed row: then) */
	const char *old, *now; /* NUL-terminated; NULL: the row has no such cell */
};
struct rowdiff_row {
	enum rowdiff_kind kind;
	uint64_t old_row, now_row; /* from 1, without the header; 0: not there */
	const char *const *key;	   /* n_key values */
	size_t n_key;
	const struct rowdiff_cell *cells; /* all of an added or removed row; of a changed one what
					     differs */
	size_t n_cells;
	const char *old_text, *now_text; /* of a removed or added row: as it stands in the file,
					    without its line end; else NULL */
};
/* In the order of the newer file, a removed row where it would stand.  All of it is valid during
 * the call only.  Stops at the first non-zero value of fn, which is returned. */
int rowdiff_each(
	struct rowdiff *d, int (*fn)(const struct rowdiff_row *row, void *data), void *data);

#endif
