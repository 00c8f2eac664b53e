/*
 * The order of work of a row diff: columns by their names, a key, rows by their hashes; then what
 * differs is read once more, to count cells.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/table/rowdiff_internal.h"

#define MEMORY_DEFAULT ((size_t)128 << 20)

enum { JSON_ROWS_FIRST = 256 };

int rowdiff_stopped(const struct rowdiff *d)
{
	if (d->o.stop != NULL && *d->o.stop)
		return err_set(ERR_INTERRUPTED, "interrupted");
	return 0;
}

static int read_header(struct rowdiff *d, struct rowdiff_side *side)
{
	struct rows_read *r = NULL;
	const struct rows_cell *cells;
	struct rows_row row;
	size_t n;
	int rc = rows_read_new(&r, &side->file, d->format, ROWDIFF_AGAIN_BLOCK);
	const struct strvec *names = rc == 0 ? rows_read_columns(r) : NULL;

	/* the columns of JSON Lines are those of its first rows, until all were read */
	for (int i = 0; rc == 0 && d->format == ROWS_JSONL && i < JSON_ROWS_FIRST; i++) {
		rc = rows_read_next(r, &row);
		if (rc == 0)
			break;
		if (rc > 0)
			rc = rows_read_cells(r, &cells, &n);
	}
	for (size_t i = 0; rc == 0 && i < names->n; i++)
		rc = strvec_push(&side->columns, names->v[i]);
	if (rc == 0)
		side->delimiter = rows_read_delimiter(r);
	rows_read_free(r);
	return rc;
}

int rowdiff_read_new(struct rows_read **out, const struct rowdiff *d,
	const struct rowdiff_side *side, size_t block)
{
	int rc = rows_read_new(out, &side->file, d->format, block);

	return rc == 0 ? rows_read_expect(*out, &side->columns) : rc;
}

/* By a detected key: the first of the candidates that is unique in all rows, else none. */
static int join_by_detected_key(struct rowdiff *d)
{
	size_t *candidates = NULL, n = 0;
	int rc = rowdiff_key_candidates(&candidates, &n, d), done = 0;

	d->must_be_unique = 1;
	for (size_t i = 0; rc == 0 && i < n && !done; i++) {
		rc = rowdiff_key_set(d, candidates[i]);
		if (rc == 0)
			rc = rowdiff_join(d);
		done = rc == 0;
		if (rc == 1)
			rc = 0;
	}
	d->must_be_unique = 0;
	if (rc == 0 && !done)
		rc = rowdiff_key_set(d, ROWDIFF_NONE);
	if (rc == 0 && !done)
		rc = rowdiff_join(d);
	d->summary.key_from = d->n_key ? ROWDIFF_KEY_DETECTED : ROWDIFF_KEY_NONE;
	free(candidates);
	return rc;
}

/* A key that cannot be found may be one in columns that are not known yet. */
static int join_by_given_key(struct rowdiff *d, int is_last)
{
	int rc = rowdiff_key_given(d);

	if (rc == ERR_NOTFOUND && !is_last)
		rc = rowdiff_key_set(d, ROWDIFF_NONE);
	d->summary.key_from = d->n_key ? ROWDIFF_KEY_GIVEN : ROWDIFF_KEY_NONE;
	return rc == 0 ? rowdiff_join(d) : rc;
}

static int join(struct rowdiff *d, int is_last)
{
	return d->o.key ? join_by_given_key(d, is_last) : join_by_detected_key(d);
}

/* Rows are paired by what is known of the columns; where that shows more of them - keys of JSON
 * Lines that only later rows have, other names - it is done again. */
static int compare(struct rowdiff *d)
{
	int has_all = d->format != ROWS_JSONL;
	int rc = rowdiff_columns_match(d);

	d->wants_pairs = rc == 0 && rowdiff_columns_may_be_renamed(d);
	if (rc == 0)
		rc = join(d, has_all && !d->wants_pairs);
	if (rc == 0 &&
		(d->side[ROWDIFF_OLD].has_more_columns || d->side[ROWDIFF_NOW].has_more_columns)) {
		rc = rowdiff_columns_match(d);
		d->wants_pairs = rc == 0 && rowdiff_columns_may_be_renamed(d);
		if (rc == 0)
			rc = join(d, !d->wants_pairs);
	}
	for (int i = 0; rc == 0 && i < ROWDIFF_SIDES; i++)
		rc = rowdiff_read_new(&d->side[i].again, d, &d->side[i], ROWDIFF_AGAIN_BLOCK);
	if (rc == 0 && d->wants_pairs)
		rc = rowdiff_columns_find_renamed(d);
	d->wants_pairs = 0;
	if (rc > 0 || (rc == 0 && d->o.key && *d->o.key && d->n_key == 0))
		rc = join(d, 1);
	return rc;
}

int rowdiff_new(struct rowdiff **out, const struct rows_file *old, const struct rows_file *now,
	enum rows_format format, const struct rowdiff_options *o)
{
	struct rowdiff *d = calloc(1, sizeof(*d));
	int rc = d ? 0 : err_no_memory();

	if (rc == 0) {
		d->side[ROWDIFF_OLD].file = *old;
		d->side[ROWDIFF_NOW].file = *now;
		d->format = format;
		d->o = *o;
		if (d->o.memory == 0)
			d->o.memory = MEMORY_DEFAULT;
		rows_hash_seed_init(&d->seed);
		rc = read_header(d, &d->side[ROWDIFF_OLD]);
	}
	if (rc == 0)
		rc = read_header(d, &d->side[ROWDIFF_NOW]);
	if (rc == 0)
		rc = compare(d);
	if (rc == 0)
		rc = rowdiff_columns_report(d);
	if (rc == 0)
		rc = rowdiff_count_cells(d);
	if (rc < 0) {
		rowdiff_free(d);
		d = NULL;
	}
	*out = d;
	return rc;
}

static void side_release(struct rowdiff_side *side)
{
	strvec_release(&side->columns);
	free(side->partner);
	free(side->key);
	free(side->ids);
	runsort_free(side->records);
	runsort_free(side->loose);
	rows_read_free(side->again);
}

void rowdiff_free(struct rowdiff *d)
{
	if (d == NULL)
		return;
	side_release(&d->side[ROWDIFF_OLD]);
	side_release(&d->side[ROWDIFF_NOW]);
	runsort_free(d->changes);
	runsort_free(d->removed);
	free(d->pairs);
	free(d->key_names);
	free(d->columns);
	free(d->cells);
	free(d);
}

const struct rowdiff_summary *rowdiff_summary(const struct rowdiff *d)
{
	return &d->summary;
}
