/*
 * Merging the cells of one row.  Cells are compared by what they say, and copied as they stand, in
 * whatever quotes: a row in which theirs changed a cell differs from ours in that cell alone.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/table/rowmerge_internal.h"

/* Cells as they stand in the text of a row; p NULL: there is no such cell. */
struct raw_cells {
	struct rows_cell *v;
	size_t n, cap;
};

static int add_cell(struct raw_cells *c, const char *p, size_t len)
{
	int rc = array_room(&c->v, c->n, &c->cap, sizeof(*c->v));

	if (rc == 0)
		c->v[c->n++] = (struct rows_cell){.p = p, .len = len};
	return rc;
}

/* Behind the closing quote of a cell that begins with one. */
static const char *end_of_quoted(const char *p, const char *end)
{
	for (p++; p < end; p++)
		if (*p == '"' && !(p + 1 < end && p[1] == '"'))
			return p + 1;
		else if (*p == '"')
			p++;
	return end;
}

static int split(struct raw_cells *out, const struct rowmerge_version *row, char delimiter)
{
	const char *p = row->text, *end = p + row->len;
	int rc = 0;

	out->n = 0;
	while (rc == 0) {
		const char *from = p < end && *p == '"' ? end_of_quoted(p, end) : p;
		const char *d = from < end ? memchr(from, delimiter, (size_t)(end - from)) : NULL;

		if (d == NULL)
			return add_cell(out, p, (size_t)(end - p));
		rc = add_cell(out, p, (size_t)(d - p));
		p = d + 1;
	}
	return rc;
}

/* ---- what a cell says ---- */

struct reading {
	const char *p, *end;
	int quoted;
};

static struct reading read_cell(const struct rows_cell *c)
{
	struct reading r = {c->p, c->p + c->len, c->len >= 2 && c->p[0] == '"'};

	r.p += r.quoted;
	return r;
}

/* The next character, or -1. */
static int next_char(struct reading *r)
{
	if (r->p >= r->end)
		return -1;
	if (r->quoted && *r->p == '"') {
		if (r->p + 1 >= r->end || r->p[1] != '"') {
			r->p = r->end;
			return -1;
		}
		r->p++;
	}
	return (unsigned char)*r->p++;
}

static int says_the_same(const struct rows_cell *a, const struct rows_cell *b)
{
	struct reading x, y;
	int c;

	if (a->p == NULL || b->p == NULL)
		return a->p == b->p;
	x = read_cell(a);
	y = read_cell(b);
	do {
		c = next_char(&x);
		if (c != next_char(&y))
			return 0;
	} while (c >= 0);
	return 1;
}

/* ---- a row ---- */

static const struct rows_cell nothing = {.p = NULL};

static const struct rows_cell *cell_of(
	const struct rowmerge *m, const struct raw_cells *cells, int side, const char *column)
{
	const size_t at = rowmerge_find_column(&m->side[side].columns, column);

	return at < cells[side].n ? &cells[side].v[at] : &nothing;
}

/* Whether the other side changed a cell of a column that the frame has no more. */
static int changed_what_is_gone(const struct rowmerge *m, const struct raw_cells *cells)
{
	const struct strvec *columns = &m->side[m->other].columns;

	for (size_t i = 0; i < columns->n; i++)
		if (rowmerge_find_column(&m->side[m->frame].columns, columns->v[i]) ==
				ROWMERGE_NO_COLUMN &&
			!says_the_same(cell_of(m, cells, ROWMERGE_BASE, columns->v[i]),
				cell_of(m, cells, m->other, columns->v[i])))
			return 1;
	return 0;
}

/* Whether a row that the other side added has a value for which the frame has no column, though it
 * has another one instead: that may be the same column by its new name. */
static int loses_a_value(const struct rowmerge *m, const struct raw_cells *cells)
{
	const struct rowmerge_side *frame = &m->side[m->frame], *other = &m->side[m->other];
	int has_new = 0, loses = 0;

	for (size_t i = 0; i < frame->columns.n; i++)
		has_new |= rowmerge_find_column(&other->columns, frame->columns.v[i]) ==
			   ROWMERGE_NO_COLUMN;
	for (size_t i = 0; has_new && i < other->columns.n && i < cells[m->other].n; i++)
		loses |= cells[m->other].v[i].len > 0 &&
			 rowmerge_find_column(&frame->columns, other->columns.v[i]) ==
				 ROWMERGE_NO_COLUMN;
	return loses;
}

/* 1: both changed it differently. */
static int merge_cell(const struct rows_cell **out, const struct rowmerge *m,
	const struct raw_cells *cells, size_t column)
{
	const char *name = m->side[m->frame].columns.v[column];
	const struct rows_cell *base = cell_of(m, cells, ROWMERGE_BASE, name);
	const struct rows_cell *frame = cell_of(m, cells, m->frame, name);
	const struct rows_cell *other = cell_of(m, cells, m->other, name);

	*out = frame;
	if (rowmerge_find_column(&m->side[m->other].columns, name) == ROWMERGE_NO_COLUMN ||
		says_the_same(base, other) || says_the_same(frame, other))
		return 0;
	*out = other;
	return !says_the_same(base, frame);
}

static int merge_cells(struct buf *out, const struct rowmerge *m, const struct raw_cells *cells)
{
	const size_t n = m->side[m->frame].columns.n, start = out->len;
	int rc = 0;

	for (int i = 0; i < ROWMERGE_SIDES; i++) /* cells without a column have no name */
		if (cells[i].n > m->side[i].columns.n)
			return 1;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct rows_cell *cell = NULL;

		rc = merge_cell(&cell, m, cells, i);
		if (rc == 0 && i > 0)
			rc = buf_addch(out, m->side[m->frame].delimiter);
		if (rc == 0 && cell->p != NULL)
			rc = buf_add(out, cell->p, cell->len);
	}
	if (rc != 0)
		buf_truncate(out, start);
	return rc;
}

static int merge_texts(struct buf *out, const struct rowmerge *m,
	const struct rowmerge_version v[static ROWMERGE_SIDES], int is_new)
{
	struct raw_cells cells[ROWMERGE_SIDES] = {{0}};
	int rc = m->format == ROWS_JSONL;

	for (int i = 0; rc == 0 && i < ROWMERGE_SIDES; i++)
		if (v[i].text != NULL)
			rc = split(&cells[i], &v[i], m->side[i].delimiter);
	if (rc == 0)
		rc = is_new ? loses_a_value(m, cells) : changed_what_is_gone(m, cells);
	if (rc == 0)
		rc = merge_cells(out, m, cells);
	for (int i = 0; i < ROWMERGE_SIDES; i++)
		free(cells[i].v);
	return rc;
}

int rowmerge_cells(struct buf *out, const struct rowmerge *m,
	const struct rowmerge_version v[static ROWMERGE_SIDES])
{
	return merge_texts(out, m, v, 0);
}

int rowmerge_recast(struct buf *out, const struct rowmerge *m, const struct rowmerge_version *row)
{
	struct rowmerge_version v[ROWMERGE_SIDES] = {{NULL, 0}};

	if (m->same_columns || m->format == ROWS_JSONL)
		return buf_add(out, row->text, row->len);
	v[m->other] = *row;
	return merge_texts(out, m, v, 1);
}
