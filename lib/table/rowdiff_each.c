/*
 * What differs is read once more, each row by its offset: to count the cells that changed, and to
 * show rows.
 *
 * Rows come in the order of the newer file.  A removed row stands behind as many rows that both
 * files have as it did in the older one; where nothing was moved, that is its place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/pathpool.h"
#include "lib/table/rowdiff_internal.h"

/* Cells behind the last column of the header, counted together. */
#define ROWDIFF_BEYOND "(beyond the last column)"

enum { NAME_MAX_LEN = 24 }; /* of "(9)" */

int rowdiff_read_again(
	struct rowdiff_again *a, struct rowdiff *d, int which, uint64_t number, uint64_t offset)
{
	struct rows_read *r = d->side[which].again;
	int rc;

	rows_read_seek(r, offset, number);
	rc = rows_read_next(r, &a->row);
	if (rc == 0)
		rc = err_set(ERR_CHANGED, "'%s' became shorter while it was read",
			d->side[which].file.name);
	return rc < 0 ? rc : rows_read_cells(r, &a->cells, &a->n);
}

/* --- cells of two rows ---------------------------------------------------------------------------
 */

struct rows_cell rowdiff_cell_of(const struct rowdiff_again *a, size_t at)
{
	return at < a->n ? a->cells[at] : (struct rows_cell){NULL, 0, 0};
}

int rowdiff_same_cell(const struct rows_cell *a, const struct rows_cell *b)
{
	if (a->p == NULL || b->p == NULL)
		return a->p == b->p;
	return a->json == b->json && a->len == b->len && !memcmp(a->p, b->p, a->len);
}

/* Each cell in which they differ: its column in the newer file, which is none for those behind the
 * last column of the header. */
static int each_difference(const struct rowdiff *d, const struct rowdiff_again *old,
	const struct rowdiff_again *now,
	int (*fn)(size_t column, const struct rows_cell *old, const struct rows_cell *now,
		void *data),
	void *data)
{
	const struct rowdiff_side *sides = d->side;
	size_t n_old = sides[ROWDIFF_OLD].columns.n, n_now = sides[ROWDIFF_NOW].columns.n;
	size_t most = 0;
	int rc = 0;

	if (old->n > n_old)
		most = old->n - n_old;
	if (now->n > n_now && now->n - n_now > most)
		most = now->n - n_now;
	for (size_t i = 0; rc == 0 && i < n_now + most; i++) {
		size_t at = i < n_now ? sides[ROWDIFF_NOW].partner[i] : n_old + (i - n_now);
		struct rows_cell a, b;

		if (at == ROWDIFF_NONE)
			continue;
		a = rowdiff_cell_of(old, at);
		b = rowdiff_cell_of(now, i);
		if (!rowdiff_same_cell(&a, &b))
			rc = fn(i, &a, &b, data);
	}
	return rc;
}

/* --- counting ------------------------------------------------------------------------------------
 */

struct counting {
	uint64_t *changed; /* by column of the newer file; one more for all behind the last */
	size_t n;
};

static int count_cell(
	size_t column, const struct rows_cell *old, const struct rows_cell *now, void *data)
{
	struct counting *c = data;

	(void)old;
	(void)now;
	c->changed[column < c->n ? column : c->n]++;
	return 0;
}

