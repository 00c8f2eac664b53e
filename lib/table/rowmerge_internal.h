/*
 * The parts of rowmerge.h: rowmerge_columns.c says which columns belong together, rowmerge_plan.c
 * finds out what has to be done to which row, rowmerge_write.c does it, and rowmerge_cells.c merges
 * the cells of one row.  All of it in memory that does not grow with the tables.
 */
#ifndef LIB_TABLE_ROWMERGE_INTERNAL_H
#define LIB_TABLE_ROWMERGE_INTERNAL_H

#include "lib/base/buf.h"
#include "lib/base/strmap.h"
#include "lib/table/rowmerge.h"
#include "lib/table/rows_hash.h"
#include "lib/table/runsort.h"

#define ROWMERGE_NO_COLUMN ((size_t)-1)
#define ROWMERGE_NO_ROW	   UINT64_MAX
#define ROWMERGE_LAST	   (UINT64_MAX - 1)

struct rowmerge_side {
	const struct rows_file *file;
	struct strvec columns; /* of JSON Lines: those that were seen so far */
	char delimiter;
	size_t *key;		 /* columns; of JSON Lines ROWMERGE_NO_COLUMN until seen */
	uint64_t *ids;		 /* of rows_hash.h */
	uint64_t *kept;		 /* the same, without the columns that the frame does not have */
	struct rows_read *again; /* rows are read once more, one by one */
};

/*
 * One side is the frame: it is copied, and what the other side changed is put into it.  That is
 * ours, unless theirs alone changed the columns.
 */
struct rowmerge {
	struct rowmerge_side side[ROWMERGE_SIDES];
	enum rows_format format;
	const struct rowmerge_options *o;
	struct rowmerge_result *result;
	int frame, other;
	int same_columns;	    /* all three have the same ones, in the same order */
	int frame_dropped_or_added; /* the frame has other columns than base and the other side */
	struct strvec key;	    /* names */
	int key_is_guess;	    /* detected, and not called like a key: may be a value */
	struct strmap names;	    /* of columns -> a number, not 0 */
	struct rows_hash_seed seed;

	struct runsort *rows;	 /* ROW_… of all sides */
	struct runsort *edits;	 /* EDIT_… */
	struct runsort *inserts; /* INSERT_… */
};

/* A row of any side.  `SIDE` is an enum rowmerge_row_side. */
enum { ROW_KEY, ROW_SIDE = 2, ROW_HASH, ROW_OFFSET = 5, ROW_WORDS };
/* Base is there twice when the frame has other columns: as it is compared with either side. */
enum rowmerge_row_side { OF_BASE_FOR_FRAME, OF_BASE, OF_FRAME, OF_OTHER, N_ROW_SIDES };

/* What is done to a row of the frame; places are offsets, or ROWMERGE_NO_ROW. */
enum { EDIT_AT, EDIT_WHAT, EDIT_BASE, EDIT_OTHER, EDIT_WORDS };
enum rowmerge_edit {
	EDIT_ADDED, /* nothing: but it is new there, and stands before what the other side added */
	EDIT_DROP,  /* the other side removed it */
	EDIT_TAKE,  /* the other side changed it */
	EDIT_MERGE, /* both did */
	EDIT_CONFLICT /* the other side removed it, the frame changed it */
};
/* A row of the other side that the frame does not have. */
enum {
	INSERT_BEHIND, /* 1 + offset; 0: the top; ROWMERGE_LAST */
	INSERT_OTHER,
	INSERT_BASE, /* if there is one, the frame removed the row: a conflict */
	INSERT_WORDS
};

/* Give up, without an error: the outcome is ROWMERGE_UNMERGEABLE.  1 or ERR_NOMEM. */
int rowmerge_give_up(struct rowmerge *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int rowmerge_stopped(const struct rowmerge *m);

/* Read the headers, find the key and the frame.  0; 1: gave up; or an error. */
int rowmerge_columns(struct rowmerge *m);
/* By its name; ROWMERGE_NO_COLUMN: there is none. */
size_t rowmerge_find_column(const struct strvec *columns, const char *name);
/* Before a row of JSON Lines is hashed: columns that it is the first to have. */
int rowmerge_new_columns(struct rowmerge *m, int side, struct rows_read *r);

/* Fill edits and inserts, sorted.  The same values. */
int rowmerge_plan(struct rowmerge *m);

/* The row at this place, by `side`'s `again`.  1 or an error. */
int rowmerge_read_again(struct rowmerge *m, int side, uint64_t offset, struct rows_row *row);
/* Append "id=7, date=…": the key of the row that `r` read last. */
int rowmerge_key_text(struct buf *out, const struct rowmerge *m, int side, struct rows_read *r);

/* The versions of a row; text NULL: not there. */
struct rowmerge_version {
	const char *text;
	size_t len;
};
/* Append the frame's row with what the other side changed in its cells.  0; 1: both changed a cell
 * differently, nothing was appended; or an error. */
int rowmerge_cells(struct buf *out, const struct rowmerge *m,
	const struct rowmerge_version v[static ROWMERGE_SIDES]);
/* Append a row of the other side as one of the frame.  The same values. */
int rowmerge_recast(struct buf *out, const struct rowmerge *m, const struct rowmerge_version *row);

/* The frame with its edits, to the sink.  0, what the sink returned, or an error. */
int rowmerge_write(struct rowmerge *m, const struct rowmerge_sink *sink);

#endif
