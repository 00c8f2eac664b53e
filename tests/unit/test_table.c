/*
 * Tables: widths, cutting, Markdown, CSV.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/table/table.h"
#include "lib/table/width.h"

static struct table *table_of(const char *const *cells, size_t columns, size_t rows)
{
	struct table *t = NULL;

	assert_int_equal(table_new(&t), 0);
	for (size_t i = 0; i < columns; i++)
		assert_int_equal(
			table_column(t, cells[i], i == columns - 1 ? TABLE_RIGHT : TABLE_LEFT), 0);
	for (size_t r = 1; r <= rows; r++) {
		for (size_t i = 0; i < columns && cells[r * columns + i] != NULL; i++)
			assert_int_equal(table_cell(t, cells[r * columns + i]), 0);
		assert_int_equal(table_end_row(t), 0);
	}
	assert_int_equal(table_rows(t), rows);
	return t;
}

static void prints(
	const struct table *t, enum table_format format, size_t width, const char *expected)
{
	struct buf out = BUF_INIT;

	assert_int_equal(table_print(t, format, width, &out), 0);
	assert_string_equal(buf_str(&out), expected);
	buf_release(&out);
}

static const char *const small[] = {"Path", "Note", "acc", "eval/m.json", "a|b, \"c\"", "0.9",
	"日本", "", "10.25", "short", NULL, NULL};

static void text(void **state)
{
	struct table *t = table_of(small, 3, 3);

	(void)state;
	prints(t, TABLE_TEXT, 0,
		"Path         Note        acc\n"
		"eval/m.json  a|b, \"c\"    0.9\n"
		"日本                   10.25\n"
		"short\n");
	table_free(t);
}

static void markdown(void **state)
{
	struct table *t = table_of(small, 3, 3);

	(void)state;
	prints(t, TABLE_MARKDOWN, 10,
		"| Path        | Note     |   acc |\n"
		"|-------------|----------|------:|\n"
		"| eval/m.json | a\\|b, \"c\" |   0.9 |\n"
		"| 日本        |          | 10.25 |\n"
		"| short       |          |       |\n");
	table_free(t);
}

static void separated(void **state)
{
	struct table *t = table_of(small, 3, 3);

	(void)state;
	prints(t, TABLE_CSV, 10,
		"Path,Note,acc\neval/m.json,\"a|b, \"\"c\"\"\",0.9\n日本,,10.25\nshort,,\n");
	prints(t, TABLE_TSV, 10,
		"Path\tNote\tacc\neval/m.json\t\"a|b, "
		"\"\"c\"\"\"\t0.9\n日本\t\t10.25\nshort\t\t\n");
	table_free(t);
}

static void narrow(void **state)
{
	static const char *const cells[] = {"Path", "Key", "Value", "data/very/long/path/to/m.json",
		"validation.accuracy", "0.123456789012"};
	struct table *t = table_of(cells, 3, 1);

	(void)state;
	prints(t, TABLE_TEXT, 80,
		"Path                           Key                           Value\n"
		"data/very/long/path/to/m.json  validation.accuracy  0.123456789012\n");
	prints(t, TABLE_TEXT, 60,
		"Path                     Key                           Value\n"
		"data/very/l…h/to/m.json  validation.accuracy  0.123456789012\n");
	prints(t, TABLE_TEXT, 33, /* cut as far as may be, it would not fit either */
		"Path                           Key                           Value\n"
		"data/very/long/path/to/m.json  validation.accuracy  0.123456789012\n");
	table_free(t);
}

static void fits(void **state)
{
	static const char *const cells[] = {"Path", "Key", "Value", "data/very/long/path/to/m.json",
		"validation.accuracy", "0.123456789012", "日本語日本語日本語日本語",
		"e\314\201e\314\201xxxxxxxxxxxxxxxxxxxxxxx", "1"};
	struct table *t = table_of(cells, 3, 2);

	(void)state;
	for (size_t width = 34; width < 90; width++) {
		struct buf out = BUF_INIT;

		assert_int_equal(table_print(t, TABLE_TEXT, width, &out), 0);
		for (char *line = strtok(out.p, "\n"); line != NULL; line = strtok(NULL, "\n"))
			assert_true(width_of(line) <= width);
		buf_release(&out);
	}
	prints(t, TABLE_TEXT, 34,
		"Path      Key                Value\n"
		"data…son  vali…acy  0.123456789012\n"
		"日本…語   e\xcc\x81"
		"e\xcc\x81xx…xxx               1\n");
	table_free(t);
}

static void hostile_cells(void **state)
{
	static const char *const cells[] = {"a", "b", "x\x1b[31m\n\ty", "\xff\xc2\x9b"};
	struct table *t = table_of(cells, 2, 1);

	(void)state;
	prints(t, TABLE_CSV, 0, "a,b\nx?[31m??y,\xef\xbf\xbd??\n");
	assert_int_equal(table_cell(t, "1") | table_cell(t, "2"), 0);
	assert_int_equal(table_cell(t, "3"), ERR_INVALID);
	table_free(t);
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(width_of("abc"), 3);
	assert_int_equal(width_of("日本語"), 6);
	assert_int_equal(width_of("e\xcc\x81"), 1);
	assert_int_equal(width_of("😀"), 2);
	assert_int_equal(width_of("ß→…"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(markdown),
		cmocka_unit_test(separated),
		cmocka_unit_test(narrow),
		cmocka_unit_test(fits),
		cmocka_unit_test(hostile_cells),
		cmocka_unit_test(widths),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
