/*
 * JSON into nodes: digits kept, Python's words, places, what is refused.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DOCUMENT "t.json"
#include "tests/unit/document.h"

static void values(void **state)
{
	(void)state;
	reads_as("", "null");
	reads_as(" \n", "null");
	reads_as("\xef\xbb\xbf[1]\n", "[1]");
	reads_as("[0.896969696969697, 9007199254740993, 18446744073709551615, 1.50, -0, 1E5]",
		"[0.896969696969697, 9007199254740993, 18446744073709551615, 1.50, -0, 1E5]");
	reads_as("[1234567890123456789012345678901234567890123456789012345678901234567890]",
		"[1234567890123456789012345678901234567890123456789012345678901234567890]");
	reads_as("{\"a\" :{ }, \"b\":[ ],\"c\": [true,false ,null]}",
		"{\"a\": {}, \"b\": [], \"c\": [true, false, null]}");
	reads_as("[\"\\ud83d\\ude00 \\u00e9 \\\"\\\\\\/ \\t\"]", "[\"😀 é \\\"\\\\/ \\t\"]");
	reads_as("\"NaN, [ : \\\" {\"", "\"NaN, [ : \\\" {\"");
}

static void python_words(void **state)
{
	static const char text[] = "{\"loss\": NaN, \"best\": [Infinity, -Infinity]}";
	struct node *n = NULL;

	(void)state;
	assert_int_equal(json_parse(&n, "t.json", text, strlen(text)), 0);
	assert_true(isnan(node_at(n, "loss")->f));
	assert_true(isinf(node_at(n, "best.0")->f) && node_at(n, "best.1")->f < 0);
	assert_int_equal(node_at(n, "best.1")->end - node_at(n, "best.1")->start, 9);
	node_free(n);
}

static void places(void **state)
{
	static const char text[] = "{\n  \"ä\": [1,\n    {\"x\" : \"é\\\"\" } ],\n \"y\": -1.5e3}";
	static const struct {
		const char *path;
		unsigned line, column;
		const char *bytes;
	} cases[] = {{"ä.0", 2, 9, "1"}, {"ä.1", 3, 5, "{\"x\" : \"é\\\"\" }"},
		{"ä.1.x", 3, 12, "\"é\\\"\""}, {"y", 4, 7, "-1.5e3"}};
	struct node *n = NULL;

	(void)state;
	assert_int_equal(json_parse(&n, "t.json", text, strlen(text)), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct node *at = node_at(n, cases[i].path);

		assert_int_equal(at->line, cases[i].line);
		assert_int_equal(at->column, cases[i].column);
		assert_int_equal(at->end - at->start, strlen(cases[i].bytes));
		assert_memory_equal(text + at->start, cases[i].bytes, strlen(cases[i].bytes));
	}
	assert_int_equal(node_at(n, "y")->key_line, 4);
	node_free(n);
}

static void refusals(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {{"{\"a\":1,\n\"a\":2}", "t.json:2:1: duplicate key 'a' (first at line 1)"},
		{"{'a':1}", "t.json:1:2: JSON has double quotes only"},
		{"{\"a\":1,}", "t.json:1:8: a value or key is expected before this bracket"},
		{"{\"a\":1 \"b\":2}", "t.json:1:8: this is not JSON"},
		{"[01]", "t.json:1:2: '01' is no number of JSON"},
		{"[1.]", "'1.' is no number of JSON"}, {"[-]", "'-' is no number"},
		{"[1_000]", "'1_000' is no number"}, {"[1", "a ']' or '}' is missing"},
		{"[\"a", "t.json:1:2: the quote that opens here is never closed"},
		{"[\"a\n\"]", "t.json:1:4: a line end or control character"},
		{"[\"\xff\"]", "t.json:1:3: not UTF-8"}, {"[\"\\u0000\"]", "a NUL character"},
		{"[\"\\ud83d\"]", "this is not JSON"}, {"[1] x", "t.json:1:5: this is not JSON"},
		{"[nan]", "this is not JSON"}, {"// x\n[1]", "t.json:1:1: JSON has no comments"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct node *n = NULL;

		assert_int_equal(json_parse(&n, "t.json", cases[i].text, strlen(cases[i].text)),
			ERR_INVALID);
		if (strstr(err_msg(), cases[i].message) == NULL)
			print_error("'%s' is not in: %s\n", cases[i].message, err_msg());
		assert_non_null(strstr(err_msg(), cases[i].message));
		assert_null(n);
	}
}

static void depth(void **state)
{
	char text[2 * (YAML_DEPTH_MAX + 1) + 1];
	struct node *n = NULL;

	(void)state;
	memset(text, '[', YAML_DEPTH_MAX + 1);
	memset(text + YAML_DEPTH_MAX + 1, ']', YAML_DEPTH_MAX + 1);
	assert_int_equal(json_parse(&n, "t.json", text, sizeof(text) - 1), ERR_LIMIT);
	assert_int_equal(json_parse(&n, "t.json", text + 1, sizeof(text) - 3), 0);
	node_free(n);
}

static void nul_byte(void **state)
{
	struct node *n = NULL;

	(void)state;
	assert_int_equal(json_parse(&n, "t.json", "[1]\0[2]", 7), ERR_INVALID);
	assert_int_equal(json_parse(&n, "t.json", "[\"\0\"]", 5), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(python_words),
		cmocka_unit_test(places),
		cmocka_unit_test(refusals),
		cmocka_unit_test(depth),
		cmocka_unit_test(nul_byte),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
