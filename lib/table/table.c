/*
 * Tables: cells are made printable when they come in and measured when they are printed.
 *
 * Where the terminal is too narrow, the widest columns of text give way first, down to CUT_MIN;
 * they lose their middle, because paths and names differ at both ends.  Where it is too narrow even
 * so, nothing is cut.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/table/table.h"
#include "lib/table/width.h"

#define ELLIPSIS "\xe2\x80\xa6"

enum { GAP = 2, CUT_MIN = 8, MARKDOWN_MIN = 3 };

struct column {
	char *title;
	enum table_align align;
};

struct table {
	struct column *columns;
	size_t n;
	char **cells; /* row by row, n a row */
	size_t used, room;
	size_t rows; /* ended ones */
};

int table_new(struct table **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->columns[i].title);
	for (size_t i = 0; i < t->used; i++)
		free(t->cells[i]);
	free(t->columns);
	free(t->cells);
	free(t);
}

/* Without what a terminal would obey or break the line at. */
static char *printable(const char *text)
{
	const char *odd = text;
	struct buf b = BUF_INIT;
	char *made;

	while (*odd >= ' ' && *odd <= '~')
		odd++;
	if (*odd == '\0') /* as nearly all is */
		return strdup(text);
	if (utf8_add(&b, text) < 0 || buf_addstr(&b, "") < 0) {
		buf_release(&b);
		return NULL;
	}
	made = buf_detach(&b);
	if (made == NULL)
		return NULL;
	err_printable(made);
	for (char *p = made; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = '?';
	return made;
}

int table_column(struct table *t, const char *title, enum table_align align)
{
	struct column *grown = realloc(t->columns, (t->n + 1) * sizeof(*grown));
	char *text = printable(title);

	if (grown != NULL)
		t->columns = grown;
	if (grown == NULL || text == NULL) {
		free(text);
		return err_set(ERR_NOMEM, "out of memory");
	}
	t->columns[t->n++] = (struct column){.title = text, .align = align};
	return 0;
}

int table_cell(struct table *t, const char *text)
{
	if (t->used == (t->rows + 1) * t->n)
		return err_set(ERR_INVALID, "more cells in a row than the table has columns");
	if (array_room(&t->cells, t->used, &t->room, sizeof(*t->cells)) < 0)
		return ERR_NOMEM;
	t->cells[t->used] = printable(text);
	if (t->cells[t->used] == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	t->used++;
	return 0;
}

int table_end_row(struct table *t)
{
	int rc = 0;

	while (rc == 0 && t->used < (t->rows + 1) * t->n)
		rc = table_cell(t, "");
	if (rc == 0)
		t->rows++;
	return rc;
}

size_t table_rows(const struct table *t)
{
	return t->rows;
}

/* --- widths ------------------------------------------------------------------------------------
 */

static void measure(const struct table *t, size_t *widths)
{
	for (size_t i = 0; i < t->n; i++)
		widths[i] = width_of(t->columns[i].title);
	for (size_t i = 0; i < t->used; i++) {
		size_t w = width_of(t->cells[i]);

		if (w > widths[i % t->n])
			widths[i % t->n] = w;
	}
}

/* Let the widest columns of text give way until all fit.  Where that is not enough, lines will be
 * wrapped in any case, and names that were cut would be lost for nothing. */
static void fit(const struct table *t, size_t *widths, size_t most)
{
	for (;;) {
		size_t sum = (t->n - 1) * GAP, widest = t->n, second = CUT_MIN, to;

		for (size_t i = 0; i < t->n; i++) {
			sum += widths[i];
			if (t->columns[i].align == TABLE_LEFT && widths[i] > CUT_MIN &&
				(widest == t->n || widths[i] > widths[widest]))
				widest = i;
		}
		if (sum > most && widest == t->n)
			measure(t, widths);
		if (sum <= most || widest == t->n)
			return;
		for (size_t i = 0; i < t->n; i++)
			if (i != widest && t->columns[i].align == TABLE_LEFT && widths[i] > second)
				second = widths[i];
		to = widths[widest] > sum - most ? widths[widest] - (sum - most) : 0;
		if (to < second)
			to = second;
		widths[widest] = to < widths[widest] ? to : widths[widest] - 1;
	}
}

/* The bytes of `text` that take at most `width` columns. */
static size_t head_of(const char *text, size_t width)
{
	size_t at = 0, n;

	while (text[at] && (n = utf8_len(text + at)) > 0) {
		size_t w = width_of_char(text + at, n);

		if (w > width)
			break;
		width -= w;
		at += n;
	}
	return at;
}

/* Where the tail begins that takes at most `width` of all columns. */
static size_t tail_of(const char *text, size_t all, size_t width)
{
	size_t at = 0, n;

	while (all > width && (n = utf8_len(text + at)) > 0) {
		all -= width_of_char(text + at, n);
		at += n;
	}
	/* marks belong to the character before them */
	while (text[at] && (n = utf8_len(text + at)) > 0 && width_of_char(text + at, n) == 0)
		at += n;
	return at;
}

/* --- rows --------------------------------------------------------------------------------------
 */

static int add_blanks(struct buf *out, size_t n)
{
	int rc = 0;

	while (rc == 0 && n-- > 0)
		rc = buf_addch(out, ' ');
	return rc;
}

static int add_cut(struct buf *out, const char *text, size_t all, size_t width)
{
	size_t head = head_of(text, width / 2);
	size_t tail = tail_of(text, all, (width - 1) / 2);
	int rc = buf_add(out, text, head);

	if (rc == 0)
		rc = buf_addstr(out, ELLIPSIS);
	return rc < 0 ? rc : buf_addstr(out, text + tail);
}

/* A cell, cut and filled up to its width. */
static int add_padded(struct buf *out, const char *text, size_t width, enum table_align align)
{
	size_t all = width_of(text);
	struct buf cut = BUF_INIT;
	int rc = 0;

	if (all > width) {
		rc = add_cut(&cut, text, all, width);
		text = buf_str(&cut);
		all = width_of(text);
	}
	if (rc == 0 && align == TABLE_RIGHT && all < width)
		rc = add_blanks(out, width - all);
	if (rc == 0)
		rc = buf_addstr(out, text);
	if (rc == 0 && align == TABLE_LEFT && all < width)
		rc = add_blanks(out, width - all);
	buf_release(&cut);
	return rc;
}

static const char *cell(const struct table *t, size_t row, size_t column)
{
	return row == 0 ? t->columns[column].title : t->cells[(row - 1) * t->n + column];
}

static int text_row(struct buf *out, const struct table *t, size_t row, const size_t *widths)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		if (i)
			rc = add_blanks(out, GAP);
		if (rc == 0)
			rc = add_padded(out, cell(t, row, i), widths[i], t->columns[i].align);
	}
	while (out->len > 0 && out->p[out->len - 1] == ' ')
		buf_truncate(out, out->len - 1);
	return rc < 0 ? rc : buf_addch(out, '\n');
}

