/*
 * YAML into nodes: types, places, what is refused and how it is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/document.h"

static void is_refused(const char *yaml, int code, const char *message)
{
	struct node *n = NULL;

	assert_int_equal(yaml_parse(&n, "t.yaml", yaml, strlen(yaml)), code);
	assert_null(n);
	if (strstr(err_msg(), message) == NULL)
		print_error("'%s' is not in: %s\n", message, err_msg());
	assert_non_null(strstr(err_msg(), message));
}

/* YAML 1.2, section 10.3.2. */
static void core_schema(void **state)
{
	static const struct {
		const char *text;
		enum node_type type;
	} cases[] = {{"null", NODE_NULL}, {"Null", NODE_NULL}, {"NULL", NODE_NULL},
		{"~", NODE_NULL}, {"", NODE_NULL}, {"nULL", NODE_STRING}, {"true", NODE_BOOL},
		{"True", NODE_BOOL}, {"FALSE", NODE_BOOL}, {"tRUE", NODE_STRING},
		{"yes", NODE_STRING}, {"on", NODE_STRING}, {"0", NODE_INT}, {"-12", NODE_INT},
		{"+7", NODE_INT}, {"012", NODE_INT}, {"0o17", NODE_INT}, {"0o18", NODE_STRING},
		{"0x1F", NODE_INT}, {"0xG", NODE_STRING}, {"-0x1", NODE_STRING},
		{"1_000", NODE_STRING}, {"12:30", NODE_STRING}, {"2020-01-01", NODE_STRING},
		{"0b1", NODE_STRING}, {"1.5", NODE_FLOAT}, {"1.", NODE_FLOAT}, {".5", NODE_FLOAT},
		{".", NODE_STRING}, {"1e3", NODE_FLOAT}, {"1e", NODE_STRING},
		{"-1.5E-3", NODE_FLOAT}, {".inf", NODE_FLOAT}, {"-.Inf", NODE_FLOAT},
		{"+.INF", NODE_FLOAT}, {".nan", NODE_FLOAT}, {"-.nan", NODE_STRING},
		{".NaN", NODE_FLOAT}, {"inf", NODE_STRING}, {"1.2.3", NODE_STRING},
		{"9223372036854775807", NODE_INT}, {"9223372036854775808", NODE_FLOAT},
		{"'1'", NODE_STRING}, {"\"\"", NODE_STRING}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct node *n = parsed(cases[i].text);

		if (n->type != cases[i].type)
			print_error("'%s' is %s\n", cases[i].text, node_type_name(n));
		assert_int_equal(n->type, cases[i].type);
		node_free(n);
	}
}

static void values_of_numbers(void **state)
{
	struct node *n = parsed("[0x1F, 0o17, -12, 1e3, 0.1, true, False, 18446744073709551615]");

	(void)state;
	assert_int_equal(n->items[0]->i, 31);
	assert_int_equal(n->items[1]->i, 15);
	assert_int_equal(n->items[2]->i, -12);
	assert_true(n->items[3]->f == 1000.0 && n->items[4]->f == 0.1);
	assert_int_equal(n->items[5]->i, 1);
	assert_int_equal(n->items[6]->i, 0);
	assert_string_equal(n->items[7]->text, "18446744073709551615");
	node_free(n);
}

static void collections(void **state)
{
	(void)state;
	reads_as("", "null");
	reads_as("# nothing\n", "null");
	reads_as("---\na: 1\n...\n", "{\"a\": 1}");
	reads_as("\xef\xbb\xbf"
		 "a: 1\r\nb:\r\n- x\r\n",
		"{\"a\": 1, \"b\": [\"x\"]}");
	reads_as("b: {c: [1, 'two', \"\\u00e9\\n\"], d: }\na:\n- - x\n- y: z\n",
		"{\"b\": {\"c\": [1, \"two\", \"é\\n\"], \"d\": null}, \"a\": [[\"x\"], {\"y\": "
		"\"z\"}]}");
	reads_as("1: a\ntrue: b\n~: c\n", "{\"1\": \"a\", \"true\": \"b\", \"~\": \"c\"}");
	reads_as("a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{\"a\": \"x\\ny\\n\", \"b\": \"x y\"}");
	reads_as("cmd: python a.py ${train.lr} --x=#y\n",
		"{\"cmd\": \"python a.py ${train.lr} --x=#y\"}");
	reads_as("a: \"x\\0y\"\n", "{\"a\": \"x\\u0000y\"}");
}

