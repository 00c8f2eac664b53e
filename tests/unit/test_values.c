/*
 * Files to values by their type, and what is selected in them (docs/metrics.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/metrics/values.h"

/* The values as JSON, or the error's message. */
static const char *parsed(const char *name, const char *type, const char *text)
{
	static struct buf b;
	struct node *n;
	int rc = values_parse(&n, name, type, text, strlen(text));

	buf_reset(&b);
	if (rc < 0)
		return err_msg();
	assert_int_equal(node_json(&b, n, 0), 0);
	node_free(n);
	return buf_str(&b);
}

/* What `path` selects in a file, as JSON, or the error's message. */
static const char *selected(const char *name, const char *text, const char *path)
{
	static struct buf b;
	struct node *n, *out;
	int rc;

	buf_reset(&b);
	assert_int_equal(values_parse(&n, name, NULL, text, strlen(text)), 0);
	rc = values_select(&out, n, path);
	node_free(n);
	if (rc < 0)
		return err_msg();
	assert_int_equal(node_json(&b, out, 0), 0);
	node_free(out);
	return buf_str(&b);
}

static int add_name(const char *name, const struct node *value, void *data)
{
	struct buf *b = data;

	assert_int_equal(buf_addf(b, "%s%s=", b->len ? " " : "", name), 0);
	return node_print(b, value);
}

static const char *names(const char *name, const char *text)
{
	static struct buf b;
	struct node *n;

	buf_reset(&b);
	assert_int_equal(values_parse(&n, name, NULL, text, strlen(text)), 0);
	assert_int_equal(values_each(n, add_name, &b), 0);
	node_free(n);
	return buf_str(&b);
}

static void test_formats(void **state)
{
	(void)state;
	assert_string_equal(parsed("m.json", NULL, "{\"a\": 1.50}"), "{\"a\": 1.50}");
	assert_string_equal(
		parsed("d.d/m.yml", NULL, "a: yes\nb: 0x10\n"), "{\"a\": \"yes\", \"b\": 16}");
	assert_string_equal(parsed("m.YAML", NULL, "- 1\n"), "[1]");
	assert_string_equal(parsed("acc.txt", NULL, " 0.896\r\n"), "0.896");
	assert_string_equal(parsed("dir.json/acc", NULL, "good enough\n"), "\"good enough\"");
	assert_string_equal(parsed("acc", NULL,
				    "\xef\xbb\xbf"
				    "12"),
		"12");
	assert_string_equal(parsed("acc", NULL, ""), "null");
	assert_string_equal(parsed("acc", "json", "[true]"), "[true]");
	assert_string_equal(parsed("m.json", "raw", "{}"), "\"{}\"");
	assert_string_equal(parsed("m.json", "xml", "{}"),
		"unknown type 'xml'; there are json, yaml, toml, csv, tsv, hcsv, htsv and raw");
}

static void test_tables(void **state)
{
	(void)state;
	assert_string_equal(parsed("m.csv", NULL, "epoch,acc\n0,0.5\n1, 0.75\n"),
		"[{\"epoch\": 0, \"acc\": 0.5}, {\"epoch\": 1, \"acc\": 0.75}]");
	assert_string_equal(
		parsed("m.csv", NULL, "epoch;acc\n0;a,b\n"), "[{\"epoch\": 0, \"acc\": \"a,b\"}]");
	assert_string_equal(parsed("m.tsv", NULL, "0.5\t0.25\n"), "[{\"0\": 0.5, \"1\": 0.25}]");
	assert_string_equal(parsed("m", "htsv", "1\t2\n3\t4\n"), "[{\"1\": 3, \"2\": 4}]");
	assert_string_equal(parsed("m.csv", NULL, "a,b\n1\n1,2,3\n"),
		"[{\"a\": 1}, {\"a\": 1, \"b\": 2, \"2\": 3}]");
	assert_string_equal(parsed("m.csv", NULL, "a,\"b\"\"\n\",c\n,null,\n"),
		"[{\"a\": null, \"b\\\"\": null, \"c\": null}]");
	assert_string_equal(parsed("m.csv", NULL, ""), "[]");
	assert_string_equal(
		parsed("m.csv", NULL, "\na,b,a\n"), "m.csv:2: two columns have the name 'a'");
}

