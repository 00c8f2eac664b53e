/*
 * A line of JSON becomes cells: a string is its characters, all else is canonical JSON, so that
 * cells that mean the same are the same bytes, however they were written.
 *
 * Rows are mostly flat, of the same columns, and of strings and numbers that are written as they
 * are: of these the cells are taken from the line as it stands.  Whatever is not that simple - also
 * what is wrong - is left to lib/yaml, so that both ways give the same cells.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/table/rows_json.h"
#include "lib/yaml/yaml.h"

void rows_json_release(struct rows_json *j)
{
	strvec_release(&j->columns);
	strmap_release(&j->places, NULL);
	buf_release(&j->text);
	free(j->cells);
	free(j->present);
	free(j->starts);
	memset(j, 0, sizeof(*j));
}

/* Room for a cell of each column. */
static int make_room(struct rows_json *j)
{
	size_t cap = j->cap ? j->cap : 16;
	struct rows_cell *cells;
	size_t *present, *starts;

	while (cap < j->columns.n)
		cap *= 2;
	if (cap == j->cap)
		return 0;
	cells = reallocarray(j->cells, cap, sizeof(*cells));
	if (cells != NULL)
		j->cells = cells;
	present = reallocarray(j->present, cap, sizeof(*present));
	if (present != NULL)
		j->present = present;
	starts = reallocarray(j->starts, cap, sizeof(*starts));
	if (starts != NULL)
		j->starts = starts;
	if (cells == NULL || present == NULL || starts == NULL)
		return err_no_memory();
	j->cap = cap;
	return 0;
}

int rows_json_expect(struct rows_json *j, const char *name)
{
	int rc = strmap_put(&j->places, name, (void *)(j->columns.n + 1));

	if (rc == 0)
		rc = strvec_push(&j->columns, name);
	if (rc == 0)
		rc = make_room(j);
	if (rc == 0)
		j->cells[j->columns.n - 1] = (struct rows_cell){NULL, 0, 0};
	return rc;
}

/* *at: the column of this name; `guess` is where it stands in most files. */
static int find_column(
	size_t *at, struct rows_json *j, const char *name, size_t guess, const char *file)
{
	size_t place;

	if (guess < j->columns.n && !strcmp(j->columns.v[guess], name)) {
		*at = guess;
		return 0;
	}
	place = (size_t)strmap_get(&j->places, name);
	if (place > 0) {
		*at = place - 1;
		return 0;
	}
	if (j->columns.n == ROWS_JSON_COLUMNS_MAX)
		return err_set(ERR_LIMIT, "%s: more than %d different keys; this is no table", file,
			ROWS_JSON_COLUMNS_MAX);
	*at = j->columns.n;
	return rows_json_expect(j, name);
}

/* Its bytes stand at j->starts[at] of the text, which may still move. */
static int add_cell(struct rows_json *j, size_t at, const struct node *value)
{
	int is_json = value->type != NODE_STRING;
	int rc;

	j->starts[at] = j->text.len;
	rc = is_json ? node_json(&j->text, value, 1) : buf_add(&j->text, value->text, value->len);
	j->cells[at] = (struct rows_cell){"", j->text.len - j->starts[at], is_json};
	j->present[j->n_present++] = at;
	return rc;
}

/* Forget the last row's, but not by visiting all columns: each row may have columns of its own. */
static void no_cells(struct rows_json *j)
{
	while (j->n_present > 0)
		j->cells[j->present[--j->n_present]] = (struct rows_cell){NULL, 0, 0};
}

/* By lib/yaml. */
static int parse_any(struct rows_json *j, const char *name, const struct rows_row *row)
{
	unsigned line = row->line < UINT_MAX ? (unsigned)row->line : UINT_MAX;
	struct node *object = NULL;
	int rc = json_parse_at(&object, name, line, row->text, row->len);

	if (rc == 0 && object->type != NODE_MAP)
		rc = err_set(ERR_INVALID,
			"%s:%u: a row of JSON Lines is an object ({\"column\": value}), not %s",
			name, line, node_type_name(object));
	buf_reset(&j->text);
	no_cells(j);
	for (size_t i = 0; rc == 0 && i < object->n; i++) {
		size_t at = 0;

		rc = find_column(&at, j, object->keys[i], i, name);
		if (rc == 0)
			rc = add_cell(j, at, object->items[i]);
	}
	for (size_t i = 0; rc == 0 && i < j->n_present; i++)
		j->cells[j->present[i]].p = buf_str(&j->text) + j->starts[j->present[i]];
	node_free(object);
	return rc;
}

/* --- rows that are written simply ----------------------------------------------------------------
 */

