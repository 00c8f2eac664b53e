/*
 * The tree: finding, comparing, printing.
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

#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

static struct node *parsed(const char *text)
{
	struct node *n = NULL;

	assert_int_equal(yaml_parse(&n, "t.yaml", text, strlen(text)), 0);
	return n;
}

static void paths(void **state)
{
	static const struct {
		const char *path, *value; /* NULL: not there */
	} cases[] = {{"train.lr", "1"}, {"layers.0.units", "2"}, {"layers[0].units", "2"},
		{"layers.1.0", "3"}, {"layers[1][0]", "3"}, {"a.b", "4"}, {"a.b.c", "5"},
		{"x.y.z", "6"}, {"train", "{lr: 1}"}, {"train.", NULL}, {"train.nope", NULL},
		{"layers.9", NULL}, {"layers.-1", NULL}, {"layers.0x", NULL}, {"layers[0", NULL},
		{"train.lr.x", NULL}, {".train", NULL}, {"nope", NULL}};
	struct node *n =
		parsed("train: {lr: 1}\nlayers: [{units: 2}, [3]]\na.b: 4\na: {b: {c: 5}}\n"
		       "x.y: {z: 6}\n");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct node *found = node_at(n, cases[i].path);
		struct node *want = cases[i].value != NULL ? parsed(cases[i].value) : NULL;

		assert_true(node_equal(found, want));
		node_free(want);
	}
	assert_ptr_equal(node_at(n, ""), n);
	assert_null(node_at(NULL, "a"));
	assert_null(node_get(n->items[1], "a"));
	node_free(n);
}

static void equality(void **state)
{
	static const struct {
		const char *a, *b;
		int equal;
	} cases[] = {{"1", "1.0", 1}, {"1", "'1'", 0}, {".nan", ".nan", 1}, {".inf", "-.inf", 0},
		{"0", "-0.0", 1}, {"0x10", "16", 1}, {"1e2", "100", 1}, {"null", "~", 1},
		{"null", "''", 0}, {"{a: 1, b: 2}", "{b: 2, a: 1}", 1},
		{"{a: 1}", "{a: 1, b: 2}", 0}, {"[1, 2]", "[2, 1]", 0}, {"[]", "{}", 0},
		{"true", "True", 1}, {"true", "1", 0}, {"9007199254740993", "9007199254740992", 0},
		{"9007199254740992.0", "9007199254740992", 1},
		{"18446744073709551614", "18446744073709551615", 0},
		{"18446744073709551615", "+018446744073709551615", 1},
		{"0.1", "0.10000000000000001", 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct node *a = parsed(cases[i].a), *b = parsed(cases[i].b);
		struct buf left = BUF_INIT, right = BUF_INIT;
		int alike;

		assert_int_equal(node_equal(a, b), cases[i].equal);
		assert_int_equal(node_equal(b, a), cases[i].equal);
		assert_int_equal(node_json(&left, a, 1) | node_json(&right, b, 1), 0);
		alike = strcmp(buf_str(&left), buf_str(&right)) == 0;
		if (alike != cases[i].equal)
			print_error("%s and %s\n", buf_str(&left), buf_str(&right));
		assert_int_equal(alike, cases[i].equal);
		buf_release(&left);
		buf_release(&right);
		node_free(a);
		node_free(b);
	}
}

static void floats(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {{0.1, "0.1"}, {1, "1.0"}, {0.896969696969697, "0.896969696969697"},
		{1e-5, "1e-05"}, {1e300, "1e+300"}, {1.0 / 3, "0.3333333333333333"}, {-2.5, "-2.5"},
		{INFINITY, ".inf"}, {-INFINITY, "-.inf"}, {NAN, ".nan"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct node *n = node_float(cases[i].value), *back;

		assert_string_equal(n->text, cases[i].text);
		back = node_of_plain(n->text);
		assert_true(node_equal(n, back));
		assert_int_equal(back->type, NODE_FLOAT);
		node_free(back);
		node_free(n);
	}
}

static void building(void **state)
{
	struct node *map = node_map(), *list = node_list(), *copy;
	struct buf out = BUF_INIT;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(node_push(list, node_int(i)), 0);
	assert_int_equal(list->n, 100);
	assert_int_equal(list->items[99]->i, 99);
	assert_int_equal(node_set(map, "a", node_string("x\"\x01")), 0);
	assert_int_equal(node_set(map, "b", node_bool(1)), 0);
	assert_int_equal(node_set(map, "a", node_null()), 0);
	assert_int_equal(node_set(map, "c", node_float(0.5)), 0);
	assert_int_equal(node_set(map, "d", NULL), ERR_NOMEM);
	copy = node_dup(map);
	assert_true(node_equal(map, copy));
	assert_int_equal(node_json(&out, copy, 0), 0);
	assert_string_equal(buf_str(&out), "{\"a\": null, \"b\": true, \"c\": 0.5}");
	node_free(copy);
	node_free(map);
	node_free(list);
	buf_release(&out);
}

static int add_leaf(const char *path, const struct node *value, void *data)
{
	struct buf *out = data;

	if (buf_addf(out, "%s=", path) < 0 || node_print(out, value) < 0)
		return ERR_NOMEM;
	return !strcmp(path, "stop") ? 7 : buf_addch(out, ';');
}

static void leaves(void **state)
{
	struct node *n = parsed("a: {b: x y, c: [1, {d: 2.50}]}\ne: {}\nf: []\ng: ~\n");
	struct node *stop = parsed("stop: 1\nnot: 2\n");
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(node_each(n, 0, add_leaf, &out), 0);
	assert_string_equal(buf_str(&out), "a.b=x y;a.c.0=1;a.c.1.d=2.50;e={};f=[];g=null;");
	buf_reset(&out);
	assert_int_equal(node_each(n, 1, add_leaf, &out), 0);
	assert_string_equal(buf_str(&out), "a.b=x y;a.c=[1, {\"d\": 2.50}];e={};f=[];g=null;");
	assert_int_equal(node_each(stop, 1, add_leaf, &out), 7);
	buf_release(&out);
	node_free(n);
	node_free(stop);
}

static void json_of_yaml(void **state)
{
	struct node *n = parsed("[.5, 1., +3, 0x1F, 007, .nan, -.inf, 1e3, \"a\\x7f\\\"\", 1E400]");
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(node_json(&out, n, 0), 0);
	assert_string_equal(
		buf_str(&out), "[0.5, 1, 3, 31, 7, null, null, 1e3, \"a\\u007f\\\"\", 1E400]");
	node_free(n);
	n = parsed("{b: [1.0, .nan], a: null}");
	buf_reset(&out);
	assert_int_equal(node_json(&out, n, 1), 0);
	assert_string_equal(buf_str(&out), "{\"a\":null,\"b\":[1,NaN]}");
	buf_release(&out);
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(equality),
		cmocka_unit_test(floats),
		cmocka_unit_test(building),
		cmocka_unit_test(leaves),
		cmocka_unit_test(json_of_yaml),
	};

	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
