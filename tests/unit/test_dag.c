/*
 * dag.h: who needs whom, in which order, and what cannot be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/dag.h"

static int read_nothing(void *data, const char *path, struct buf *out)
{
	(void)data;
	(void)out;
	return err_set(ERR_NOTFOUND, "no file '%s'", path);
}

static struct pipeline *parse(const char *text)
{
	static const struct pipeline_reader reader = {.read = read_nothing};
	struct pipeline *p = NULL;

	if (pipeline_parse(&p, "dvx.yaml", text, strlen(text), &reader) < 0)
		fail_msg("%s", err_msg());
	return p;
}

/* "a b c": the order, or the message of the failure; with `wanted` ("b"), what a spread marks. */
static void print_order(struct buf *out, const char *text, const char *wanted, int directions)
{
	struct pipeline *p = parse(text);
	struct dag *d = NULL;
	char marks[64] = {0};

	buf_reset(out);
	assert_true(p->n < sizeof(marks));
	if (dag_new(&d, p) < 0) {
		buf_addstr(out, err_msg());
		goto done;
	}
	for (size_t i = 0; wanted != NULL && i < p->n; i++)
		marks[i] = strchr(wanted, p->v[i]->name[0]) != NULL;
	if (wanted != NULL)
		assert_int_equal(dag_spread(d, marks, directions), 0);
	for (size_t i = 0; i < p->n; i++)
		if (wanted == NULL || marks[d->order[i]])
			buf_addf(out, "%s%s", out->len > 0 ? " " : "", p->v[d->order[i]]->name);
done:
	dag_free(d);
	pipeline_free(p);
}

#define STAGE(name, deps, outs) "  " name ": {cmd: x, deps: [" deps "], outs: [" outs "]}\n"

static void test_order(void **state)
{
	static const struct {
		const char *text, *order;
	} cases[] = {
		{"stages:\n", ""},
		{"stages:\n" STAGE("a", "", "") STAGE("b", "", ""), "a b"},
		{"stages:\n" STAGE("c", "y", "z") STAGE("b", "x", "y") STAGE("a", "", "x"),
			"a b c"},
		/* below, above and beside */
		{"stages:\n" STAGE("b", "data", "") STAGE("a", "", "data/x/y"), "a b"},
		{"stages:\n" STAGE("b", "data/x/y", "") STAGE("a", "", "data"), "a b"},
		{"stages:\n" STAGE("b", "data-x", "") STAGE("a", "", "data"), "b a"},
		{"stages:\n" STAGE("b", "data/x", "") STAGE("a", "", "data/xy"), "b a"},
		/* patterns */
		{"stages:\n" STAGE("b", "'d/*.csv'", "") STAGE("a", "", "d/x.csv"), "a b"},
		{"stages:\n" STAGE("b", "'d/*.csv'", "") STAGE("a", "", "d/x.txt"), "b a"},
		{"stages:\n" STAGE("b", "'d/*.csv'", "") STAGE("a", "", "d"), "a b"},
		{"stages:\n" STAGE("b", "'d/*/x.csv'", "") STAGE("a", "", "d/e"), "a b"},
		{"stages:\n" STAGE("b", "'**/*.py'", "") STAGE("a", "", "model.bin"), "b a"},
		{"stages:\n" STAGE("b", "'src/**/*.py'", "") STAGE("a", "", "src/gen"), "a b"},
		{"stages:\n" STAGE("b", "'src/**/*.py'", "src/x.bin"), "b"},
		/* parameters that another stage writes */
		{"stages:\n  b: {cmd: x, params: [{p.yaml: [k]}]}\n" STAGE("a", "", "p.yaml"),
			"a b"},
	};
	struct buf found = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_order(&found, cases[i].text, NULL, 0);
		if (strcmp(buf_str(&found), cases[i].order) != 0)
			fail_msg("%s: '%s', not '%s'", cases[i].text, buf_str(&found),
				cases[i].order);
	}
	buf_release(&found);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"stages:\n" STAGE("a", "z", "x") STAGE("b", "x", "y") STAGE("c", "y", "z"),
			"stages 'a' (dvx.yaml:2) -> 'c' (dvx.yaml:4) -> 'b' (dvx.yaml:3) -> 'a' "
			"depend on "
			"each other; remove one of these dependencies"},
		{"stages:\n" STAGE("a", "d", "d/x"),
			"dvx.yaml:2: stage 'a' depends on its own output 'd/x' (by 'd'); name what "
			"it reads more closely"},
		{"stages:\n" STAGE("a", "'*.csv'", "x.csv"),
			"dvx.yaml:2: stage 'a' depends on its own output 'x.csv' (by '*.csv'); "
			"name what "
			"it reads more closely"},
		{"stages:\n" STAGE("a", "", "x") STAGE("b", "", "x"),
			"dvx.yaml:3: 'x' is an output of stage 'b' and, in dvx.yaml:2, of stage "
			"'a'; give "
			"each stage outputs of its own"},
		{"stages:\n" STAGE("a", "", "d/x/y") STAGE("b", "", "d") STAGE("c", "", "d-e"),
			"dvx.yaml:2: output 'd/x/y' of stage 'a' lies within output 'd' of stage "
			"'b' "
			"(dvx.yaml:3); outputs must not hold each other"},
	};
	struct buf found = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_order(&found, cases[i].text, NULL, 0);
		assert_string_equal(buf_str(&found), cases[i].message);
	}
	buf_release(&found);
}

/* a -> b -> d, a -> c -> d, e alone */
static void test_spread(void **state)
{
	static const char diamond[] = "stages:\n" STAGE("d", "b.out, c.out", "d.out")
		STAGE("b", "a.out", "b.out") STAGE("c", "a.out", "c.out") STAGE("a", "", "a.out")
			STAGE("e", "", "e.out");
	struct buf found = BUF_INIT;

	(void)state;
	print_order(&found, diamond, NULL, 0);
	assert_string_equal(buf_str(&found), "a b c d e");
	print_order(&found, diamond, "b", DAG_UP);
	assert_string_equal(buf_str(&found), "a b");
	print_order(&found, diamond, "b", DAG_DOWN);
	assert_string_equal(buf_str(&found), "b d");
	print_order(&found, diamond, "b", DAG_UP | DAG_DOWN);
	assert_string_equal(buf_str(&found), "a b d");
	print_order(&found, diamond, "d", DAG_UP);
	assert_string_equal(buf_str(&found), "a b c d");
	print_order(&found, diamond, "e", DAG_UP | DAG_DOWN);
	assert_string_equal(buf_str(&found), "e");
	print_order(&found, diamond, "be", 0);
	assert_string_equal(buf_str(&found), "b e");
	buf_release(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_spread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