static void tags(void **state)
{
	(void)state;
	reads_as("[!!str 12, !!float 3, !!int \"7\", !!bool 'true', !!null '', ! 5, !!str yes]",
		"[\"12\", 3, 7, true, null, \"5\", \"yes\"]");
	reads_as("!!map {a: !!seq [1]}", "{\"a\": [1]}");
	is_refused("a: !!int x\n", ERR_INVALID, "t.yaml:1:4: 'x' is not what the tag !!int says");
	is_refused("a: !!python/tuple [1]\n", ERR_INVALID, "t.yaml:1:4: tag");
	is_refused("a: !secret x\n", ERR_INVALID, "tag '!secret' is not known here; remove it");
}

static void anchors(void **state)
{
	(void)state;
	reads_as("a: &x [1, 2]\nb: *x\n", "{\"a\": [1, 2], \"b\": [1, 2]}");
	reads_as("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\": 1, \"b\": 2, \"c\": 2}");
	reads_as("&k a: 1\nb: *k\nc: {*k : 2}\n", "{\"a\": 1, \"b\": \"a\", \"c\": {\"a\": 2}}");
	reads_as("base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n",
		"{\"base\": {\"x\": 1, \"y\": 2}, \"c\": {\"y\": 3, \"x\": 1}}");
	reads_as("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}\n",
		"{\"a\": {\"x\": 1}, \"b\": {\"x\": 2, \"y\": 2}, \"c\": {\"z\": 3, \"x\": 1, "
		"\"y\": 2}}");
	reads_as("'<<': 1\n", "{\"<<\": 1}");
	is_refused("a: *nope\n", ERR_INVALID, "t.yaml:1:4: there is no complete value '&nope'");
	is_refused("a: &a [*a]\n", ERR_INVALID, "t.yaml:1:8: there is no complete value");
	is_refused("<<: 5\n", ERR_INVALID, "'<<' merges a map or a list of maps, not an int");
	is_refused("<<: {a: 1}\n<<: {b: 1}\n", ERR_INVALID, "duplicate key '<<'");
}

static void billion_laughs(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"), 0);
	for (int i = 1; i < 10; i++)
		assert_int_equal(
			buf_addf(&text,
				"a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
				i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1),
			0);
	is_refused(buf_str(&text), ERR_LIMIT, "aliases counted at each use");
	buf_release(&text);
}

static void depth(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	for (int i = 0; i < YAML_DEPTH_MAX + 1; i++)
		assert_int_equal(buf_addch(&text, '['), 0);
	is_refused(buf_str(&text), ERR_LIMIT, "nested more than 100 levels deep");
	buf_release(&text);
}

static void duplicates_of_many(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_addf(&text, "k%d: 1\n", i), 0);
	assert_int_equal(buf_addstr(&text, "k500: 2\n"), 0);
	is_refused(buf_str(&text), ERR_INVALID,
		"t.yaml:1001:1: duplicate key 'k500' (first at line 501); remove one of the two");
	buf_release(&text);
}

