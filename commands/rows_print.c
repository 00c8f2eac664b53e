/*
 * A row diff as text: the first line says how much, the next ones which columns, then come rows as
 * they stand in the files.  Cells are anything, so they go through visible.h.  The JSON of it is in
 * rows_node.c.
 */
#include "commands/rows_print.h"

#include <stdio.h>
#include <string.h>

#include "commands/insideline.h"
#include "commands/visible.h"
#include "lib/table/rowwords.h"

struct printing {
	const struct rowdiff_summary *s;
	uint64_t shown;
	struct insideline line;
};

/* ---- the first line ---- */

static uint64_t differing(const struct rowdiff_summary *s)
{
	return s->added + s->removed + s->changed;
}

static int add_names(struct buf *out, const char *const *names, size_t n)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (i > 0)
			rc = buf_addstr(out, ", ");
		if (rc == 0)
			rc = visible_text(out, names[i]);
	}
	return rc;
}

/* "(of 1,000 -> 1,001; key: id)" */
static int add_whole(struct buf *out, const struct rowdiff_summary *s)
{
	int rc = buf_addstr(out, " (of ");

	if (rc == 0 && s->rows[0] != s->rows[1]) {
		rc = buf_addcount(out, s->rows[0]);
		if (rc == 0)
			rc = buf_addstr(out, " -> ");
	}
	if (rc == 0)
		rc = buf_addcount(out, s->rows[1]);
	if (rc == 0)
		rc = buf_addstr(out, s->n_key > 0 ? "; key: " : "; no key");
	if (rc == 0)
		rc = add_names(out, s->key, s->n_key);
	return rc == 0 ? buf_addch(out, ')') : rc;
}

/* "2 rows added, 1 removed, 3 changed (of 1,000 -> 1,001; key: id)" */
static int add_summary(struct buf *out, const struct rowdiff_summary *s)
{
	size_t start = out->len;
	int rc = rowwords_counts(out, s->added, s->removed, s->changed);

	if (rc == 0 && out->len == start)
		rc = buf_addstr(out, s->n_columns > 0		   ? "columns differ"
				     : s->rows[0] + s->rows[1] > 0 ? "the same rows"
								   : "no rows");
	return rc == 0 ? add_whole(out, s) : rc;
}

static int print_summary(struct printing *p)
{
	struct buf summary = BUF_INIT;
	int rc = add_summary(&summary, p->s);

	if (rc == 0)
		rc = insideline_title(&p->line, buf_str(&summary));
	buf_release(&summary);
	return rc;
}

/* ---- columns ---- */

static const char *const column_kinds[] = {
	[ROWDIFF_COLUMN_ADDED] = "added",
	[ROWDIFF_COLUMN_REMOVED] = "removed",
	[ROWDIFF_COLUMN_RENAMED] = "renamed",
	[ROWDIFF_COLUMN_MOVED] = "moved",
};

static int print_column(struct printing *p, const struct rowdiff_column *c)
{
	int rc = buf_addf(&p->line.text, "    column %s: ", column_kinds[c->kind]);

	if (rc == 0)
		rc = visible_value(&p->line.text, c->old != NULL ? c->old : c->now);
	if (rc == 0 && c->kind == ROWDIFF_COLUMN_RENAMED) {
		rc = buf_addstr(&p->line.text, " -> ");
		if (rc == 0)
			rc = visible_value(&p->line.text, c->now);
	}
	if (rc == 0 && c->kind == ROWDIFF_COLUMN_ADDED)
		rc = buf_addf(&p->line.text, " (as column %zu)", c->now_at + 1);
	if (rc == 0 && c->kind == ROWDIFF_COLUMN_MOVED)
		rc = buf_addf(
			&p->line.text, " (from column %zu to %zu)", c->old_at + 1, c->now_at + 1);
	return rc == 0 ? insideline_end(&p->line) : rc;
}

/* ---- rows ---- */

