/*
 * TOML into nodes: values, order, places, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DOCUMENT "t.toml"
#include "tests/unit/document.h"

static void values(void **state)
{
	(void)state;
	reads_as("", "{}");
	reads_as("# nothing\n", "{}");
	reads_as("z = 1\na = 'x'\nm = \"\\u00e9\\n\"\nt = true\n",
		"{\"z\": 1, \"a\": \"x\", \"m\": \"é\\n\", \"t\": true}");
	reads_as("a = [0.10, 1_000, 0xFF, 0o17, -1e-3, 1_0.5, inf, nan]\n",
		"{\"a\": [0.10, 1000, 255, 15, -1e-3, 10.5, null, null]}");
	reads_as("d = 2020-01-01\nt = 10:00:00\ndt = 2020-01-01T10:00:00+02:00\n",
		"{\"d\": \"2020-01-01\", \"t\": \"10:00:00\", \"dt\": "
		"\"2020-01-01T10:00:00+02:00\"}");
	reads_as("[train]\nlr = 0.1\n[train.opt]\nname = 'adam'\n[[runs]]\na = 1\n[[runs]]\n[a]\n",
		"{\"train\": {\"lr\": 0.1, \"opt\": {\"name\": \"adam\"}}, \"runs\": [{\"a\": 1}, "
		"{}], "
		"\"a\": {}}");
	reads_as("a.b.c = 1\nx = {y = [1, {z = 2}]}\n\"a b\" = 3\n",
		"{\"a\": {\"b\": {\"c\": 1}}, \"x\": {\"y\": [1, {\"z\": 2}]}, \"a b\": 3}");
}

static void places(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# é\n\"ä\" = \"ü\" # x\n[t]\nlr =  1e-3\nl = [1, 'é', 3]\n";
	static const struct {
		const char *path;
		unsigned line, column;
		const char *bytes;
	} cases[] = {{"ä", 2, 7, "\"ü\""}, {"t.lr", 4, 7, "1e-3"}, {"t.l", 5, 5, "[1, 'é', 3]"},
		{"t.l.1", 5, 9, "'é'"}, {"t.l.2", 5, 14, "3"}};
	struct node *n = NULL;

	(void)state;
	assert_int_equal(toml_parse(&n, "t.toml", text, strlen(text)), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct node *at = node_at(n, cases[i].path);

		assert_non_null(at);
		assert_int_equal(at->line, cases[i].line);
		assert_int_equal(at->column, cases[i].column);
		assert_int_equal(at->end - at->start, strlen(cases[i].bytes));
		assert_memory_equal(text + at->start, cases[i].bytes, strlen(cases[i].bytes));
	}
	node_free(n);
}

static void refusals(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {{"a = 1\na = 2\n", "t.toml:2:"}, {"a = [1\n", "t.toml:"},
		{"a =\n", "t.toml:1:"}, {"a = \xff\n", "t.toml:1:"}, {"[a]\n[a]\n", "t.toml:2:"},
		{"a = 012\n", "t.toml:1:"},
		{"\"a\\u0000b\" = 1\n", "a key must not hold NUL characters"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct node *n = NULL;

		assert_int_equal(toml_parse(&n, "t.toml", cases[i].text, strlen(cases[i].text)),
			ERR_INVALID);
		assert_null(n);
		if (strstr(err_msg(), cases[i].message) == NULL)
			print_error("'%s' is not in: %s\n", cases[i].message, err_msg());
		assert_non_null(strstr(err_msg(), cases[i].message));
	}
}

static void depth(void **state)
{
	struct buf text = BUF_INIT;
	struct node *n = NULL;

	(void)state;
	assert_int_equal(buf_addstr(&text, "a = "), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_addch(&text, '['), 0);
	assert_true(toml_parse(&n, "t.toml", text.p, text.len) < 0);
	assert_null(n);
	buf_reset(&text);
	assert_int_equal(buf_addstr(&text, "a"), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buf_addstr(&text, ".a"), 0);
	assert_int_equal(buf_addstr(&text, " = 1\n"), 0);
	assert_int_equal(toml_parse(&n, "t.toml", text.p, text.len), ERR_LIMIT);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(places),
		cmocka_unit_test(refusals),
		cmocka_unit_test(depth),
	};

	return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