static void refusals(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {{"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: duplicate key 'a' (first at line 1)"},
		{"a:\n\t- b\n", "t.yaml:2:1: a tab where blanks are needed; indent with blanks"},
		{"a: b: c\n", "t.yaml:1:5: a ':' where no key can be"},
		{"a: [1, 2\nb: 3\n", "t.yaml:2:2: the list '[…' that begins at line 1"},
		{"a: {b: 1", "the map '{…' that begins at line 1"},
		{"a: 'x\nb: 3\n", "the quote that opens at line 1 is never closed"},
		{"a: @x\n", "t.yaml:1:4: a value cannot begin with"},
		{"a: %x\n", "t.yaml:1:4: a value cannot begin with"},
		{"%x\n", "a text cannot begin with '%'"},
		{"[a]: x\n", "t.yaml:1:1: a key must be a word"},
		{"a: {{b}}\n", "a key must be a word, not a list or a map; put a text with braces"},
		{"a: 1\n---\nb: 1\n", "t.yaml:2:1: a second document begins here"},
		{"a:\n  b: 1\n c: 2\n", "t.yaml:3:2: a key is expected here"},
		{"- a\nb: 1\n", "t.yaml:2:1: an item ('- …') is expected here"},
		{"a: \x01\n", "t.yaml:1:4: control character 0x01"},
		{"a: 1\nb: \xff\n", "t.yaml:2:4: not UTF-8"},
		{"a: \"\\d\"\n", "t.yaml:1:5: no escape of double quotes"},
		{"a: - b\n", "t.yaml:1:4: a '-' where no list can begin"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_refused(cases[i].text, ERR_INVALID, cases[i].message);
}

/* Bytes, not characters, and without what stands around. */
static void places(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# é\nä:\n  b: \"ü\" # x\n  c: |\n    t\n\nd: {e: [1]} "
		"#\n";
	static const struct {
		const char *path;
		unsigned line, column;
		const char *bytes;
	} cases[] = {{"ä.b", 3, 6, "\"ü\""}, {"ä.c", 4, 6, "|\n    t\n"}, {"d", 7, 4, "{e: [1]}"},
		{"d.e", 7, 8, "[1]"}, {"d.e.0", 7, 9, "1"},
		{"ä", 3, 3, "b: \"ü\" # x\n  c: |\n    t\n"}};
	struct node *n = parsed(text);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct node *at = node_at(n, cases[i].path);

		assert_non_null(at);
		assert_int_equal(at->line, cases[i].line);
		assert_int_equal(at->column, cases[i].column);
		assert_true(strlen(cases[i].bytes) <= at->end - at->start);
		assert_memory_equal(text + at->start, cases[i].bytes, strlen(cases[i].bytes));
	}
	assert_int_equal(node_at(n, "ä")->key_line, 2);
	node_free(n);
}

static void quoting(void **state)
{
	static const struct {
		const char *text, *yaml;
	} cases[] = {{"python a.py --lr=0.1", "python a.py --lr=0.1"}, {"data/x.csv", "data/x.csv"},
		{"train@small", "train@small"}, {"", "\"\""}, {"yes", "\"yes\""}, {"No", "\"No\""},
		{"12", "\"12\""}, {"1e3", "\"1e3\""}, {"1_000", "\"1_000\""},
		{"2020-01-01", "\"2020-01-01\""}, {"null", "\"null\""}, {"~", "\"~\""},
		{"a: b", "\"a: b\""}, {"a #b", "\"a #b\""}, {"- a", "\"- a\""}, {"a ", "\"a \""},
		{"*x", "\"*x\""}, {"[a]", "\"[a]\""}, {"a,b", "\"a,b\""}, {"...", "\"...\""},
		{"a\"b\\c\n\t", "\"a\\\"b\\\\c\\n\\t\""}, {"\x01\x7f", "\"\\x01\\x7f\""},
		{"é", "\"é\""}, {"\xc2\x85\xe2\x80\xa8\xef\xbb\xbf", "\"\\x85\\u2028\\uFEFF\""},
		{"3.11.2", "3.11.2"}, {"3f2a91c04b7d", "3f2a91c04b7d"},
		{"123e4567", "\"123e4567\""}, {"<<", "\"<<\""}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = BUF_INIT, flow = BUF_INIT;
		struct node *n;

		assert_int_equal(yaml_quote(&out, cases[i].text), 0);
		assert_string_equal(buf_str(&out), cases[i].yaml);
		assert_int_equal(buf_addf(&flow, "{%s: [%s, %s]}", buf_str(&out), buf_str(&out),
					 buf_str(&out)),
			0);
		n = parsed(buf_str(&flow));
		assert_string_equal(n->keys[0], cases[i].text);
		assert_int_equal(n->items[0]->items[1]->type, NODE_STRING);
		assert_string_equal(n->items[0]->items[1]->text, cases[i].text);
		node_free(n);
		buf_release(&out);
		buf_release(&flow);
	}
}

static void formats_by_name(void **state)
{
	struct node *n = NULL;

	(void)state;
	assert_int_equal(doc_format_of("a/b.YAML"), DOC_YAML);
	assert_int_equal(doc_format_of("dvc.yml"), DOC_YAML);
	assert_int_equal(doc_format_of("dvc.lock"), DOC_YAML);
	assert_int_equal(doc_format_of("x.json"), DOC_JSON);
	assert_int_equal(doc_format_of("pyproject.toml"), DOC_TOML);
	assert_int_equal(doc_format_of("a.yaml/b"), DOC_UNKNOWN);
	assert_int_equal(doc_parse(&n, "x.txt", "", 0), ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(core_schema),
		cmocka_unit_test(values_of_numbers),
		cmocka_unit_test(collections),
		cmocka_unit_test(tags),
		cmocka_unit_test(anchors),
		cmocka_unit_test(billion_laughs),
		cmocka_unit_test(depth),
		cmocka_unit_test(duplicates_of_many),
		cmocka_unit_test(refusals),
		cmocka_unit_test(places),
		cmocka_unit_test(quoting),
		cmocka_unit_test(formats_by_name),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
