/*
 * libcsv finds the fields; here they become rows that know their line and have limits.
 *
 * libcsv does not tell where it is, so it is fed line by line: a row begins at the line before
 * which no row was open.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <csv.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/table/csvread.h"

#define BOM "\xef\xbb\xbf"

/* libcsv's states (its csv_parser.pstate): no row is open; a field is. */
enum { STATE_NO_ROW = 0, STATE_IN_FIELD = 2 };
enum { PIECE_MAX = 1 << 20, ROW_MAX = 256 << 20 };

struct csvread {
	struct csv_parser parser;
	char *name;
	csvread_row_fn *fn;
	void *data;
	int rc;	    /* what stopped the reading */
	size_t bom; /* bytes of a byte order mark seen; 3: past the beginning */
	uint64_t line, row_line;
	struct buf bytes; /* the fields of the row, each ended by a NUL */
	size_t *len;
	const char **v;
	size_t n, room;
};

static int no_blanks(unsigned char c)
{
	(void)c;
	return 0;
}

int csvread_new(
	struct csvread **out, const char *name, char delimiter, csvread_row_fn *fn, void *data)
{
	struct csvread *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	c->name = strdup(name);
	if (c->name == NULL || csv_init(&c->parser, CSV_APPEND_NULL) != 0) {
		free(c->name);
		free(c);
		return err_set(ERR_NOMEM, "out of memory");
	}
	csv_set_delim(&c->parser, (unsigned char)delimiter);
	csv_set_space_func(&c->parser, no_blanks);
	c->bytes.max = ROW_MAX;
	c->fn = fn;
	c->data = data;
	c->line = c->row_line = 1;
	*out = c;
	return 0;
}

void csvread_free(struct csvread *c)
{
	if (c == NULL)
		return;
	csv_free(&c->parser);
	buf_release(&c->bytes);
	free(c->len);
	free(c->v);
	free(c->name);
	free(c);
}

static int more_fields(struct csvread *c)
{
	size_t room = c->room ? c->room * 2 : 32;
	size_t *len = realloc(c->len, room * sizeof(*len));
	const char **v;

	if (len != NULL)
		c->len = len;
	v = len != NULL ? realloc(c->v, room * sizeof(*v)) : NULL;
	if (v == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	c->v = v;
	c->room = room;
	return 0;
}

static void on_field(void *text, size_t len, void *data)
{
	struct csvread *c = data;

	if (c->rc != 0)
		return;
	if (c->n == CSVREAD_FIELDS_MAX) {
		c->rc = err_set(ERR_LIMIT, "%s:%llu: more than %d fields in a row", c->name,
			(unsigned long long)c->row_line, CSVREAD_FIELDS_MAX);
		return;
	}
	if (c->n == c->room)
		c->rc = more_fields(c);
	if (c->rc == 0)
		c->rc = buf_add(&c->bytes, text, len);
	if (c->rc == 0)
		c->rc = buf_addch(&c->bytes, '\0');
	if (c->rc == 0)
		c->len[c->n++] = len;
}

static void on_row(int end, void *data)
{
	struct csvread *c = data;
	size_t at = 0;

	(void)end;
	for (size_t i = 0; i < c->n; i++) {
		c->v[i] = c->bytes.p + at;
		at += c->len[i] + 1;
	}
	if (c->rc == 0) {
		struct csvread_row row = {.v = c->v, .len = c->len, .n = c->n, .line = c->row_line};

		c->rc = c->fn(&row, c->data);
	}
	buf_reset(&c->bytes);
	c->n = 0;
	c->row_line = c->line;
}

/* At most one line. */
static void feed_piece(struct csvread *c, const char *bytes, size_t len)
{
	if (c->parser.pstate == STATE_NO_ROW)
		c->row_line = c->line;
	if (csv_parse(&c->parser, bytes, len, on_field, on_row, c) != len && c->rc == 0)
		c->rc = err_set(ERR_NOMEM, "%s:%llu: %s", c->name, (unsigned long long)c->line,
			csv_strerror(csv_error(&c->parser)));
	if (c->parser.entry_pos > CSVREAD_FIELD_MAX && c->rc == 0)
		c->rc = err_set(ERR_LIMIT,
			"%s:%llu: a field of more than %d bytes; is a quote missing?", c->name,
			(unsigned long long)c->row_line, CSVREAD_FIELD_MAX);
	if (len && bytes[len - 1] == '\n')
		c->line++;
}

void csvread_at(struct csvread *c, uint64_t line)
{
	c->bom = 3;
	c->line = c->row_line = line;
}

/* Over the byte order mark, of which any part may be in this piece. */
static void skip_bom(struct csvread *c, const char **bytes, size_t *len)
{
	while (c->bom < 3 && *len > 0) {
		if (**bytes != BOM[c->bom]) {
			size_t seen = c->bom;

			c->bom = 3;
			feed_piece(c, BOM, seen);
			return;
		}
		c->bom++;
		(*bytes)++;
		(*len)--;
	}
}

int csvread_feed(struct csvread *c, const void *data, size_t len)
{
	const char *bytes = data;

	skip_bom(c, &bytes, &len);
	while (c->rc == 0 && len > 0) {
		size_t piece = len < PIECE_MAX ? len : PIECE_MAX;
		const char *end = memchr(bytes, '\n', piece);

		if (end != NULL)
			piece = (size_t)(end - bytes) + 1;
		feed_piece(c, bytes, piece);
		bytes += piece;
		len -= piece;
	}
	return c->rc;
}

int csvread_end(struct csvread *c)
{
	if (c->rc == 0 && c->bom < 3)
		feed_piece(c, BOM, c->bom);
	if (c->rc == 0 && c->parser.quoted && c->parser.pstate == STATE_IN_FIELD)
		c->rc = err_set(ERR_INVALID,
			"%s:%llu: the row that begins here has a quote that is never closed",
			c->name, (unsigned long long)c->row_line);
	if (c->rc == 0 && csv_fini(&c->parser, on_field, on_row, c) != 0 && c->rc == 0)
		c->rc = err_set(ERR_NOMEM, "%s: out of memory", c->name);
	return c->rc;
}

int csvread_text(const char *name, char delimiter, const void *text, size_t len, csvread_row_fn *fn,
	void *data)
{
	struct csvread *c = NULL;
	int rc = csvread_new(&c, name, delimiter, fn, data);

	if (rc == 0)
		rc = csvread_feed(c, text, len);
	if (rc == 0)
		rc = csvread_end(c);
	csvread_free(c);
	return rc;
}

char csvread_delimiter_of(const char *name, const void *head, size_t len)
{
	static const char candidates[] = ",;\t|";
	const char *dot = strrchr(name, '.'), *text = head;
	const char *end = len ? memchr(head, '\n', len) : NULL;
	size_t most = 0;
	char best = ',';

	if (dot != NULL && !strcasecmp(dot, ".tsv"))
		return '\t';
	if (end != NULL)
		len = (size_t)(end - text);
	for (const char *d = candidates; *d; d++) {
		size_t n = 0;

		for (size_t i = 0; i < len; i++)
			n += text[i] == *d;
		if (n > most) {
			most = n;
			best = *d;
		}
	}
	return best;
}
