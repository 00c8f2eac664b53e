/*
 * Columns that have another name now: the cells of one that only the older file has are, in pairs
 * of rows, nearly always those of one that only the newer file has.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/table/rowdiff_internal.h"

/* Columns of each side that are looked at; in how many of 100 pairs cells must be the same. */
enum { COLUMNS_MOST = 64, SAME_PERCENT = 75 };

struct match {
	size_t at[ROWDIFF_SIDES]; /* columns */
	uint64_t same;		  /* in so many pairs */
	uint64_t by_chance;	  /* in so many that do not belong together */
	int filled;		  /* some of the cells are not empty */
};

struct matches {
	struct match v[COLUMNS_MOST * COLUMNS_MOST];
	size_t n;
};

static size_t alone(size_t out[static COLUMNS_MOST], const struct rowdiff_side *side)
{
	size_t n = 0;

	for (size_t i = 0; i < side->columns.n && n < COLUMNS_MOST; i++)
		if (side->partner[i] == ROWDIFF_NONE)
			out[n++] = i;
	return n;
}

int rowdiff_columns_may_be_renamed(const struct rowdiff *d)
{
	size_t columns[COLUMNS_MOST];

	return alone(columns, &d->side[ROWDIFF_OLD]) && alone(columns, &d->side[ROWDIFF_NOW]);
}

static void every_match(struct matches *m, const struct rowdiff *d)
{
	size_t old[COLUMNS_MOST], now[COLUMNS_MOST];
	size_t n_old = alone(old, &d->side[ROWDIFF_OLD]), n_now = alone(now, &d->side[ROWDIFF_NOW]);

	for (size_t i = 0; i < n_old; i++)
		for (size_t k = 0; k < n_now; k++)
			m->v[m->n++] = (struct match){.at = {old[i], now[k]}};
}

/* Compare the columns of an older and a newer row, of a pair or not. */
static int compare(struct matches *m, struct rowdiff *d, const struct rowdiff_pair *old,
	const struct rowdiff_pair *now)
{
	struct rowdiff_again a, b;
	int rc = rowdiff_read_again(
		&a, d, ROWDIFF_OLD, old->number[ROWDIFF_OLD], old->offset[ROWDIFF_OLD]);

	if (rc == 0)
		rc = rowdiff_read_again(
			&b, d, ROWDIFF_NOW, now->number[ROWDIFF_NOW], now->offset[ROWDIFF_NOW]);
	for (size_t i = 0; rc == 0 && i < m->n; i++) {
		struct match *match = &m->v[i];
		struct rows_cell x = rowdiff_cell_of(&a, match->at[ROWDIFF_OLD]);
		struct rows_cell y = rowdiff_cell_of(&b, match->at[ROWDIFF_NOW]);

		if (!rowdiff_same_cell(&x, &y))
			continue;
		if (old != now) {
			match->by_chance++;
			continue;
		}
		match->same++;
		match->filled |= !rows_read_is_empty(&x);
	}
	return rc;
}

static size_t distance(const struct match *m)
{
	size_t old = m->at[ROWDIFF_OLD], now = m->at[ROWDIFF_NOW];

	return old > now ? old - now : now - old;
}

static int best_first(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	if (x->same != y->same)
		return x->same > y->same ? -1 : 1;
	if (distance(x) != distance(y))
		return distance(x) < distance(y) ? -1 : 1;
	for (int i = 0; i < ROWDIFF_SIDES; i++)
		if (x->at[i] != y->at[i])
			return x->at[i] < y->at[i] ? -1 : 1;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct rowdiff_pair *x = a, *y = b;

	return x->number[ROWDIFF_OLD] < y->number[ROWDIFF_OLD]	 ? -1
	       : x->number[ROWDIFF_OLD] > y->number[ROWDIFF_OLD] ? 1
								 : 0;
}

/* Cells that are alike in any two rows (a column that is always 0) say nothing, unless the column
 * stands where it stood. */
static int is_renamed(const struct match *m, uint64_t pairs)
{
	if (!m->filled || m->same * 100 < pairs * SAME_PERCENT)
		return 0;
	return m->by_chance * 100 < pairs * SAME_PERCENT || distance(m) == 0;
}

int rowdiff_columns_find_renamed(struct rowdiff *d)
{
	struct rowdiff_side *old = &d->side[ROWDIFF_OLD], *now = &d->side[ROWDIFF_NOW];
	struct matches *m = calloc(1, sizeof(*m));
	int rc = m ? 0 : err_no_memory(), found = 0;

	if (rc == 0) {
		every_match(m, d);
		if (d->n_pairs)
			qsort(d->pairs, d->n_pairs, sizeof(*d->pairs), by_number);
	}
	for (size_t i = 0; rc == 0 && i < d->n_pairs; i++) {
		const struct rowdiff_pair *other = &d->pairs[(i + 1) % d->n_pairs];

		rc = compare(m, d, &d->pairs[i], &d->pairs[i]);
		if (rc == 0 && d->n_pairs > 1)
			rc = compare(m, d, &d->pairs[i], other);
		if (rc == 0)
			rc = rowdiff_stopped(d);
	}
	if (rc == 0)
		qsort(m->v, m->n, sizeof(*m->v), best_first);
	for (size_t i = 0; rc == 0 && i < m->n; i++) {
		size_t a = m->v[i].at[ROWDIFF_OLD], b = m->v[i].at[ROWDIFF_NOW];

		if (old->partner[a] != ROWDIFF_NONE || now->partner[b] != ROWDIFF_NONE ||
			!is_renamed(&m->v[i], d->n_pairs))
			continue;
		old->partner[a] = b;
		now->partner[b] = a;
		found = 1;
	}
	free(m);
	return rc < 0 ? rc : found;
}
