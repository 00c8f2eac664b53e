/*
 * Columns of both sides: which belong together, and which were added, removed, renamed or moved.
 * A name that stands in a header several times is matched from the left.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/table/rowdiff_internal.h"

struct named {
	const char *name;
	size_t at;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int by = strcmp(x->name, y->name);

	return by ? by : x->at < y->at ? -1 : x->at > y->at;
}

/* The columns of a side by their names, those of one name from the left; NULL: out of memory. */
static struct named *sort_columns(const struct rowdiff_side *side)
{
	size_t n = side->columns.n;
	struct named *v = calloc(n + 1, sizeof(*v));

	for (size_t i = 0; v != NULL && i < n; i++)
		v[i] = (struct named){side->columns.v[i], i};
	if (v != NULL)
		qsort(v, n, sizeof(*v), by_name);
	return v;
}

static int no_partners(struct rowdiff_side *side)
{
	side->partner = malloc((side->columns.n + 1) * sizeof(*side->partner));
	if (side->partner == NULL)
		return err_no_memory();
	for (size_t i = 0; i < side->columns.n; i++)
		side->partner[i] = ROWDIFF_NONE;
	return 0;
}

int rowdiff_columns_match(struct rowdiff *d)
{
	struct rowdiff_side *old = &d->side[ROWDIFF_OLD], *now = &d->side[ROWDIFF_NOW];
	struct named *a = sort_columns(old), *b = sort_columns(now);
	int rc = a && b ? 0 : err_no_memory();

	for (int i = 0; i < ROWDIFF_SIDES; i++) {
		free(d->side[i].partner);
		d->side[i].partner = NULL;
		if (rc == 0)
			rc = no_partners(&d->side[i]);
	}
	for (size_t i = 0, k = 0; rc == 0 && i < old->columns.n && k < now->columns.n;) {
		int by = strcmp(a[i].name, b[k].name);

		if (by == 0) {
			old->partner[a[i].at] = b[k].at;
			now->partner[b[k].at] = a[i].at;
		}
		i += by <= 0;
		k += by >= 0;
	}
	free(a);
	free(b);
	return rc;
}

/* --- what is said of them ------------------------------------------------------------------------
 */

static int report(struct rowdiff *d, size_t *cap, struct rowdiff_column column)
{
	int rc = array_room(&d->columns, d->summary.n_columns, cap, sizeof(*d->columns));

	if (rc < 0)
		return rc;
	if (column.old_at != ROWDIFF_NONE)
		column.old = d->side[ROWDIFF_OLD].columns.v[column.old_at];
	if (column.now_at != ROWDIFF_NONE)
		column.now = d->side[ROWDIFF_NOW].columns.v[column.now_at];
	d->columns[d->summary.n_columns++] = column;
	d->summary.columns = d->columns;
	return 0;
}

static int is_renamed(const struct rowdiff *d, size_t column)
{
	const struct rowdiff_side *old = &d->side[ROWDIFF_OLD], *now = &d->side[ROWDIFF_NOW];
	size_t was = now->partner[column];

	return was != ROWDIFF_NONE && strcmp(old->columns.v[was], now->columns.v[column]) != 0;
}

/* stays[i] = 1 for the columns of the newer side that belong to a longest set of which the order is
 * that of the older one. */
static int find_order(char *stays, const struct rowdiff_side *now)
{
	size_t n = now->columns.n, length = 0;
	size_t *last = calloc(n + 1, sizeof(*last)); /* of the best sequence of each length */
	size_t *before = calloc(n + 1, sizeof(*before));
	int rc = last && before ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t low = 0, high = length;

		if (now->partner[i] == ROWDIFF_NONE)
			continue;
		while (low < high) {
			size_t middle = (low + high) / 2;

			if (now->partner[last[middle]] < now->partner[i])
				low = middle + 1;
			else
				high = middle;
		}
		before[i] = low ? last[low - 1] : ROWDIFF_NONE;
		last[low] = i;
		if (low == length)
			length++;
	}
	if (rc == 0 && length)
		for (size_t i = last[length - 1]; i != ROWDIFF_NONE; i = before[i])
			stays[i] = 1;
	free(last);
	free(before);
	return rc;
}

static int report_moved(struct rowdiff *d, size_t *cap)
{
	const struct rowdiff_side *now = &d->side[ROWDIFF_NOW];
	char *stays = calloc(now->columns.n + 1, 1);
	int rc = stays ? find_order(stays, now) : err_no_memory();

	for (size_t i = 0; rc == 0 && i < now->columns.n; i++)
		if (!stays[i] && now->partner[i] != ROWDIFF_NONE && !is_renamed(d, i))
			rc = report(d, cap,
				(struct rowdiff_column){.kind = ROWDIFF_COLUMN_MOVED,
					.old_at = now->partner[i],
					.now_at = i});
	free(stays);
	return rc;
}

int rowdiff_columns_report(struct rowdiff *d)
{
	const struct rowdiff_side *old = &d->side[ROWDIFF_OLD], *now = &d->side[ROWDIFF_NOW];
	size_t cap = 0;
	int rc = 0;

	if (old->file.fd < 0 || now->file.fd < 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < now->columns.n; i++)
		if (now->partner[i] == ROWDIFF_NONE)
			rc = report(d, &cap,
				(struct rowdiff_column){.kind = ROWDIFF_COLUMN_ADDED,
					.old_at = ROWDIFF_NONE,
					.now_at = i});
	for (size_t i = 0; rc == 0 && i < old->columns.n; i++)
		if (old->partner[i] == ROWDIFF_NONE)
			rc = report(d, &cap,
				(struct rowdiff_column){.kind = ROWDIFF_COLUMN_REMOVED,
					.old_at = i,
					.now_at = ROWDIFF_NONE});
	for (size_t i = 0; rc == 0 && i < now->columns.n; i++)
		if (is_renamed(d, i))
			rc = report(d, &cap,
				(struct rowdiff_column){.kind = ROWDIFF_COLUMN_RENAMED,
					.old_at = now->partner[i],
					.now_at = i});
	return rc == 0 && d->format != ROWS_JSONL ? report_moved(d, &cap) : rc;
}
