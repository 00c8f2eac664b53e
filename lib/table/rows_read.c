/*
 * A file becomes rows: blocks are read by pread, row ends found by memchr.  A row that has a quote
 * goes through libcsv (csvread.h), line by line until it is complete; all others - nearly all of
 * most files - are taken as they stand, and even their cells are only looked for when somebody
 * asks.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/table/csvread.h"
#include "lib/table/rows_csv.h"
#include "lib/table/rows_json.h"
#include "lib/table/rows_read.h"

#define BOM "\xef\xbb\xbf"

enum {
	BLOCK_MIN = 4,
	PIECE_FIRST = 1 << 10,
	ROW_MAX = 256 << 20
}; /* the first block holds the byte order mark */

struct rows_read {
	struct rows_file file;
	enum rows_format format;
	struct strvec columns;
	char *block;
	size_t room, have, at; /* bytes of the block: allocated, read, taken */
	size_t piece;	       /* to read next */
	uint64_t base;	       /* offset in the file of block[0] */
	uint64_t line, number; /* of the next row */
	int has_cells;
	struct rows_row row;
	struct rows_csv csv;
	struct rows_json json;
	/* in [lf_from, lf) of the file is no '\n' */
	uint64_t lf_from, lf;
};

/* --- bytes ---------------------------------------------------------------------------------------
 */

/* More bytes behind those from `at` on, which may move.  1; 0: the file has no more. */
static int fill(struct rows_read *r)
{
	uint64_t end = r->base + r->have, left;
	size_t want;
	ssize_t got;

	if (r->file.fd < 0 || end >= r->file.size)
		return 0;
	left = r->file.size - end;
	if (r->at > 0) {
		memmove(r->block, r->block + r->at, r->have - r->at);
		r->base += r->at;
		r->have -= r->at;
		r->at = 0;
	}
	if (r->have == r->room) {
		char *block = r->room < ROW_MAX ? realloc(r->block, r->room * 2) : NULL;

		if (r->room >= ROW_MAX)
			return err_set(ERR_LIMIT,
				"%s:%llu: a row of more than %d MiB; is a quote or line end "
				"missing?",
				r->file.name, (unsigned long long)r->line, ROW_MAX >> 20);
		if (block == NULL)
			return err_no_memory();
		r->block = block;
		r->room *= 2;
	}
	want = r->room - r->have;
	if (want > r->piece)
		want = r->piece;
	if (want > left)
		want = (size_t)left;
	r->piece = r->piece < r->room / 2 ? r->piece * 2 : r->room;
	got = fs_pread_full(r->file.fd, r->block + r->have, want, r->base + r->have);
	if (got < 0)
		return err_prefix((int)got, "cannot read '%s'", r->file.name);
	if ((size_t)got < want)
		return err_set(ERR_CHANGED, "'%s' became shorter while it was read", r->file.name);
	r->have += want;
	return 1;
}

/* The first '\n' from `p` on, or `end`.  What was found is remembered: of a file whose rows end
 * with CR alone each of them would look through the whole block. */
static const char *find_lf(struct rows_read *r, const char *p, const char *end)
{
	uint64_t from = r->base + (uint64_t)(p - r->block),
		 to = r->base + (uint64_t)(end - r->block);
	const char *lf;

	if (from >= r->lf_from && from < r->lf)
		p = r->lf < to ? end - (to - r->lf) : end;
	else
		r->lf_from = from;
	lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	if (lf == NULL)
		lf = end;
	if (p < end || r->lf_from == from)
		r->lf = r->base + (uint64_t)(lf - r->block);
	return lf;
}

/* *end: where, from `at` on, the line that holds at + from ends: at its '\n', or for CSV '\r'.
 * 1; 0: there is no line end, the file ends there. */
static int find_end(struct rows_read *r, size_t from, size_t *end)
{
	for (;;) {
		const char *p = r->block + r->at + from;
		size_t n = r->have - r->at - from;
		const char *lf = find_lf(r, p, p + n);
		const char *cr = NULL;
		int rc, has_lf = lf < p + n;

		n = (size_t)(lf - p);
		if (r->format != ROWS_JSONL && n)
			cr = memchr(p, '\r', n);
		if (cr != NULL)
			n = (size_t)(cr - p);
		*end = from + n;
		if (cr != NULL || has_lf)
			return 1;
		from += n;
		rc = fill(r);
		if (rc <= 0)
			return rc;
	}
}

