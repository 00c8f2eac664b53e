/*
 * One row of JSON Lines: an object, of which each member is a cell of the column that its key
 * names.
 */
#ifndef LIB_TABLE_ROWS_JSON_H
#define LIB_TABLE_ROWS_JSON_H

#include "lib/base/buf.h"
#include "lib/base/strmap.h"
#include "lib/table/rows_read.h"

enum { ROWS_JSON_COLUMNS_MAX = 100000 };

/* The columns that have been met, in the order in which they were. */
struct rows_json {
	struct strvec columns;
	struct strmap places; /* 1 + the place in `columns` */
	struct buf text;      /* of the cells of the last row */
	struct rows_cell *cells;
	size_t *present; /* the columns of which the last row has a cell: n_present of them */
	size_t n_present;
	size_t *starts; /* in `text` */
	size_t cap;
};

void rows_json_release(struct rows_json *j);
/* A column that may be met. */
int rows_json_expect(struct rows_json *j, const char *name);
/* The cells of this row, in j->cells, one for each of j->columns.  0; ERR_INVALID: it is no JSON
 * object; ERR_LIMIT, ERR_NOMEM. */
int rows_json_parse(struct rows_json *j, const char *name, const struct rows_row *row);

#endif
