/*
 * Changing one value of a file: every other byte stays.
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
#include "lib/yaml/yaml.h"

static int set(struct buf *text, const char *name, const char *path, const char *value)
{
	struct node *n = NULL;
	int rc;

	assert_int_equal(yaml_parse(&n, "value", value, strlen(value)), 0);
	rc = doc_set(text, name, path, n);
	node_free(n);
	return rc;
}

struct change {
	const char *before, *path, *value, *after;
};

static void all_change(const char *name, const struct change *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf text = BUF_INIT;
		int rc;

		assert_int_equal(buf_addstr(&text, v[i].before), 0);
		rc = set(&text, name, v[i].path, v[i].value);
		if (rc < 0)
			print_error("%s: %s\n", v[i].path, err_msg());
		assert_int_equal(rc, 0);
		assert_string_equal(buf_str(&text), v[i].after);
		buf_release(&text);
	}
}

static void yaml_values(void **state)
{
	static const struct change cases[] = {
		{"# c\nt:\n  lr: 0.1   # rate\n  n: 3\n", "t.lr", "1e-3",
			"# c\nt:\n  lr: 1e-3   # rate\n  n: 3\n"},
		{"a: 'old' # x", "a", "new one", "a: new one # x"},
		{"a: old", "a", "'yes'", "a: \"yes\""},
		{"a.b: 1\na: {b: 2}\n", "a.b", "3", "a.b: 3\na: {b: 2}\n"},
		{"a:   # empty\nb: 1\n", "a", "[x, 'y z']", "a: [x, y z]   # empty\nb: 1\n"},
		{"- 1\n-\n- 3\n", "1", "2", "- 1\n- 2\n- 3\n"},
		{"a: |\n  x\n  y\nb: 1\n", "a", "z", "a: z\nb: 1\n"},
		{"a:\n  b: 1\n  # c\n", "a", "{x: true}", "a:\n  {x: true}\n  # c\n"},
		{"a: &x 1\n", "a", "2", "a: &x 2\n"},
		{"a: &x 1\nb: *x\n", "b", "2", "a: &x 1\nb: 2\n"},
		{"a: !!str 12\n", "a", "13", "a: 13\n"},
		{"a: [1, {b: 2}]\r\n", "a[1].b", "~", "a: [1, {b: null}]\r\n"},
		{"\xef\xbb\xbf"
		 "ä: 1\n",
			"ä", "2",
			"\xef\xbb\xbf"
			"ä: 2\n"}};

	(void)state;
	all_change("p.yaml", cases, sizeof(cases) / sizeof(*cases));
}

static void yaml_keys(void **state)
{
	static const struct change cases[] = {
		{"a:\n  b: 1 # x\n\n# about c\nc: 2\n", "a.d", "3",
			"a:\n  b: 1 # x\n  d: 3\n\n# about c\nc: 2\n"},
		{"a: 1", "b", "x", "a: 1\nb: x"},
		{"a: 1\r\nb: 2\r\n", "c", "3", "a: 1\r\nb: 2\r\nc: 3\r\n"},
		{"", "a", "1", "a: 1\n"}, {"# only this", "a", "1", "# only this\na: 1\n"},
		{"a: {b: 1} # x\n", "a.c", "2", "a: {b: 1, c: 2} # x\n"},
		{"a: {}\n", "a.c", "2", "a: {c: 2}\n"},
		{"a: {\n  b: 1 # x\n}\n", "a.c", "2", "a: {\n  b: 1,\n  c: 2 # x\n}\n"},
		{"- a: 1\n  b: |\n    t\n- 2\n", "0.c", "3",
			"- a: 1\n  b: |\n    t\n  c: 3\n- 2\n"},
		{"a:\n  b:\n    c:\n", "a.b.d", "1", "a:\n  b:\n    c:\n    d: 1\n"},
		{"a:\n  b: {c: 1}\n", "a.x: y", "1", "a:\n  b: {c: 1}\n  \"x: y\": 1\n"}};

	(void)state;
	all_change("p.yaml", cases, sizeof(cases) / sizeof(*cases));
}

static void json_values_and_keys(void **state)
{
	static const struct change cases[] = {
		{"{\"a\": 1, \"b\": {\"c\": [1, 2]}}", "b.c.1", "3.50",
			"{\"a\": 1, \"b\": {\"c\": [1, 3.50]}}"},
		{"{\"a\":1,\"b\":{\"c\":1}}", "b.d", "x y",
			"{\"a\":1,\"b\":{\"c\":1,\"d\":\"x y\"}}"},
		{"{\n  \"a\": 1\n}\n", "b", "True", "{\n  \"a\": 1,\n  \"b\": true\n}\n"},
		{"{}", "b", "{x: [1]}", "{\"b\": {\"x\": [1]}}"}, {"", "b", "1", "{\"b\": 1}\n"},
		{"{\"a\": NaN, \"b\": 1}", "b", "2", "{\"a\": NaN, \"b\": 2}"}};

	(void)state;
	all_change("p.json", cases, sizeof(cases) / sizeof(*cases));
}

static void toml_values_and_keys(void **state)
{
	static const struct change cases[] = {
		{"# c\n[t]\nlr = 0.1   # rate\nn = 3\n", "t.lr", "1e-3",
			"# c\n[t]\nlr = 1e-3   # rate\nn = 3\n"},
		{"a = 'old' # x", "a", "new \\x", "a = \"new \\\\x\" # x"},
		{"a = [1, {b = 2}]\n", "a[1].b", "[x]", "a = [1, {b = [\"x\"]}]\n"},
		{"[t]\na = 1\n[u]\n", "t.b", "2", "[t]\nb = 2\na = 1\n[u]\n"},
		{"[t] # c\n[u]", "u.b c", "true", "[t] # c\n[u]\n\"b c\" = true"},
		{"[t]\na = 1\n", "b", "2", "b = 2\n[t]\na = 1\n"}, {"", "b", "2", "b = 2\n"},
		{"t = {a = 1}\n", "t.b", "2", "t = {a = 1, b = 2}\n"}};

	(void)state;
	all_change("p.toml", cases, sizeof(cases) / sizeof(*cases));
}

static void stays(const char *name, const char *before, const char *path, int code)
{
	struct buf text = BUF_INIT;

	assert_int_equal(buf_addstr(&text, before), 0);
	assert_int_equal(set(&text, name, path, "9"), code);
	assert_string_equal(buf_str(&text), before);
	buf_release(&text);
}

static void refusals(void **state)
{
	(void)state;
	stays("p.yaml", "a: 1\n", "b.c", ERR_NOTFOUND);
	stays("p.yaml", "a: 1\n", "a.b", ERR_NOTFOUND);
	stays("p.yaml", "a: [1]\n", "a.1", ERR_NOTFOUND);
	stays("p.yaml", "a: 1\n", "a.", ERR_NOTFOUND);
	stays("p.yaml", "a: &x 1\nb: *x\n", "a", ERR_INVALID);
	stays("p.yaml", "a: &x {l: 1}\nb:\n  <<: *x\n", "b.l", ERR_INVALID);
	stays("p.yaml", "a: [\n", "a", ERR_INVALID);
	stays("p.toml", "a = 1\n", "b.c", ERR_NOTFOUND);
	stays("p.txt", "a: 1\n", "a", ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_values),
		cmocka_unit_test(yaml_keys),
		cmocka_unit_test(json_values_and_keys),
		cmocka_unit_test(toml_values_and_keys),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("doc_set", tests, NULL, NULL);
}
