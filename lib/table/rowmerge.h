/*
 * Three-way merge of a keyed table (docs/row-merge.md): two sides changed different rows - or
 * different cells of a row - of a common base.  Rows that nobody touched are copied byte for byte.
 */
#ifndef LIB_TABLE_ROWMERGE_H
#define LIB_TABLE_ROWMERGE_H

#include "lib/table/rowdiff.h"

struct rowmerge_options {
	struct rowdiff_options rows;
	int marker_size;       /* of conflict markers; 0: 7 */
	const char *labels[3]; /* base, ours, theirs, in conflict markers; NULL: these words */
};
enum rowmerge_outcome {
	ROWMERGE_MERGED,
	ROWMERGE_CONFLICTS,  /* merged, but for rows between conflict markers */
	ROWMERGE_UNMERGEABLE /* no key, or both sides changed the columns: nothing was written */
};
/* A row that both sides changed: in all three that have it, as text; NULL: not there. */
struct rowmerge_conflict {
	const char *key; /* "id=7" */
	const char *base, *ours, *theirs;
};
struct rowmerge_result {
	enum rowmerge_outcome outcome;
	uint64_t added, removed, changed; /* what theirs brought into ours */
	uint64_t conflicts;
	char *why; /* of ROWMERGE_UNMERGEABLE; heap */
};
void rowmerge_result_release(struct rowmerge_result *r);

/* Who gets the merged table in pieces, in order, and each conflict (may be NULL).  A value other
 * than 0 stops the merge and is returned. */
struct rowmerge_sink {
	int (*piece)(const void *p, size_t len, void *data);
	int (*conflict)(const struct rowmerge_conflict *c, void *data);
	void *data;
};
/* The order of the three files. */
enum { ROWMERGE_BASE, ROWMERGE_OURS, ROWMERGE_THEIRS, ROWMERGE_SIDES };

/* Rows keep the order of ours; what theirs added stands behind the row that it follows there.  0
 * whatever the outcome; ERR_INVALID: a side is no table; ERR_IO… */
int rowmerge_run(struct rowmerge_result *out, const struct rows_file files[static ROWMERGE_SIDES],
	enum rows_format format, const struct rowmerge_options *o,
	const struct rowmerge_sink *sink);

#endif
