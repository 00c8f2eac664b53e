/*
 * template.h: every form of an expression, what may stand where, how variables merge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/template.h"
#include "lib/yaml/yaml.h"

static const char variables[] = "lr: 0.001\n"
				"on: true\n"
				"off: false\n"
				"nothing:\n"
				"word: cat\n"
				"text: two words\n"
				"train: {epochs: 10, layers: [64, 32, {units: 8}]}\n"
				"list: [1, two]\n";

static struct node *parse(const char *text)
{
	struct node *n = NULL;

	if (yaml_parse(&n, "params.yaml", text, strlen(text)) < 0)
		fail_msg("%s: %s", text, err_msg());
	return n;
}

static void set_up(struct template *t)
{
	struct node *n = parse(variables);

	*t = (struct template){.file = "dvx.yaml"};
	assert_int_equal(template_merge(t, n, "params.yaml"), 0);
	node_free(n);
}

/* Resolve a string; its JSON, or the message of the failure. */
static void resolve(
	struct buf *out, const struct template *t, const char *text, enum template_mode mode)
{
	struct node *n = node_string(text), *resolved = NULL;

	assert_non_null(n);
	n->line = 3;
	n->column = 7;
	buf_reset(out);
	if (template_resolve(&resolved, t, n, mode) < 0)
		assert_int_equal(buf_addstr(out, err_msg()), 0);
	else
		assert_int_equal(node_json(out, resolved, 0), 0);
	node_free(resolved);
	node_free(n);
}

static void test_expressions(void **state)
{
	static const struct {
		const char *text, *result;
	} cases[] = {
		{"plain", "\"plain\""},
		{"${word}", "\"cat\""},
		{"${train.epochs}", "10"},
		{"${lr}", "0.001"},
		{"${on}", "true"},
		{"${nothing}", "null"},
		{"a${on}b${off}c${nothing}", "\"atruebfalsecNone\""},
		{"${train.layers[0]}", "64"},
		{"${train.layers.1}", "32"},
		{"${train.layers[2].units}", "8"},
		{"${train[layers][2][units]}", "8"},
		{"${train.layers[-1].units}", "8"},
		{"${ word }", "\"cat\""},
		{"${ train . epochs }x", "\"10x\""},
		{"\\${word}", "\"${word}\""},
		{"\\${word} ${word}", "\"${word} cat\""},
		{"$word $ {word} ${word", "\"$word $ {word} ${word\""},
		{"${word}${word}", "\"catcat\""},
	};
	struct template t;
	struct buf found = BUF_INIT;

	(void)state;
	set_up(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		resolve(&found, &t, cases[i].text, TEMPLATE_PLAIN);
		assert_string_equal(buf_str(&found), cases[i].result);
	}
	buf_release(&found);
	template_release(&t);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"${wrd}", "dvx.yaml:3:7: '${wrd}': there is no 'wrd'; the most similar name is "
			   "'word'"},
		{"${zzzzzz}", "no parameter or variable 'zzzzzz'"},
		{"${zzzzzz}", "write '\\${' where the shell"},
		{"${train.epoch}", "the most similar name is 'epochs'"},
		{"${train.layers[3]}", "there is no '3' in a list"},
		{"${word.x}", "there is no 'x' in a string"},
		{"${}", "is no expression"},
		{"${.a}", "is no expression"},
		{"${a.}", "is no expression"},
		{"${a..b}", "is no expression"},
		{"${a[}", "is no expression"},
		{"${a[0}", "is no expression"},
		{"${a]}", "is no expression"},
		{"${a[]}", "is no expression"},
		{"${train}", "is a map; only a string"},
		{"x ${list}",
			"is a list; only a string, number or bool can be put in here: name one"},
	};
	struct template t;
	struct buf found = BUF_INIT;

	(void)state;
	set_up(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		resolve(&found, &t, cases[i].text, TEMPLATE_PLAIN);
		if (strstr(buf_str(&found), cases[i].part) == NULL)
			fail_msg("'%s': '%s' is not in '%s'", cases[i].text, cases[i].part,
				buf_str(&found));
	}
	buf_release(&found);
	template_release(&t);
}

static void test_modes(void **state)
{
	struct template t;
	struct buf found = BUF_INIT;

	(void)state;
	set_up(&t);
	resolve(&found, &t, "run ${train}", TEMPLATE_CMD);
	assert_non_null(strstr(buf_str(&found), "'layers' is a list of lists or maps"));
	resolve(&found, &t, "${list}", TEMPLATE_CMD);
	assert_non_null(strstr(buf_str(&found), "is a list; only"));
	resolve(&found, &t, "${list}", TEMPLATE_COLLECTION);
	assert_string_equal(buf_str(&found), "[1, \"two\"]");
	resolve(&found, &t, "x${list}", TEMPLATE_COLLECTION);
	assert_non_null(strstr(buf_str(&found), "is a list; only"));
	t.key = "uk";
	t.item = node_get(t.context, "train");
	resolve(&found, &t, "${key} ${item.epochs}", TEMPLATE_PLAIN);
	assert_string_equal(buf_str(&found), "\"uk 10\"");
	buf_release(&found);
	template_release(&t);
}

/* Keys are resolved, too; two that become the same are a mistake. */
static void test_keys(void **state)
{
	struct node *n = parse("'${word}.txt': {cache: '${on}'}"), *resolved = NULL;
	struct buf text = BUF_INIT;
	struct template t;

	(void)state;
	set_up(&t);
	assert_true(template_is(n));
	assert_int_equal(template_resolve(&resolved, &t, n, TEMPLATE_PLAIN), 0);
	assert_int_equal(node_json(&text, resolved, 0), 0);
	assert_string_equal(text.p, "{\"cat.txt\": {\"cache\": true}}");
	node_free(resolved);
	node_free(n);
	n = parse("'${word}': 1\ncat: 2\n");
	assert_int_equal(template_resolve(&resolved, &t, n, TEMPLATE_PLAIN), ERR_INVALID);
	assert_string_equal(
		err_msg(), "dvx.yaml:2: two keys are 'cat' once their '${}' are resolved");
	node_free(n);
	buf_release(&text);
	template_release(&t);
}

static void test_merge(void **state)
{
	struct node *n = parse("train: {batch: 4}\nmore: 1\n");
	struct template t, copy;

	(void)state;
	set_up(&t);
	assert_int_equal(template_dup(&copy, &t), 0);
	assert_int_equal(template_merge(&copy, n, "vars"), 0);
	assert_int_equal(node_at(copy.context, "train.batch")->i, 4);
	assert_int_equal(node_at(copy.context, "train.epochs")->i, 10);
	assert_null(node_at(t.context, "train.batch"));
	assert_int_equal(template_merge(&copy, n, "other.yaml"), ERR_INVALID);
	assert_string_equal(err_msg(),
		"'train.batch' of other.yaml is there already, from vars; remove or rename one");
	node_free(n);
	n = parse("train: {epochs: 10}\n");
	assert_int_equal(template_merge(&t, n, "vars"), ERR_INVALID);
	assert_string_equal(err_msg(),
		"'train.epochs' of vars is there already, from params.yaml; remove or rename one");
	node_free(n);
	template_release(&copy);
	template_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_merge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