static int most_first(const void *a, const void *b)
{
	const struct rowdiff_cells *x = a, *y = b;

	if (x->changed != y->changed)
		return x->changed > y->changed ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

static int collect(struct rowdiff *d, const struct counting *c)
{
	size_t n = 0;

	d->cells = calloc(c->n + 1, sizeof(*d->cells));
	if (d->cells == NULL)
		return err_no_memory();
	for (size_t i = 0; i <= c->n; i++)
		if (c->changed[i])
			d->cells[n++] = (struct rowdiff_cells){
				i < c->n ? d->side[ROWDIFF_NOW].columns.v[i] : ROWDIFF_BEYOND,
				c->changed[i]};
	qsort(d->cells, n, sizeof(*d->cells), most_first);
	d->summary.cells = d->cells;
	d->summary.n_cells = n;
	return 0;
}

int rowdiff_count_cells(struct rowdiff *d)
{
	struct counting c = {.n = d->side[ROWDIFF_NOW].columns.n};
	const uint64_t *change;
	uint64_t steps = 0;
	int rc;

	c.changed = calloc(c.n + 1, sizeof(*c.changed));
	if (c.changed == NULL)
		return err_no_memory();
	while ((rc = runsort_next(d->changes, &change)) > 0) {
		struct rowdiff_again old, now;

		if (change[CHANGE_OLD_NUMBER] == 0)
			continue;
		rc = rowdiff_read_again(
			&old, d, ROWDIFF_OLD, change[CHANGE_OLD_NUMBER], change[CHANGE_OLD_OFFSET]);
		if (rc == 0)
			rc = rowdiff_read_again(&now, d, ROWDIFF_NOW, change[CHANGE_NOW_NUMBER],
				change[CHANGE_NOW_OFFSET]);
		if (rc == 0)
			rc = each_difference(d, &old, &now, count_cell, &c);
		if (rc == 0 && ++steps % 1024 == 0)
			rc = rowdiff_stopped(d);
		if (rc < 0)
			break;
	}
	if (rc == 0)
		rc = collect(d, &c);
	free(c.changed);
	return rc;
}

/* --- showing -------------------------------------------------------------------------------------
 */

/* A row for the caller. */
struct shown {
	struct rowdiff *d;
	struct rowdiff_row row;
	struct pathpool *strings; /* that it points to */
	struct buf text;	  /* of one of them, while it is made */
	struct rowdiff_cell *cells;
	size_t n, cap;
	const char **key;
	struct rowdiff_again side[ROWDIFF_SIDES];
};

static int keep(struct shown *s, const char **out, const char *p, size_t len)
{
	*out = pathpool_keep(&s->strings, p, len);
	return *out ? 0 : err_no_memory();
}

/* NUL characters, which would end it, become U+FFFD. */
static int add_string(struct shown *s, const char **out, const struct rows_cell *cell)
{
	const char *p = cell->p, *end, *nul;
	int rc = 0;

	*out = NULL;
	if (p == NULL)
		return 0;
	end = p + cell->len;
	buf_reset(&s->text);
	while (rc == 0 && (nul = memchr(p, '\0', (size_t)(end - p))) != NULL) {
		rc = buf_add(&s->text, p, (size_t)(nul - p));
		if (rc == 0)
			rc = buf_addstr(&s->text, "\xef\xbf\xbd");
		p = nul + 1;
	}
	if (rc < 0 || p == cell->p)
		return rc == 0 ? keep(s, out, p, cell->len) : rc;
	rc = buf_add(&s->text, p, (size_t)(end - p));
	return rc == 0 ? keep(s, out, s->text.p, s->text.len) : rc;
}

/* The name of a column, or for cells behind the last one their number: "(9)". */
static int column_name(struct shown *s, const char **out, int which, size_t column)
{
	const struct strvec *names = &s->d->side[which].columns;
	char number[NAME_MAX_LEN];
	int n;

	if (column < names->n) {
		*out = names->v[column];
		return 0;
	}
	n = snprintf(number, sizeof(number), "(%zu)", column + 1);
	return keep(s, out, number, (size_t)n);
}

static int add_cell(struct shown *s, int which, size_t column, const struct rows_cell *old,
	const struct rows_cell *now)
{
	struct rowdiff_cell *cell;
	int rc = array_room(&s->cells, s->n, &s->cap, sizeof(*s->cells));

	if (rc < 0)
		return rc;
	cell = &s->cells[s->n++];
	rc = column_name(s, &cell->column, which, column);
	if (rc == 0)
		rc = add_string(s, &cell->old, old);
	return rc == 0 ? add_string(s, &cell->now, now) : rc;
}

/* A string of JSON that looks like the other cell, which is none ("1" and 1), gets its quotes. */
static int add_quoted(struct shown *s, const char **out)
{
	int rc;

	buf_reset(&s->text);
	rc = buf_addf(&s->text, "\"%s\"", *out);
	return rc == 0 ? keep(s, out, s->text.p, s->text.len) : rc;
}

static int add_difference(
	size_t column, const struct rows_cell *old, const struct rows_cell *now, void *data)
{
	struct shown *s = data;
	int rc = add_cell(s, ROWDIFF_NOW, column, old, now);
	struct rowdiff_cell *cell = &s->cells[s->n - 1];

	if (rc < 0 || old->json == now->json || !cell->old || !cell->now ||
		strcmp(cell->old, cell->now) != 0)
		return rc;
	return add_quoted(s, old->json ? &cell->now : &cell->old);
}

/* The only cells of an added or removed row. */
static int add_cells(struct shown *s, int which)
{
	static const struct rows_cell none = {NULL, 0, 0};
	const struct rowdiff_again *a = &s->side[which];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->n; i++) {
		const struct rows_cell *cell = &a->cells[i];

		if (cell->p != NULL)
			rc = add_cell(s, which, i, which == ROWDIFF_OLD ? cell : &none,
				which == ROWDIFF_NOW ? cell : &none);
	}
	return rc;
}

