/*
 * One row of CSV: its cells, by as little work as it takes.
 */
#ifndef LIB_TABLE_ROWS_CSV_H
#define LIB_TABLE_ROWS_CSV_H

#include "lib/base/buf.h"
#include "lib/table/csvread.h"
#include "lib/table/rows_read.h"

struct rows_csv {
	const char *name; /* of the file, for messages; borrowed */
	char delimiter;
	struct rows_cell *cells; /* of the last row: n of them */
	size_t n, cap;
	struct csvread *reader; /* of rows that are not simple */
	struct buf bytes;	/* their cells */
	int is_complete;
	struct buf text; /* of rows_csv_text */
};

void rows_csv_release(struct rows_csv *c);
/* A row without any quote: its cells stand in `text`.  `line` is for messages.  0, ERR_LIMIT,
 * ERR_NOMEM. */
int rows_csv_split(struct rows_csv *c, const char *text, size_t len, uint64_t line);
/* A row in which quotes only stand around whole cells, and none within: 1, the cells stand in
 * `text`; 0: it is no such row. */
int rows_csv_split_quoted(struct rows_csv *c, const char *text, size_t len, uint64_t line);
/* Any row, line by line, each with its end: begin at the row's first line, then feed until
 * c->is_complete; rows_csv_end where the file ends.  Errors are those of csvread_feed and _end. */
int rows_csv_begin(struct rows_csv *c, uint64_t line);
int rows_csv_feed(struct rows_csv *c, const char *text, size_t len);
int rows_csv_end(struct rows_csv *c);
/* The last row as it would stand there without needless quotes.  Valid as its cells are. */
int rows_csv_text(struct rows_csv *c, struct rows_cell *text);

#endif
