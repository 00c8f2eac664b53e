/*
 * A row of CSV becomes cells.  Without quotes they are what stands between the delimiters; with
 * quotes that only enclose whole cells, what stands between these.  All else is libcsv's
 * (csvread.h).  The three ways give the same cells, which tests and a fuzzer compare.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/table/rows_csv.h"

void rows_csv_release(struct rows_csv *c)
{
	csvread_free(c->reader);
	buf_release(&c->bytes);
	buf_release(&c->text);
	free(c->cells);
	memset(c, 0, sizeof(*c));
}

static const char *find(const char *p, char c, const char *end)
{
	return p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
}

static int add_cell(struct rows_csv *c, const char *p, size_t len, uint64_t line)
{
	int rc;

	if (c->n == CSVREAD_FIELDS_MAX)
		return err_set(ERR_LIMIT, "%s:%llu: more than %d fields in a row", c->name,
			(unsigned long long)line, CSVREAD_FIELDS_MAX);
	rc = array_room(&c->cells, c->n, &c->cap, sizeof(*c->cells));
	if (rc == 0)
		c->cells[c->n++] = (struct rows_cell){p, len, 0};
	return rc;
}

int rows_csv_split(struct rows_csv *c, const char *text, size_t len, uint64_t line)
{
	const char *p = text, *end = p + len;
	int rc = 0;

	c->n = 0;
	while (rc == 0) {
		const char *stop = find(p, c->delimiter, end);

		rc = add_cell(c, p, (size_t)((stop ? stop : end) - p), line);
		if (stop == NULL)
			break;
		p = stop + 1;
	}
	return rc;
}

int rows_csv_split_quoted(struct rows_csv *c, const char *text, size_t len, uint64_t line)
{
	const char *p = text, *end = p + len;

	c->n = 0;
	for (;;) {
		int is_quoted = p < end && *p == '"';
		const char *start = p + is_quoted;
		const char *stop = find(start, is_quoted ? '"' : c->delimiter, end);

		if (is_quoted && stop == NULL)
			return 0;
		if (stop == NULL)
			stop = end;
		if (!is_quoted && find(start, '"', stop) != NULL)
			return 0;
		if (add_cell(c, start, (size_t)(stop - start), line) < 0)
			return 0; /* the other way will say so */
		p = stop + is_quoted;
		if (p == end)
			return 1;
		if (*p++ != c->delimiter)
			return 0;
	}
}

/* --- libcsv --------------------------------------------------------------------------------------
 */

static int take_row(const struct csvread_row *row, void *data)
{
	struct rows_csv *c = data;
	size_t at = 0;
	int rc = 0;

	buf_reset(&c->bytes);
	for (size_t i = 0; rc == 0 && i < row->n; i++)
		rc = buf_add(&c->bytes, row->v[i], row->len[i]);
	c->n = 0;
	for (size_t i = 0; rc == 0 && i < row->n; at += row->len[i++])
		rc = add_cell(c, buf_str(&c->bytes) + at, row->len[i], row->line);
	c->is_complete = 1;
	return rc;
}

int rows_csv_begin(struct rows_csv *c, uint64_t line)
{
	int rc = 0;

	if (c->reader == NULL)
		rc = csvread_new(&c->reader, c->name, c->delimiter, take_row, c);
	if (rc == 0)
		csvread_at(c->reader, line);
	c->is_complete = 0;
	return rc;
}

int rows_csv_feed(struct rows_csv *c, const char *text, size_t len)
{
	return csvread_feed(c->reader, text, len);
}

int rows_csv_end(struct rows_csv *c)
{
	return csvread_end(c->reader);
}

/* --- cells as text -------------------------------------------------------------------------------
 */

/* Append a cell, in quotes if it needs them. */
static int add_text(struct buf *out, const struct rows_cell *cell, char delimiter)
{
	const char *p = cell->p, *end = p + cell->len;
	int rc;

	if (!find(p, '"', end) && !find(p, delimiter, end) && !find(p, '\n', end) &&
		!find(p, '\r', end))
		return buf_add(out, p, cell->len);
	rc = buf_addch(out, '"');
	while (rc == 0 && p < end) {
		const char *quote = find(p, '"', end);

		rc = buf_add(out, p, (size_t)((quote ? quote : end) - p));
		if (rc == 0 && quote != NULL)
			rc = buf_addstr(out, "\"\"");
		p = quote ? quote + 1 : end;
	}
	return rc == 0 ? buf_addch(out, '"') : rc;
}

int rows_csv_text(struct rows_csv *c, struct rows_cell *text)
{
	int rc = 0;

	buf_reset(&c->text);
	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		if (i > 0)
			rc = buf_addch(&c->text, c->delimiter);
		if (rc == 0)
			rc = add_text(&c->text, &c->cells[i], c->delimiter);
	}
	*text = (struct rows_cell){buf_str(&c->text), c->text.len, 0};
	return rc;
}
