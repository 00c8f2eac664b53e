/*
 * Tables at random, written as CSV, TSV or JSON Lines in all the ways that mean the same, and a
 * naive row diff of them to compare with: quadratic, on cells that were never text.
 */
#ifndef TESTS_UNIT_ROWDIFF_ORACLE_H
#define TESTS_UNIT_ROWDIFF_ORACLE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/table/rowdiff.h"

enum { MOST_ROWS = 320, MOST_COLUMNS = 6, MOST_CELLS = 8, NO_CELL = -1 };

/* --- chance --------------------------------------------------------------------------------------
 */

static uint64_t chance_state;

static unsigned chance(unsigned below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (unsigned)(chance_state >> 11) % below;
}

/* --- cells and tables ----------------------------------------------------------------------------
 */

/* What stands in cells: of CSV the text; of JSON also how else it can be written. */
static const struct value {
	const char *text;
	int is_json; /* not a string */
	const char *spelled[3];
} csv_values[] = {{"", 0, {0}}, {"a", 0, {0}}, {"b", 0, {0}}, {"1", 0, {0}}, {"2", 0, {0}},
	{"x,y", 0, {0}}, {"q\"r", 0, {0}}, {"\"", 0, {0}}, {"two\nlines", 0, {0}}, {"c\rr", 0, {0}},
	{"\xc3\xa9", 0, {0}}, {" b ", 0, {0}}, {"t\tb;p|", 0, {0}}, {"\"quoted\"", 0, {0}}},
  json_values[] = {
	  {"", 0, {"\"\"", "\"\"", "\"\""}},
	  {"a", 0, {"\"a\"", "\"\\u0061\"", "\"a\""}},
	  {"1", 0, {"\"1\"", "\"\\u0031\"", "\"1\""}},
	  {"1", 1, {"1", "1.0", "1e0"}},
	  {"2", 1, {"2", "2.00", "20e-1"}},
	  {"null", 1, {"null", "null", "null"}},
	  {"true", 1, {"true", "true", "true"}},
	  {"[1,2]", 1, {"[1, 2]", "[1,2.0]", "[ 1 ,2]"}},
	  {"{\"x\":1,\"y\":\"z\"}", 1,
		  {"{\"x\":1,\"y\":\"z\"}", "{\"y\": \"z\", \"x\": 1}", "{\"y\":\"z\",\"x\":1e0}"}},
	  {"\xc3\xa9\n", 0, {"\"\\u00e9\\n\"", "\"\xc3\xa9\\n\"", "\"\xc3\xa9\\u000a\""}},
};

enum { CSV_VALUES = sizeof(csv_values) / sizeof(*csv_values) };
enum { JSON_VALUES = sizeof(json_values) / sizeof(*json_values) };

/* Cells beyond the pools: unique ones, for keys. */
enum { FIRST_UNIQUE = 100 };

static const char *const column_names[] = {"id", "a", "b", "c", "d e", "\xe5\x90\x8d", "a", ""};
enum { COLUMN_NAMES = sizeof(column_names) / sizeof(*column_names), COLUMN_NAMES_JSON = 6 };

struct model_row {
	int cells[MOST_CELLS]; /* numbers of values; NO_CELL */
	int n;
	size_t start, len; /* in the text */
};
struct model {
	int columns[MOST_COLUMNS]; /* numbers of names */
	int n_columns;
	struct model_row rows[MOST_ROWS];
	int n_rows;
	enum rows_format format;
	struct buf text;
	/* of the diff */
	int partner[MOST_COLUMNS];
	int pair[MOST_ROWS]; /* the row of the other side; -1 */
	int equal[MOST_ROWS];
};

static const struct value *value_of(enum rows_format format, int cell)
{
	static struct value unique[4];
	static char text[4][16], spelled[4][16];
	static unsigned next;
	unsigned i;

	if (cell < FIRST_UNIQUE)
		return format == ROWS_JSONL ? &json_values[cell] : &csv_values[cell];
	i = next++ % 4;
	snprintf(text[i], sizeof(text[i]), "k%d", cell);
	snprintf(spelled[i], sizeof(spelled[i]), "\"k%d\"", cell);
	unique[i] = (struct value){text[i], 0, {spelled[i], spelled[i], spelled[i]}};
	return &unique[i];
}

/* --- making them ---------------------------------------------------------------------------------
 */

static int random_cell(enum rows_format format, int repeat)
{
	unsigned n = format == ROWS_JSONL ? JSON_VALUES : CSV_VALUES;

	return (int)chance(repeat ? 3 : n);
}

static void random_columns(struct model *t)
{
	int most = t->format == ROWS_JSONL ? COLUMN_NAMES_JSON : COLUMN_NAMES;

	t->n_columns = 0;
	for (int i = 0; i < most && t->n_columns < MOST_COLUMNS; i++)
		if (chance(3))
			t->columns[t->n_columns++] = i;
	for (int i = t->n_columns - 1; i > 0 && chance(2); i--) { /* another order */
		int k = (int)chance((unsigned)i + 1), swap = t->columns[i];

		t->columns[i] = t->columns[k];
		t->columns[k] = swap;
	}
	if (t->n_columns == 0)
		t->columns[t->n_columns++] = 1;
}