/* "+ 1001,Zed,Rome" */
static int print_whole_row(struct printing *p, char sign, const char *color, const char *text)
{
	int rc = buf_addf(&p->line.text, "    %s%c ", insideline_paint(&p->line, color), sign);

	if (rc == 0)
		rc = visible_text(&p->line.text, text != NULL ? text : "");
	if (rc == 0)
		rc = buf_addstr(&p->line.text, insideline_paint(&p->line, insideline_plain));
	return rc == 0 ? insideline_end(&p->line) : rc;
}

/* "city Paris -> London" */
static int add_cell(struct printing *p, const struct rowdiff_cell *c)
{
	int rc = visible_text(&p->line.text, c->column);

	if (rc == 0)
		rc = buf_addch(&p->line.text, ' ');
	if (rc == 0)
		rc = insideline_value(&p->line, insideline_red, c->old);
	if (rc == 0)
		rc = buf_addstr(&p->line.text, " -> ");
	return rc == 0 ? insideline_value(&p->line, insideline_green, c->now) : rc;
}

/* "id=3, date=2024-01-02", of a row without a key "row 17" */
static int add_key(struct printing *p, const struct rowdiff_row *row)
{
	int rc = 0;

	if (row->n_key == 0)
		return buf_addf(&p->line.text, "row %llu", (unsigned long long)row->now_row);
	for (size_t i = 0; rc == 0 && i < row->n_key; i++) {
		if (i > 0)
			rc = buf_addstr(&p->line.text, ", ");
		if (rc == 0 && i < p->s->n_key)
			rc = visible_text(&p->line.text, p->s->key[i]);
		if (rc == 0)
			rc = buf_addch(&p->line.text, '=');
		if (rc == 0)
			rc = visible_value(&p->line.text, row->key[i]);
	}
	return rc;
}

/* "~ id=3: city Paris -> London, phone 12 -> 13" */
static int print_changed_row(struct printing *p, const struct rowdiff_row *row)
{
	int rc = buf_addstr(&p->line.text, "    ~ ");

	if (rc == 0)
		rc = add_key(p, row);
	for (size_t i = 0; rc == 0 && i < row->n_cells; i++) {
		rc = buf_addstr(&p->line.text, i > 0 ? ", " : ": ");
		if (rc == 0)
			rc = add_cell(p, &row->cells[i]);
	}
	return rc == 0 ? insideline_end(&p->line) : rc;
}

static int print_row(const struct rowdiff_row *row, void *data)
{
	struct printing *p = data;

	if (p->shown == p->line.o->most || ferror(stdout)) /* nobody reads on */
		return 1;
	p->shown++;
	if (row->kind == ROWDIFF_ADDED)
		return print_whole_row(p, '+', insideline_green, row->now_text);
	if (row->kind == ROWDIFF_REMOVED)
		return print_whole_row(p, '-', insideline_red, row->old_text);
	return print_changed_row(p, row);
}

static int print_below_summary(struct rowdiff *d, struct printing *p)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->s->n_columns; i++)
		rc = print_column(p, &p->s->columns[i]);
	if (rc == 0 && p->line.o->most > 0)
		rc = rowdiff_each(d, print_row, p);
	if (rc >= 0 && p->shown < differing(p->s))
		rc = insideline_rest(&p->line, differing(p->s) - p->shown, "");
	return rc < 0 ? rc : 0;
}

int rows_print_text(struct rowdiff *d, const struct rows_print *o)
{
	struct printing p = {.line.o = o, .s = rowdiff_summary(d)};
	int rc = print_summary(&p);

	if (rc == 0)
		rc = print_below_summary(d, &p);
	buf_release(&p.line.text);
	return rc;
}

/* Lines of the block begin with blanks: none of them can end it. */
int rows_print_markdown(struct rowdiff *d, const struct rows_print *o)
{
	const struct rows_print plainly = {.most = o->most, .path = o->path};
	struct printing p = {.line.o = &plainly, .s = rowdiff_summary(d)};
	int rc;

	puts("```");
	rc = print_summary(&p);
	if (rc == 0)
		rc = print_below_summary(d, &p);
	puts("```");
	buf_release(&p.line.text);
	return rc;
}