static int add_key(struct shown *s, int which)
{
	const struct rowdiff_side *side = &s->d->side[which];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->d->n_key; i++) {
		struct rows_cell cell = rowdiff_cell_of(&s->side[which], side->key[i]);

		rc = add_string(s, &s->key[i], &cell);
	}
	s->row.key = s->key;
	s->row.n_key = s->d->n_key;
	return rc;
}

/* The row as it stands in its file. */
static int add_text(struct shown *s, int which)
{
	const struct rows_row *row = &s->side[which].row;
	struct rows_cell text = {row->text, row->len, 0};

	return add_string(s, which == ROWDIFF_OLD ? &s->row.old_text : &s->row.now_text, &text);
}

/* Read and hand out the row at these places; NULL: it is not there. */
static int show(struct shown *s, const uint64_t *old, const uint64_t *now,
	int (*fn)(const struct rowdiff_row *row, void *data), void *data)
{
	struct rowdiff_again *sides = s->side;
	int which = now ? ROWDIFF_NOW : ROWDIFF_OLD, rc = rowdiff_stopped(s->d);

	s->n = 0;
	pathpool_free(&s->strings);
	memset(&s->row, 0, sizeof(s->row));
	s->row.kind = old && now ? ROWDIFF_CHANGED : old ? ROWDIFF_REMOVED : ROWDIFF_ADDED;
	if (rc == 0 && old != NULL)
		rc = rowdiff_read_again(
			&sides[ROWDIFF_OLD], s->d, ROWDIFF_OLD, s->row.old_row = old[0], old[1]);
	if (rc == 0 && now != NULL)
		rc = rowdiff_read_again(
			&sides[ROWDIFF_NOW], s->d, ROWDIFF_NOW, s->row.now_row = now[0], now[1]);
	if (rc == 0 && old && now)
		rc = each_difference(
			s->d, &sides[ROWDIFF_OLD], &sides[ROWDIFF_NOW], add_difference, s);
	else if (rc == 0)
		rc = add_cells(s, which);
	if (rc == 0)
		rc = add_key(s, which);
	if (rc == 0 && !(old && now))
		rc = add_text(s, which);
	s->row.cells = s->cells;
	s->row.n_cells = s->n;
	return rc == 0 ? fn(&s->row, data) : rc;
}

static int next_of(struct runsort *from, const uint64_t **record)
{
	int rc = runsort_next(from, record);

	if (rc == 0)
		*record = NULL;
	return rc < 0 ? rc : 0;
}

int rowdiff_each(
	struct rowdiff *d, int (*fn)(const struct rowdiff_row *row, void *data), void *data)
{
	struct shown s = {.d = d};
	const uint64_t *change = NULL, *removed = NULL;
	uint64_t n_added = 0, n_removed = 0;
	int rc = runsort_rewind(d->changes);

	s.key = calloc(d->n_key + 1, sizeof(*s.key));
	if (s.key == NULL)
		rc = err_no_memory();
	if (rc == 0)
		rc = runsort_rewind(d->removed);
	if (rc == 0)
		rc = next_of(d->changes, &change);
	if (rc == 0)
		rc = next_of(d->removed, &removed);
	while (rc == 0 && (change || removed)) {
		int added = change && change[CHANGE_OLD_NUMBER] == 0;

		/* how many rows that both files have stand before each of them */
		if (removed && (!change || removed[REMOVED_NUMBER] - n_removed <=
						   change[CHANGE_NOW_NUMBER] - n_added)) {
			n_removed++;
			rc = show(&s, removed, NULL, fn, data);
			if (rc == 0)
				rc = next_of(d->removed, &removed);
		} else {
			n_added += (uint64_t)added;
			rc = show(&s, added ? NULL : change + CHANGE_OLD_NUMBER, change, fn, data);
			if (rc == 0)
				rc = next_of(d->changes, &change);
		}
	}
	pathpool_free(&s.strings);
	buf_release(&s.text);
	free(s.cells);
	free(s.key);
	return rc;
}