/* '|' ends a cell of Markdown, so it is escaped. */
static int markdown_text(struct buf *out, const char *text)
{
	int rc = 0;

	for (; rc == 0 && *text; text++) {
		if (*text == '|' || *text == '\\')
			rc = buf_addch(out, '\\');
		if (rc == 0)
			rc = buf_addch(out, *text);
	}
	return rc;
}

static int markdown_row(struct buf *out, const struct table *t, size_t row, const size_t *widths)
{
	struct buf text = BUF_INIT;
	int rc = buf_addch(out, '|');

	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		buf_reset(&text);
		rc = markdown_text(&text, cell(t, row, i));
		if (rc == 0)
			rc = buf_addch(out, ' ');
		if (rc == 0)
			rc = width_of(buf_str(&text)) > widths[i]
				     ? buf_addstr(out, buf_str(&text))
				     : add_padded(
					       out, buf_str(&text), widths[i], t->columns[i].align);
		if (rc == 0)
			rc = buf_addstr(out, " |");
	}
	buf_release(&text);
	return rc < 0 ? rc : buf_addch(out, '\n');
}

static int markdown_rule(struct buf *out, const struct table *t, const size_t *widths)
{
	int rc = buf_addch(out, '|');

	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		for (size_t k = 0; rc == 0 && k < widths[i] + 1; k++)
			rc = buf_addch(out, '-');
		if (rc == 0)
			rc = buf_addstr(out, t->columns[i].align == TABLE_RIGHT ? ":|" : "-|");
	}
	return rc < 0 ? rc : buf_addch(out, '\n');
}

/* RFC 4180's quoting; lines end in LF alone, as files of this system do. */
static int separated_row(struct buf *out, const struct table *t, size_t row, char delimiter)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		const char *text = cell(t, row, i);
		int quoted = strchr(text, '"') != NULL || strchr(text, delimiter) != NULL ||
			     (t->n == 1 && !*text);

		if (i)
			rc = buf_addch(out, delimiter);
		if (rc == 0 && quoted)
			rc = buf_addch(out, '"');
		for (; rc == 0 && *text; text++) {
			if (*text == '"')
				rc = buf_addch(out, '"');
			if (rc == 0)
				rc = buf_addch(out, *text);
		}
		if (rc == 0 && quoted)
			rc = buf_addch(out, '"');
	}
	return rc < 0 ? rc : buf_addch(out, '\n');
}

int table_print(const struct table *t, enum table_format format, size_t width, struct buf *out)
{
	size_t *widths = calloc(t->n + 1, sizeof(*widths));
	int rc = widths == NULL ? err_set(ERR_NOMEM, "out of memory") : 0;

	if (rc < 0 || t->n == 0)
		goto done;
	measure(t, widths);
	if (format == TABLE_TEXT && width > 0)
		fit(t, widths, width);
	for (size_t i = 0; format == TABLE_MARKDOWN && i < t->n; i++)
		if (widths[i] < MARKDOWN_MIN)
			widths[i] = MARKDOWN_MIN;
	for (size_t row = 0; rc == 0 && row <= t->rows; row++) {
		if (format == TABLE_TEXT)
			rc = text_row(out, t, row, widths);
		else if (format == TABLE_MARKDOWN)
			rc = markdown_row(out, t, row, widths);
		else
			rc = separated_row(out, t, row, format == TABLE_CSV ? ',' : '\t');
		if (rc == 0 && row == 0 && format == TABLE_MARKDOWN)
			rc = markdown_rule(out, t, widths);
	}
done:
	free(widths);
	return rc;
}

size_t table_terminal_width(int fd)
{
	struct winsize size;

	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}
