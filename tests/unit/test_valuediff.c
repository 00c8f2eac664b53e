/*
 * Differences of two states' values, and how numbers are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/metrics/valuediff.h"

enum { FILES_MAX = 4 };

struct side {
	struct values values;
	struct values_file files[FILES_MAX];
	struct node *roots[FILES_MAX];
};

/* "path", "text" pairs, ended by NULL; a text of NULL: the file could not be read. */
static void fill(struct side *s, const char *const *pairs)
{
	memset(s, 0, sizeof *s);
	s->values.v = s->files;
	for (; *pairs; pairs += 2) {
		struct values_file *f = &s->files[s->values.n];
		union {
			const char *in;
			char *out;
		} path = {.in = pairs[0]};

		f->path = path.out;
		if (pairs[1])
			assert_int_equal(values_parse(&s->roots[s->values.n], pairs[0], NULL,
						 pairs[1], strlen(pairs[1])),
				0);
		f->root = s->roots[s->values.n++];
	}
}

static void clear(struct side *s)
{
	for (size_t i = 0; i < s->values.n; i++)
		node_free(s->roots[i]);
}

/* "file:key old>new(change)" for each, in order. */
static const char *differences(const char *const *old, const char *const *now, int all)
{
	static struct buf b;
	struct value_changes c;
	struct side a, z;

	buf_reset(&b);
	fill(&a, old);
	fill(&z, now);
	assert_int_equal(valuediff(&c, &a.values, &z.values, all), 0);
	for (size_t i = 0; i < c.n; i++) {
		buf_addf(&b, "%s%s:%s ", i ? "; " : "", c.v[i].file, c.v[i].key);
		if (c.v[i].old)
			value_format(&b, c.v[i].old, 0);
		buf_addch(&b, '>');
		if (c.v[i].now)
			value_format(&b, c.v[i].now, 0);
		buf_addch(&b, '(');
		value_change_format(&b, &c.v[i], 0);
		buf_addch(&b, ')');
	}
	value_changes_release(&c);
	clear(&a);
	clear(&z);
	return buf_str(&b);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING	  ((const char *const[]){NULL})

static const char *json(const char *old, const char *now)
{
	return differences(LIST("m.json", old), LIST("m.json", now), 0);
}

static void test_values(void **state)
{
	(void)state;
	assert_string_equal(json("{\"acc\": 0.896, \"n\": 10}", "{\"acc\": 0.9187, \"n\": 7}"),
		"m.json:acc 0.896>0.9187(+0.0227); m.json:n 10>7(-3)");
	assert_string_equal(
		json("{\"a\": 1, \"b\": {\"c\": 2}}", "{\"b\": {\"c\": 2}, \"d\": \"x\"}"),
		"m.json:d >x(); m.json:a 1>()");
	assert_string_equal(json("{\"a\": 1, \"l\": [1, 2]}", "{\"a\": \"1\", \"l\": [1, 3]}"),
		"m.json:a 1>1(); m.json:l [1, 2]>[1, 3]()");
	assert_string_equal(json("{\"a\": 1, \"b\": 2}", "{\"b\": 2.0, \"a\": 1}"), "");
	assert_string_equal(json("{\"a\": true}", "{\"a\": false}"), "m.json:a true>false()");
}

static void test_not_a_number(void **state)
{
	(void)state;
	assert_string_equal(differences(LIST("m.yaml", "a: .nan\nb: .inf\n"),
				    LIST("m.yaml", "a: .nan\nb: .inf\n"), 0),
		"");
	assert_string_equal(differences(LIST("m.yaml", "a: .nan\nb: .inf\n"),
				    LIST("m.yaml", "a: 1\nb: 2\n"), 0),
		"m.yaml:a nan>1(nan); m.yaml:b inf>2(-inf)");
}

static void test_files(void **state)
{
	(void)state;
	assert_string_equal(differences(LIST("a", "1", "b", "2"), LIST("b", "3", "c", "4"), 0),
		"b:value 2>3(+1); c:value >4(); a:value 1>()");
	assert_string_equal(differences(LIST("a", NULL, "b", "2"), LIST("a", "1", "b", NULL), 0),
		"a:value >1(); b:value 2>()");
	assert_string_equal(differences(NOTHING, NOTHING, 1), "");
	assert_string_equal(differences(LIST("a", "1"), LIST("a", "1"), 1), "a:value 1>1(0)");
}

/* Changes are of the decimal numbers that people wrote. */
static void test_deltas_have_no_noise(void **state)
{
	(void)state;
	assert_string_equal(
		differences(LIST("a", "9007199254740992"), LIST("a", "9007199254740993"), 0),
		"a:value 9007199254740992>9007199254740993(+1)");
	assert_string_equal(
		differences(LIST("a", "0.1"), LIST("a", "0.3"), 0), "a:value 0.1>0.3(+0.2)");
	assert_string_equal(differences(LIST("a", "1e300"), LIST("a", "-1e300"), 0),
		"a:value 1e+300>-1e+300(-2e+300)");
	assert_string_equal(differences(LIST("a", "1e-300"), LIST("a", "3e-300"), 0),
		"a:value 1e-300>3e-300(+2e-300)");
	assert_string_equal(
		differences(LIST("a", "9223372036854775807"), LIST("a", "-9223372036854775807"), 0),
		"a:value 9223372036854775807>-9223372036854775807(-1.8447e+19)");
}

static const char *formatted(const char *text, int precision)
{
	static struct buf b;
	struct node *n = node_of_plain(text);

	buf_reset(&b);
	assert_int_equal(value_format(&b, n, precision), 0);
	node_free(n);
	return buf_str(&b);
}

static void test_format(void **state)
{
	(void)state;
	assert_string_equal(formatted("0.896969696969697", 0), "0.89697");
	assert_string_equal(formatted("0.896969696969697", 2), "0.9");
	assert_string_equal(formatted("0.8960", 0), "0.896");
	assert_string_equal(formatted("123456789", 0), "123456789");
	assert_string_equal(formatted("123456789.5", 0), "1.2346e+08");
	assert_string_equal(formatted("-0.0", 0), "0");
	assert_string_equal(formatted("some text", 0), "some text");
	assert_string_equal(formatted("true", 0), "true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),
		cmocka_unit_test(test_not_a_number), cmocka_unit_test(test_files),
		cmocka_unit_test(test_deltas_have_no_noise), cmocka_unit_test(test_format)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