static void test_errors_name_the_place(void **state)
{
	struct node *n;

	(void)state;
	assert_memory_equal(parsed("d/m.json", NULL, "{\n\"a\": }\n"), "d/m.json:2:", 11);
	assert_memory_equal(parsed("d/m.yaml", NULL, "a: 1\na: 2\n"), "d/m.yaml:2:", 11);
	assert_int_equal(values_parse(&n, "m", NULL, "a\0b", 3), ERR_INVALID);
	assert_string_equal(err_msg(), "m: neither text nor a format that is known");
}

static void test_select_in_documents(void **state)
{
	static const char text[] =
		"{\"acc\": 0.9, \"train\": {\"loss\": 0.5, \"n\": [1, {\"u\": 7}]}, "
		"\"a.b\": 3}";

	(void)state;
	assert_string_equal(selected("m.json", text, "acc"), "{\"acc\": 0.9}");
	assert_string_equal(selected("m.json", text, "train.loss"), "{\"train.loss\": 0.5}");
	assert_string_equal(selected("m.json", text, "$.train.loss"), "{\"train.loss\": 0.5}");
	assert_string_equal(
		selected("m.json", text, "$['train'][\"n\"][1].u"), "{\"train.n.1.u\": 7}");
	assert_string_equal(selected("m.json", text, "train.n[0]"), "{\"train.n.0\": 1}");
	assert_string_equal(selected("m.json", text, "a.b"), "{\"a.b\": 3}");
	assert_string_equal(selected("m.json", "{\"a\": 1}", "$"), "{\"a\": 1}");
	assert_string_equal(
		selected("m.json", text, "train.nope"), "there is no 'train.nope' in it");
	assert_string_equal(selected("m.json", text, "acc.x"), "there is no 'acc.x' in it");
	assert_memory_equal(selected("m.json", text, "$..loss"),
		"cannot select '$..loss': it has wildcards", 41);
	assert_memory_equal(selected("m.json", text, "train['n"),
		"cannot select 'train['n': a bracket is not closed", 47);
}

static void test_select_in_tables(void **state)
{
	static const char text[] = "epoch,acc\n0,0.5\n1,0.75\n";

	(void)state;
	assert_string_equal(selected("m.csv", text, "acc"), "{\"acc\": [0.5, 0.75]}");
	assert_string_equal(selected("m.csv", "acc\n0.5\n", "acc"), "{\"acc\": 0.5}");
	assert_string_equal(selected("m.csv", text, "1,acc"), "{\"1.acc\": 0.75}");
	assert_string_equal(selected("m.csv", text, "-1, acc"), "{\"-1.acc\": 0.75}");
	assert_string_equal(selected("m.csv", text, "0,1"), "{\"0.1\": 0.5}");
	assert_string_equal(selected("m.csv", text, "0.acc"), "{\"0.acc\": 0.5}");
	assert_string_equal(selected("m.csv", text, "2,acc"), "there is no '2,acc' in it");
	assert_string_equal(selected("m.csv", text, "-3,acc"), "there is no '-3,acc' in it");
	assert_string_equal(selected("m.csv", text, "1,2"), "there is no '1,2' in it");
	assert_string_equal(selected("m.csv", text, "x"), "there is no 'x' in it");
	assert_string_equal(selected("m.csv", text, "99999999999999999999,acc"),
		"there is no '99999999999999999999,acc' in it");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(
		names("m.json", "{\"a\": {\"b\": 1}, \"c\": [1, 2]}"), "a.b=1 c=[1, 2]");
	assert_string_equal(names("acc.txt", "0.896\n"), "value=0.896");
	assert_string_equal(names("empty.txt", ""), "");
	assert_string_equal(names("m.json", "[1, 2]"), "value=[1, 2]");
	assert_string_equal(names("m.csv", "a,b\n1,2\n"), "a=1 b=2");
	assert_string_equal(names("m.csv", "a,b\n1,2\n3,4\n"), "0.a=1 0.b=2 1.a=3 1.b=4");
	assert_string_equal(names("m.json", "[{\"a\": {\"b\": 1}}, {}]"), "0.a.b=1");
	assert_string_equal(names("m.json", "{}"), "");
	assert_string_equal(names("m.csv", "a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n"
					   "16\n17\n18\n19\n20\n21\n"),
		"-1.a=21");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_formats),
		cmocka_unit_test(test_tables), cmocka_unit_test(test_errors_name_the_place),
		cmocka_unit_test(test_select_in_documents), cmocka_unit_test(test_select_in_tables),
		cmocka_unit_test(test_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