/* Over empty lines, to where a row begins: 1; 0: the file ends. */
static int skip_line_ends(struct rows_read *r)
{
	for (;;) {
		int rc;

		for (; r->at < r->have; r->at++) {
			if (r->block[r->at] == '\n')
				r->line++;
			else if (r->block[r->at] != '\r')
				return 1;
		}
		rc = fill(r);
		if (rc <= 0)
			return rc;
	}
}

/* --- rows of CSV ---------------------------------------------------------------------------------
 */

/* A row with quotes, from the line whose end was found on: *end becomes that of the row. */
static int read_quoted(struct rows_read *r, size_t *end, int has_end)
{
	size_t fed = 0;
	int rc = rows_csv_begin(&r->csv, r->line);

	while (rc == 0) {
		size_t len = *end + (size_t)has_end;

		rc = rows_csv_feed(&r->csv, r->block + r->at + fed, len - fed);
		fed = len;
		if (rc == 0 && !has_end)
			return rows_csv_end(&r->csv);
		if (rc < 0 || r->csv.is_complete)
			break;
		has_end = find_end(r, fed, end);
		if (has_end < 0)
			rc = has_end;
	}
	return rc;
}

static uint64_t count_lines(const char *p, size_t len)
{
	uint64_t n = 0;

	for (const char *end = p + len; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		n++;
	return n;
}

static int is_blank(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r", p[i]) || p[i] == '\0')
			return 0;
	return 1;
}

/* To the next line of JSON: 1 and *end; 0: the file ends. */
static int next_object(struct rows_read *r, size_t *end)
{
	int rc;

	while ((rc = skip_line_ends(r)) > 0) {
		rc = find_end(r, 0, end);
		if (rc < 0)
			return rc;
		if (!is_blank(r->block + r->at, *end))
			return 1;
		r->at += *end;
	}
	return rc;
}

static int next_csv(struct rows_read *r, struct rows_row *row, size_t *end)
{
	int rc = skip_line_ends(r), has_end;

	if (rc <= 0)
		return rc;
	has_end = find_end(r, 0, end);
	if (has_end < 0)
		return has_end;
	row->line = r->line;
	row->plain = memchr(r->block + r->at, '"', *end) == NULL;
	if (row->plain)
		return 1;
	r->has_cells = 1;
	if (rows_csv_split_quoted(&r->csv, r->block + r->at, *end, r->line))
		return 1;
	rc = read_quoted(r, end, has_end);
	r->line += count_lines(r->block + r->at, *end);
	return rc < 0 ? rc : 1;
}

int rows_read_next(struct rows_read *r, struct rows_row *row)
{
	size_t end;
	int rc;

	r->has_cells = 0;
	if (r->format == ROWS_JSONL) {
		rc = next_object(r, &end);
		row->line = r->line;
		row->plain = 0;
	} else {
		rc = next_csv(r, row, &end);
	}
	if (rc <= 0)
		return rc;
	row->offset = r->base + r->at;
	row->text = r->block + r->at;
	row->len = end;
	while (r->format == ROWS_JSONL && row->text[row->len - 1] == '\r')
		row->len--;
	row->number = r->number++;
	r->at += end;
	r->row = *row;
	return 1;
}

int rows_read_cells(struct rows_read *r, const struct rows_cell **cells, size_t *n)
{
	const struct rows_row *row = &r->row;
	int rc = 0;

	if (!r->has_cells && r->format == ROWS_JSONL)
		rc = rows_json_parse(&r->json, r->file.name, row);
	else if (!r->has_cells)
		rc = rows_csv_split(&r->csv, row->text, row->len, row->line);
	r->has_cells = 1;
	*cells = r->format == ROWS_JSONL ? r->json.cells : r->csv.cells;
	*n = r->format == ROWS_JSONL ? r->json.columns.n : r->csv.n;
	return rc;
}

const size_t *rows_read_present(const struct rows_read *r, size_t *n)
{
	*n = r->json.n_present;
	return r->json.present;
}

int rows_read_text(struct rows_read *r, struct rows_cell *text)
{
	const struct rows_cell *cells;
	size_t n;
	int rc = rows_read_cells(r, &cells, &n);

	return rc == 0 ? rows_csv_text(&r->csv, text) : rc;
}

int rows_read_is_empty(const struct rows_cell *cell)
{
	return cell->len == 0 || (cell->json && cell->len == 4 && !memcmp(cell->p, "null", 4));
}

/* --- files ---------------------------------------------------------------------------------------
 */

/* By its byte order mark. */
static int is_utf16(const char *text)
{
	return !memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2);
}

