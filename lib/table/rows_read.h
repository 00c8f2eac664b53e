/*
 * Reading the rows of a table one after the other, each with its place in the file, so that it can
 * be read again without what stands before it.  For row diffs and row merges.
 *
 * What is a row, and what are its cells, is for CSV decided by csvread.h; a row without a quote is
 * taken apart without it, with the same result.
 */
#ifndef LIB_TABLE_ROWS_READ_H
#define LIB_TABLE_ROWS_READ_H

#include "lib/table/rows.h"

/* Not NUL-terminated.  p NULL: the row has no such cell. */
struct rows_cell {
	const char *p;
	size_t len;
	int json; /* canonical JSON of what is no string */
};

struct rows_row {
	uint64_t number;  /* from 1, without the header */
	uint64_t line;	  /* of the file, from 1, at which it begins */
	uint64_t offset;  /* of its first byte */
	const char *text; /* as it stands in the file, without its line end; `len` bytes */
	size_t len;
	int plain; /* CSV without any quote: the cells are what stands between the delimiters */
};

enum { ROWS_READ_BLOCK = 1 << 20 };

struct rows_read;

/* From the first row, in pieces of `block` bytes (what suits: ROWS_READ_BLOCK for all rows, less
 * for single ones).  `f` is copied, its name and descriptor are borrowed.  0; ERR_INVALID for a
 * header that cannot be read, ERR_IO… */
int rows_read_new(
	struct rows_read **out, const struct rows_file *f, enum rows_format format, size_t block);
void rows_read_free(struct rows_read *r);
/* Of JSON Lines, before the first row: these columns have the first numbers.  (Of CSV: nothing.) */
int rows_read_expect(struct rows_read *r, const struct strvec *columns);
/* The names of the columns: of CSV, the header; of JSON Lines, those that have been seen. */
const struct strvec *rows_read_columns(const struct rows_read *r);
/* Of CSV and TSV. */
char rows_read_delimiter(const struct rows_read *r);

/* The next row: 1; 0: that was the last; ERR_INVALID "<name>:<line>: …", ERR_LIMIT, ERR_IO,
 * ERR_CHANGED (the file became shorter), ERR_NOMEM.  Valid until the next call. */
int rows_read_next(struct rows_read *r, struct rows_row *row);
/* The cells of the row that was returned last, by the number of their column: *n of them, which for
 * CSV may be more or fewer than there are columns.  Valid until the next row. */
int rows_read_cells(struct rows_read *r, const struct rows_cell **cells, size_t *n);
/* Of JSON Lines, after rows_read_cells: the columns of which that row has a cell, *n of them.
 * NULL: all (CSV). */
const size_t *rows_read_present(const struct rows_read *r, size_t *n);
/* Of CSV: the text of that row as it would stand there without needless quotes.  Valid as its cells
 * are. */
int rows_read_text(struct rows_read *r, struct rows_cell *text);
/* 1: it says nothing: it is empty, null, or not there. */
int rows_read_is_empty(const struct rows_cell *cell);
/* The row that begins at this offset, and has this number, is the next one.  (Lines of messages are
 * not known then.) */
void rows_read_seek(struct rows_read *r, uint64_t offset, uint64_t number);

#endif