/* A row whose first cell is unique, if `key`; sometimes ragged. */
static void random_row(struct model *t, struct model_row *row, int key, int repeat)
{
	row->n = t->n_columns;
	if (t->format != ROWS_JSONL && chance(20) == 0)
		row->n = 1 + (int)chance(MOST_CELLS);
	for (int i = 0; i < row->n; i++) {
		row->cells[i] = random_cell(t->format, repeat);
		if (t->format == ROWS_JSONL && chance(8) == 0)
			row->cells[i] = NO_CELL;
		if (key && i < t->n_columns && t->columns[i] == 0)
			row->cells[i] = FIRST_UNIQUE + (int)chance(100000);
	}
}

__attribute__((unused)) static void random_table(struct model *t, int most_rows)
{
	int key = (int)chance(2), repeat = (int)chance(2);

	random_columns(t);
	t->n_rows = (int)chance((unsigned)most_rows + 1);
	for (int i = 0; i < t->n_rows; i++)
		random_row(t, &t->rows[i], key, repeat);
}

static void drop_row(struct model *t, int at)
{
	memmove(&t->rows[at], &t->rows[at + 1], (size_t)(t->n_rows - at - 1) * sizeof(t->rows[0]));
	t->n_rows--;
}

static void drop_column(struct model *t, int at)
{
	for (int i = at; i + 1 < t->n_columns; i++)
		t->columns[i] = t->columns[i + 1];
	t->n_columns--;
	for (int i = 0; i < t->n_rows; i++) {
		struct model_row *row = &t->rows[i];

		for (int k = at; k + 1 < row->n; k++)
			row->cells[k] = row->cells[k + 1];
		if (row->n > at && row->n > 1)
			row->n--;
	}
}

static void swap_columns(struct model *t, int a, int b)
{
	int swap = t->columns[a];

	t->columns[a] = t->columns[b];
	t->columns[b] = swap;
	for (int i = 0; i < t->n_rows; i++) {
		int *cells = t->rows[i].cells;

		if (t->rows[i].n <= a || t->rows[i].n <= b)
			continue;
		swap = cells[a];
		cells[a] = cells[b];
		cells[b] = swap;
	}
}

static void rename_column(struct model *t, int at)
{
	int name = (int)chance(COLUMN_NAMES_JSON);

	for (int i = 0; i < t->n_columns; i++)
		if (t->columns[i] == name)
			return;
	t->columns[at] = name;
}

/* One thing that people do to tables. */
__attribute__((unused)) static void edit(struct model *t)
{
	int row = t->n_rows ? (int)chance((unsigned)t->n_rows) : 0;
	int column = t->n_columns ? (int)chance((unsigned)t->n_columns) : 0;

	switch (chance(9)) {
	case 0:
	case 1:
		if (t->n_rows && t->rows[row].n > column)
			t->rows[row].cells[column] = random_cell(t->format, 0);
		break;
	case 2:
		if (t->n_rows)
			drop_row(t, row);
		break;
	case 3:
	case 4: /* a new row, or one twice */
		if (t->n_rows == 0 || t->n_rows == MOST_ROWS)
			break;
		t->rows[t->n_rows++] = t->rows[row];
		if (chance(2))
			random_row(t, &t->rows[t->n_rows - 1], 1, 0);
		break;
	case 5:
		if (t->n_rows > 1) {
			struct model_row swap = t->rows[row];

			t->rows[row] = t->rows[0];
			t->rows[0] = swap;
		}
		break;
	case 6:
		if (t->n_columns > 1 && chance(2))
			drop_column(t, column);
		break;
	case 7:
		swap_columns(t, column, 0);
		break;
	default:
		rename_column(t, column);
	}
}

/* --- writing them --------------------------------------------------------------------------------
 */

static void write_csv_cell(struct buf *out, const char *text, char delimiter, int alone)
{
	int must = strchr(text, delimiter) || strchr(text, '\n') || strchr(text, '\r') ||
		   text[0] == '"' || (alone && *text == '\0');

	if (!must && chance(4)) {
		buf_addstr(out, text);
		return;
	}
	buf_addch(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_addch(out, '"');
		buf_addch(out, *text);
	}
	buf_addch(out, '"');
}