/* Up to the first row. */
static int start_csv(struct rows_read *r)
{
	const struct rows_cell *names = NULL;
	struct rows_row header;
	size_t n;
	int rc = skip_line_ends(r);

	if (rc > 0)
		rc = find_end(r, 0, &n);
	if (rc < 0 || r->at == r->have)
		return rc;
	r->csv.delimiter = r->format == ROWS_TSV
				   ? '\t'
				   : csvread_delimiter_of(r->file.name, r->block + r->at, n);
	rc = rows_read_next(r, &header);
	if (rc > 0)
		rc = rows_read_cells(r, &names, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = strvec_pushn(&r->columns, names[i].p, names[i].len);
	r->number = 1;
	return rc;
}

int rows_read_new(
	struct rows_read **out, const struct rows_file *f, enum rows_format format, size_t block)
{
	struct rows_read *r = calloc(1, sizeof(*r));
	int rc = r ? 0 : err_no_memory();

	if (rc == 0) {
		r->file = *f;
		r->format = format;
		r->csv.name = f->name;
		r->csv.delimiter = ',';
		r->line = r->number = 1;
		if (block < BLOCK_MIN)
			block = BLOCK_MIN;
		r->room = f->size < block ? (size_t)f->size + 1 : block;
		r->piece = r->room;
		r->block = malloc(r->room);
		if (r->block == NULL)
			rc = err_no_memory();
	}
	if (rc == 0)
		rc = fill(r);
	if (rc > 0 && r->have >= 2 && is_utf16(r->block))
		rc = err_set(ERR_INVALID,
			"%s:1: this is UTF-16; tables are read in UTF-8 ('iconv -f UTF-16 -t "
			"UTF-8' converts it)",
			f->name);
	if (rc > 0 && r->have >= 3 && !memcmp(r->block, BOM, 3))
		r->at = 3;
	if (rc > 0 && format != ROWS_JSONL)
		rc = start_csv(r);
	if (rc < 0) {
		rows_read_free(r);
		r = NULL;
	}
	*out = r;
	return rc < 0 ? rc : 0;
}

void rows_read_free(struct rows_read *r)
{
	if (r == NULL)
		return;
	rows_csv_release(&r->csv);
	rows_json_release(&r->json);
	strvec_release(&r->columns);
	free(r->block);
	free(r);
}

const struct strvec *rows_read_columns(const struct rows_read *r)
{
	return r->format == ROWS_JSONL ? &r->json.columns : &r->columns;
}

int rows_read_expect(struct rows_read *r, const struct strvec *columns)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && r->format == ROWS_JSONL && i < columns->n; i++)
		rc = rows_json_expect(&r->json, columns->v[i]);
	return rc;
}

char rows_read_delimiter(const struct rows_read *r)
{
	return r->csv.delimiter;
}

void rows_read_seek(struct rows_read *r, uint64_t offset, uint64_t number)
{
	uint64_t end = r->base + r->have;

	r->number = number;
	r->has_cells = 0;
	if (offset >= r->base && offset <= end) {
		r->at = (size_t)(offset - r->base);
		return;
	}
	if (offset < end || offset - end > r->room) /* here and there: not much of it is wanted */
		r->piece = PIECE_FIRST;
	r->base = offset;
	r->have = r->at = 0;
}
