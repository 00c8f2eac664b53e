/*
 * CSV and TSV: fields, lines, quotes, pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/table/csvread.h"

/* "<line>:[a][b]" for each row. */
static int add_row(const struct csvread_row *row, void *data)
{
	struct buf *out = data;

	assert_int_equal(buf_addf(out, "%u:", (unsigned)row->line), 0);
	for (size_t i = 0; i < row->n; i++) {
		assert_int_equal(strlen(row->v[i]), row->len[i]);
		assert_int_equal(buf_addf(out, "[%s]", row->v[i]), 0);
	}
	return 0;
}

static void rows_are(const char *text, char delimiter, const char *expected)
{
	struct buf out = BUF_INIT;

	assert_int_equal(csvread_text("t.csv", delimiter, text, strlen(text), add_row, &out), 0);
	assert_string_equal(buf_str(&out), expected);
	/* the same in any pieces */
	for (size_t piece = 1; piece < 5; piece++) {
		struct csvread *c = NULL;

		buf_reset(&out);
		assert_int_equal(csvread_new(&c, "t.csv", delimiter, add_row, &out), 0);
		for (size_t at = 0; at < strlen(text); at += piece)
			assert_int_equal(
				csvread_feed(c, text + at,
					strlen(text + at) < piece ? strlen(text + at) : piece),
				0);
		assert_int_equal(csvread_end(c), 0);
		assert_string_equal(buf_str(&out), expected);
		csvread_free(c);
	}
	buf_release(&out);
}

static void rows(void **state)
{
	(void)state;
	rows_are("", ',', "");
	rows_are("\xef\xbb\xbf", ',', "");
	rows_are("a,b\n1,2\n", ',', "1:[a][b]2:[1][2]");
	rows_are("a,b\r\n1,2", ',', "1:[a][b]2:[1][2]");
	rows_are("\xef\xbb\xbf"
		 "a,b\n\n\n 1 , 2\n",
		',', "1:[a][b]4:[ 1 ][ 2]");
	rows_are("a,,\n,\n", ',', "1:[a][][]2:[][]");
	rows_are("\"a,b\",\"c\"\"d\"\n\"x\ny\",z\nw\n", ',', "1:[a,b][c\"d]2:[x\ny][z]4:[w]");
	rows_are("a b\t5\" disk\t\"q\"\n", '\t', "1:[a b][5\" disk][q]");
	rows_are("a;1,5\n", ';', "1:[a][1,5]");
}

static int stop_at_two(const struct csvread_row *row, void *data)
{
	(*(int *)data)++;
	return row->line == 2 ? 5 : 0;
}

static void stopping(void **state)
{
	int calls = 0;

	(void)state;
	assert_int_equal(csvread_text("t.csv", ',', "a\nb\nc\nd\n", 8, stop_at_two, &calls), 5);
	assert_int_equal(calls, 2);
}

static void open_quote(void **state)
{
	static const char text[] = "a,b\n1,\"x\n2,3\n";
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(
		csvread_text("t.csv", ',', text, strlen(text), add_row, &out), ERR_INVALID);
	assert_string_equal(
		err_msg(), "t.csv:2: the row that begins here has a quote that is never closed");
	buf_release(&out);
}

static void delimiters(void **state)
{
	(void)state;
	assert_int_equal(csvread_delimiter_of("a.tsv", "a,b", 3), '\t');
	assert_int_equal(csvread_delimiter_of("a.csv", "a,b;c;d", 7), ';');
	assert_int_equal(csvread_delimiter_of("a.csv", "a,b\n;;;", 7), ',');
	assert_int_equal(csvread_delimiter_of("a", "a\tb\tc,d", 7), '\t');
	assert_int_equal(csvread_delimiter_of("a.csv", "", 0), ',');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(stopping),
		cmocka_unit_test(open_quote),
		cmocka_unit_test(delimiters),
	};

	return cmocka_run_group_tests_name("csvread", tests, NULL, NULL);
}