__attribute__((unused)) static void write_csv(struct model *t)
{
	static const char delimiters[] = ",;\t|";
	static const char *const ends[] = {"\n", "\r\n", "\r", "\n\n", "\r\n\r\n"};
	char delimiter =
		t->format == ROWS_TSV ? '\t' : delimiters[t->n_columns > 1 ? chance(4) : 0];
	unsigned style = chance(6);

	if (chance(8) == 0)
		buf_addstr(&t->text, "\xef\xbb\xbf");
	for (int i = -1; i < t->n_rows; i++) {
		struct model_row *row = i < 0 ? NULL : &t->rows[i];
		int n = row ? row->n : t->n_columns;
		size_t start = t->text.len;

		for (int k = 0; k < n; k++) {
			const char *text = row ? value_of(t->format, row->cells[k])->text
					       : column_names[t->columns[k]];

			if (k > 0)
				buf_addch(&t->text, delimiter);
			write_csv_cell(&t->text, text, delimiter, n == 1);
		}
		if (row != NULL) {
			row->start = start;
			row->len = t->text.len - start;
		}
		if (i + 1 < t->n_rows || chance(3))
			buf_addstr(&t->text, ends[style == 5	 ? chance(5)
						     : style < 3 ? style % 2
								 : 0]);
	}
}

__attribute__((unused)) static void write_json(struct model *t)
{
	for (int i = 0; i < t->n_rows; i++) {
		struct model_row *row = &t->rows[i];
		int first = 1, from = (int)chance((unsigned)t->n_columns);

		row->start = t->text.len;
		buf_addch(&t->text, '{');
		for (int k = 0; k < t->n_columns; k++) {
			int at = (from + k) % t->n_columns;

			if (row->cells[at] == NO_CELL)
				continue;
			buf_addf(&t->text, "%s\"%s\":%s%s",
				first	    ? ""
				: chance(2) ? ", "
					    : ",",
				column_names[t->columns[at]], chance(2) ? " " : "",
				value_of(t->format, row->cells[at])->spelled[chance(3)]);
			first = 0;
		}
		buf_addch(&t->text, '}');
		row->len = t->text.len - row->start;
		if (i + 1 < t->n_rows || chance(3))
			buf_addstr(&t->text, chance(10) ? "\n" : "\r\n \n");
	}
}

/* --- comparing them ------------------------------------------------------------------------------
 */

static int cell_of(const struct model_row *row, int column)
{
	return column < row->n ? row->cells[column] : NO_CELL;
}

/* Column `at` of the newer table, counted on behind its last for cells that have no column: the
 * cell of the older row; -2: it is not compared. */
static int old_cell(
	const struct model *old, const struct model *now, const struct model_row *row, int at)
{
	if (at >= now->n_columns)
		return cell_of(row, old->n_columns + (at - now->n_columns));
	return now->partner[at] < 0 ? -2 : cell_of(row, now->partner[at]);
}

static int is_empty(const struct model_row *row)
{
	for (int i = 0; i < row->n; i++)
		if (row->cells[i] != NO_CELL)
			return 0;
	return 1;
}

/* Nothing can be compared without a common column: only rows without a cell are equal then. */
static int rows_equal(const struct model *old, const struct model *now, const struct model_row *was,
	const struct model_row *is)
{
	int comparable = 0;

	for (int i = 0; i < now->n_columns; i++)
		comparable |= now->partner[i] >= 0;
	if (!comparable)
		return is_empty(was) && is_empty(is);
	for (int i = 0; i < now->n_columns + MOST_CELLS; i++) {
		int cell = old_cell(old, now, was, i);

		if (cell != -2 && cell != cell_of(is, i))
			return 0;
	}
	return 1;
}

static int keys_equal(const struct model *now, const struct model_row *was,
	const struct model_row *is, const int *key, int n_key)
{
	for (int i = 0; i < n_key; i++)
		if (cell_of(was, now->partner[key[i]]) != cell_of(is, key[i]))
			return 0;
	return 1;
}

/* Equal rows of a key first, then the others in their order. */
__attribute__((unused)) static void naive_diff(
	struct model *old, struct model *now, const int *key, int n_key)
{
	for (int i = 0; i < old->n_rows; i++)
		old->pair[i] = -1;
	for (int i = 0; i < now->n_rows; i++)
		now->pair[i] = -1;
	for (int equal = 1; equal >= (n_key ? 0 : 1); equal--)
		for (int i = 0; i < now->n_rows; i++)
			for (int k = 0; k < old->n_rows && now->pair[i] < 0; k++) {
				if (old->pair[k] >= 0 ||
					!keys_equal(
						now, &old->rows[k], &now->rows[i], key, n_key) ||
					(equal && !rows_equal(
							  old, now, &old->rows[k], &now->rows[i])))
					continue;
				old->pair[k] = i;
				now->pair[i] = k;
				now->equal[i] = equal;
			}
}

/* A key that nobody named: never empty, and unique. */
__attribute__((unused)) static int is_key(const struct model *t, int column)
{
	for (int i = 0; i < t->n_rows; i++) {
		int cell = cell_of(&t->rows[i], column);

		if (cell == NO_CELL || cell == 0 || (t->format == ROWS_JSONL && cell == 5))
			return 0;
		for (int k = 0; k < i; k++)
			if (cell_of(&t->rows[k], column) == cell)
				return 0;
	}
	return 1;
}

#endif