struct line {
	const char *p, *end;
};

static void skip_blanks(struct line *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
		l->p++;
}

/* Past this character and blanks; 0: it is another one. */
static int skip_mark(struct line *l, char mark)
{
	if (l->p == l->end || *l->p != mark)
		return 0;
	l->p++;
	skip_blanks(l);
	return 1;
}

/* A string without escapes; 0: it is another one. */
static int take_string(struct rows_cell *out, struct line *l)
{
	const char *start = l->p + 1, *p = start;

	if (l->p == l->end || *l->p != '"')
		return 0;
	while (p < l->end && *p != '"') {
		unsigned char c = (unsigned char)*p;
		size_t n = 1;

		if (c < 0x20 || c == '\\')
			return 0;
		if (c >= 0x80) /* looks at 4 bytes at most */
			n = l->end - p >= 4 ? utf8_len(p) : 0;
		if (n == 0)
			return 0;
		p += n;
	}
	if (p >= l->end)
		return 0;
	*out = (struct rows_cell){start, (size_t)(p - start), 0};
	l->p = p + 1;
	return 1;
}

static size_t count_digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return (size_t)(p - start);
}

/* A number that is its own canonical text: no exponent, no needless zero, and few enough digits to
 * be exact. */
static int take_number(struct rows_cell *out, struct line *l)
{
	const char *start = l->p, *p = start + (*start == '-');
	int is_zero = p < l->end && *p == '0';
	size_t whole = count_digits(p, l->end), fraction = 0;

	if (whole == 0 || whole > 15 || (is_zero && whole > 1))
		return 0;
	p += whole;
	if (p < l->end && *p == '.') {
		fraction = count_digits(++p, l->end);
		if (fraction == 0 || whole + fraction > 15 || p[fraction - 1] == '0')
			return 0;
		if (is_zero && *p == '0') /* 0.0…: may need an exponent */
			return 0;
		p += fraction;
	}
	if (is_zero && fraction == 0 && *start == '-')
		return 0;
	if (p < l->end && !strchr(",} \t", *p))
		return 0;
	*out = (struct rows_cell){start, (size_t)(p - start), 1};
	l->p = p;
	return 1;
}

static int take_word(struct rows_cell *out, struct line *l)
{
	static const char *const words[] = {"null", "true", "false"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(l->end - l->p) <= n || memcmp(l->p, words[i], n) != 0)
			continue;
		*out = (struct rows_cell){l->p, n, 1};
		l->p += n;
		return strchr(",} \t", *l->p) != NULL;
	}
	return 0;
}

static int take_value(struct rows_cell *out, struct line *l)
{
	if (l->p == l->end)
		return 0;
	if (*l->p == '"')
		return take_string(out, l);
	if (*l->p == '-' || (*l->p >= '0' && *l->p <= '9'))
		return take_number(out, l);
	return take_word(out, l);
}

/* The cell of this column, if it is known and was not in the row yet. */
static struct rows_cell *find_cell(struct rows_json *j, const struct rows_cell *name, size_t guess)
{
	char key[128];
	size_t at = guess;

	if (at >= j->columns.n || strncmp(j->columns.v[at], name->p, name->len) != 0 ||
		j->columns.v[at][name->len] != '\0') {
		if (name->len >= sizeof(key))
			return NULL;
		memcpy(key, name->p, name->len);
		key[name->len] = '\0';
		at = (size_t)strmap_get(&j->places, key) - 1; /* 0 - 1: none */
	}
	return at < j->columns.n && j->cells[at].p == NULL ? &j->cells[at] : NULL;
}

/* 1; 0: it is not that simple. */
static int parse_simple(struct rows_json *j, const struct rows_row *row)
{
	struct line l = {row->text, row->text + row->len};
	size_t guess = 0;

	no_cells(j);
	skip_blanks(&l);
	if (!skip_mark(&l, '{'))
		return 0;
	do {
		struct rows_cell name, *cell;

		if (!take_string(&name, &l))
			return 0;
		cell = find_cell(j, &name, guess++);
		skip_blanks(&l);
		if (cell == NULL)
			return 0;
		j->present[j->n_present++] = (size_t)(cell - j->cells);
		if (!skip_mark(&l, ':') || !take_value(cell, &l))
			return 0;
		skip_blanks(&l);
	} while (skip_mark(&l, ','));
	return skip_mark(&l, '}') && l.p == l.end;
}

int rows_json_parse(struct rows_json *j, const char *name, const struct rows_row *row)
{
	return parse_simple(j, row) ? 0 : parse_any(j, name, row);
}
