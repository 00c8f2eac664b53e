/*
 * Changing the text of dvx.yaml: what is added looks like the rest, and the rest stays byte for
 * byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/pipeline/stageedit.h"

static const char file[] = "dvx.yaml";

/* Add "cmd: run" with one dependency as `name`, and compare. */
static void check_add(const char *before, const char *name, const char *after)
{
	struct stage_spec s = {.name = name, .cmd = "run"};
	struct buf text = BUF_INIT;

	assert_int_equal(buf_addstr(&text, before), 0);
	assert_int_equal(strvec_push(&s.deps, "in"), 0);
	assert_int_equal(stageedit_add(&text, file, &s, 0), 0);
	assert_string_equal(text.p, after);
	buf_release(&text);
	stage_spec_release(&s);
}

#define NEW "  b:\n    cmd: run\n    deps:\n    - in\n"

static void test_where_nothing_is(void **state)
{
	(void)state;
	check_add("", "b", "stages:\n" NEW);
	check_add("# only words\n", "b", "# only words\nstages:\n" NEW);
	check_add("# no line ending", "b", "# no line ending\nstages:\n" NEW);
	check_add("{}\n", "b", "stages:\n" NEW);
	check_add("stages:\n", "b", "stages:\n" NEW);
	check_add("stages:", "b", "stages:\n" NEW);
	check_add("stages: {} # none yet\nvars: [a.yaml]\n", "b",
		"stages: # none yet\n" NEW "vars: [a.yaml]\n");
	check_add("stages: ~\n", "b", "stages:\n" NEW);
	check_add("vars: [a.yaml]\n", "b", "vars: [a.yaml]\nstages:\n" NEW);
}

static void test_behind_the_last(void **state)
{
	(void)state;
	check_add("stages:\n  a:\n    cmd: x\n", "b", "stages:\n  a:\n    cmd: x\n" NEW);
	check_add("stages:\n  a:\n    cmd: x", "b", "stages:\n  a:\n    cmd: x\n" NEW);
	check_add("# top\nstages: # all\n\n  a:   # first\n    cmd: x # why\n    # of a\n\n# of "
		  "vars\nvars:\n- v\n",
		"b",
		"# top\nstages: # all\n\n  a:   # first\n    cmd: x # why\n    # of a\n" NEW
		"\n# of vars\nvars:\n- v\n");
	/* a string whose lines look like something else */
	check_add("stages:\n  a:\n    cmd: |\n      x\n      # not a comment\n\nvars: []\n", "b",
		"stages:\n  a:\n    cmd: |\n      x\n      # not a comment\n" NEW "\nvars: []\n");
	/* a list that is not indented, a flow collection that comes back to the left */
	check_add("stages:\n  a:\n    cmd: x\n    deps:\n    - y\n    outs: [\n  z\n]\nvars: []\n",
		"b",
		"stages:\n  a:\n    cmd: x\n    deps:\n    - y\n    outs: [\n  z\n]\n" NEW
		"vars: []\n");
}

static void test_style(void **state)
{
	(void)state;
	check_add("stages:\n    a:\n        cmd: x\n        deps:\n            - y\n", "b",
		"stages:\n    a:\n        cmd: x\n        deps:\n            - y\n"
		"    b:\n        cmd: run\n        deps:\n            - in\n");
	check_add("stages:\r\n  a:\r\n    cmd: x\r\n", "b",
		"stages:\r\n  a:\r\n    cmd: x\r\n  b:\r\n    cmd: run\r\n    deps:\r\n    - "
		"in\r\n");
	check_add("stages:\n  a:\n    cmd: x\n\n  # second\n  c:\n    cmd: y\n", "b",
		"stages:\n  a:\n    cmd: x\n\n  # second\n  c:\n    cmd: y\n\n" NEW);
	check_add("{\"stages\": {\"a\": {\"cmd\": \"x\"}}}\n", "b",
		"{\"stages\": {\"a\": {\"cmd\": \"x\"}, \"b\": {\"cmd\": \"run\", \"deps\": "
		"[\"in\"]}}}\n");
	check_add("stages: {a: {cmd: x},\n  }\n", "b",
		"stages: {a: {cmd: x}, \"b\": {\"cmd\": \"run\", \"deps\": [\"in\"]}\n  }\n");
}

static void push(struct strvec *v, const char *text)
{
	assert_int_equal(strvec_push(v, text), 0);
}

static void test_all_options(void **state)
{
	struct stage_spec s = {.name = "all",
		.cmd = "python \"train.py\" # -x",
		.wdir = "sub",
		.desc = "yes",
		.frozen = 1,
		.always_changed = 1};
	struct buf text = BUF_INIT;

	(void)state;
	push(&s.deps, "a: b");
	push(&s.params, "lr,epochs");
	push(&s.params, "c.json:x.y,z");
	push(&s.params, "d.yaml:");
	push(&s.params, "c.json:w");
	push(&s.outs, "o");
	push(&s.outs_no_cache, "onc");
	push(&s.outs_persist, "op");
	push(&s.outs_persist_no_cache, "opnc");
	push(&s.metrics, "m");
	push(&s.metrics_no_cache, "mnc.json");
	push(&s.plots, "p");
	push(&s.plots_no_cache, "pnc");
	push(&s.env_set, "NT=4");
	push(&s.env_set, "E=a=b");
	push(&s.env_vars, "HOME");
	push(&s.env_files, "req.txt");
	push(&s.mutex, "db");
	push(&s.resources, "gpu=2");
	assert_int_equal(stageedit_add(&text, file, &s, 0), 0);
	assert_string_equal(text.p, "stages:\n"
				    "  all:\n"
				    "    desc: \"yes\"\n"
				    "    cmd: \"python \\\"train.py\\\" # -x\"\n"
				    "    wdir: sub\n"
				    "    deps:\n"
				    "    - \"a: b\"\n"
				    "    params:\n"
				    "    - lr\n"
				    "    - epochs\n"
				    "    - c.json:\n"
				    "      - x.y\n"
				    "      - z\n"
				    "      - w\n"
				    "    - d.yaml:\n"
				    "    outs:\n"
				    "    - o\n"
				    "    - onc:\n"
				    "        cache: false\n"
				    "    - op:\n"
				    "        persist: true\n"
				    "    - opnc:\n"
				    "        cache: false\n"
				    "        persist: true\n"
				    "    metrics:\n"
				    "    - m\n"
				    "    - mnc.json:\n"
				    "        cache: false\n"
				    "    plots:\n"
				    "    - p\n"
				    "    - pnc:\n"
				    "        cache: false\n"
				    "    env:\n"
				    "      set:\n"
				    "        NT: \"4\"\n"
				    "        E: a=b\n"
				    "      vars:\n"
				    "      - HOME\n"
				    "      files:\n"
				    "      - req.txt\n"
				    "    resources:\n"
				    "      gpu: 2\n"
				    "    mutex:\n"
				    "    - db\n"
				    "    frozen: true\n"
				    "    always_changed: true\n");
	buf_release(&text);
	stage_spec_release(&s);
}

static void test_refusals(void **state)
{
	static const char *const bad_names[] = {
		"", "a.b", "a b", "a/b", "a@b", "a:b", "a\n", "${x}"};
	static const char *const bad_files[] = {
		"- a\n", "stages: 3\n", "stages:\n  a: [\n", "stages:\n  x: 1\n--- 2\n"};
	struct stage_spec s = {.name = "a", .cmd = "run"};
	struct buf text = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
		s.name = bad_names[i];
		assert_int_equal(stageedit_add(&text, file, &s, 0), ERR_INVALID);
	}
	s.name = "new";
	for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
		buf_reset(&text);
		assert_int_equal(buf_addstr(&text, bad_files[i]), 0);
		assert_int_equal(stageedit_add(&text, file, &s, 0), ERR_INVALID);
		assert_string_equal(text.p, bad_files[i]);
	}
	buf_reset(&text);
	push(&s.resources, "gpu");
	assert_int_equal(stageedit_add(&text, file, &s, 0), ERR_INVALID);
	s.resources.v[0][0] = '=';
	assert_int_equal(stageedit_add(&text, file, &s, 0), ERR_INVALID);
	s.cmd = NULL;
	assert_int_equal(stageedit_add(&text, file, &s, 0), ERR_INVALID);
	buf_release(&text);
	stage_spec_release(&s);
}

static void test_replace(void **state)
{
	static const char before[] =
		"stages:\n  # first\n  a: # here\n    cmd: x\n    deps: [y]\n\n  c:\n    cmd: z\n";
	struct stage_spec s = {.name = "a", .cmd = "run"};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&text, before), 0);
	assert_int_equal(stageedit_add(&text, file, &s, 0), ERR_EXISTS);
	assert_string_equal(
		err_msg(), "stage 'a' exists already in 'dvx.yaml' (line 3); --force replaces it");
	assert_string_equal(text.p, before);
	assert_int_equal(stageedit_add(&text, file, &s, 1), 0);
	assert_string_equal(text.p, "stages:\n  # first\n  a:\n    cmd: run\n\n  c:\n    cmd: z\n");
	buf_reset(&text);
	assert_int_equal(buf_addstr(&text, "stages: {a: {cmd: x}, c: {cmd: y}}\n"), 0);
	assert_int_equal(stageedit_add(&text, file, &s, 1), 0);
	assert_string_equal(text.p, "stages: {a: {\"cmd\": \"run\"}, c: {cmd: y}}\n");
	buf_release(&text);
	stage_spec_release(&s);
}

static void check_remove(const char *before, const char *name, const char *after)
{
	struct buf text = BUF_INIT;

	assert_int_equal(buf_addstr(&text, before), 0);
	assert_int_equal(stageedit_remove(&text, file, name), 0);
	assert_string_equal(text.p, after);
	buf_release(&text);
}

static void test_remove(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	check_remove("stages:\n  # the first\n  # of two\n  a:\n    cmd: x\n    # in a\n  c:\n    "
		     "cmd: y\n",
		"a", "stages:\n  c:\n    cmd: y\n");
	check_remove("stages:\n  a:\n    cmd: x\n    # in a\n  c:\n    cmd: y\n# end\n", "c",
		"stages:\n  a:\n    cmd: x\n    # in a\n# end\n");
	check_remove("stages:\n  a:\n    cmd: x\n\n  b:\n    cmd: x\n\n  c:\n    cmd: y\n", "b",
		"stages:\n  a:\n    cmd: x\n\n  c:\n    cmd: y\n");
	check_remove("stages: # all of them\n  a:\n    cmd: x\n# end\n", "a",
		"stages: {} # all of them\n# end\n");
	check_remove("stages: {a: {cmd: x}, b: {cmd: y}, c: {cmd: z}}\n", "a",
		"stages: { b: {cmd: y}, c: {cmd: z}}\n");
	check_remove("stages: {a: {cmd: x}, b: {cmd: y}, c: {cmd: z}}\n", "c",
		"stages: {a: {cmd: x}, b: {cmd: y}}\n");
	check_remove("stages: {a: {cmd: x}}\n", "a", "stages: {}\n");
	assert_int_equal(
		buf_addstr(&text, "stages:\n  a:\n    foreach: [1]\n    do: {cmd: x}\n"), 0);
	assert_int_equal(stageedit_remove(&text, file, "b"), ERR_NOTFOUND);
	assert_int_equal(stageedit_remove(&text, file, "a@1"), ERR_NOTFOUND);
	assert_string_equal(
		err_msg(), "'a@1' is one of the stages that 'a' makes (dvx.yaml:2); name that one");
	buf_release(&text);
}

/* A stage whose text is used elsewhere can not go. */
static void test_anchor(void **state)
{
	static const char before[] = "stages:\n  a: &x\n    cmd: y\n  b: *x\n";
	static const char above[] = "x: &s\n  a:\n    cmd: echo a\nstages: *s\n";
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&text, before), 0);
	assert_int_equal(stageedit_remove(&text, file, "a"), ERR_INVALID);
	assert_string_equal(text.p, before);
	/* lines above "stages:", which would come to stand behind the end of the text */
	buf_reset(&text);
	assert_int_equal(buf_addstr(&text, above), 0);
	assert_int_equal(stageedit_remove(&text, file, "a"), ERR_INVALID);
	assert_string_equal(text.p, above);
	buf_release(&text);
}

static void check_freeze(const char *before, int frozen, int changed, const char *after)
{
	struct buf text = BUF_INIT;

	assert_int_equal(buf_addstr(&text, before), 0);
	assert_int_equal(stageedit_freeze(&text, file, "a", frozen), changed);
	assert_string_equal(text.p, after);
	buf_release(&text);
}

static void test_freeze(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	check_freeze("stages:\n  a:\n    cmd: x # c\n    outs:\n    - o\n\n  b:\n    cmd: y\n", 1,
		1,
		"stages:\n  a:\n    cmd: x # c\n    outs:\n    - o\n    frozen: true\n\n  b:\n    "
		"cmd: y\n");
	check_freeze("stages:\n  a:\n    cmd: x\n    frozen: true # for now\n", 1, 0,
		"stages:\n  a:\n    cmd: x\n    frozen: true # for now\n");
	check_freeze("stages:\n  a:\n    frozen: false # for now\n    cmd: x\n", 1, 1,
		"stages:\n  a:\n    frozen: true # for now\n    cmd: x\n");
	check_freeze("stages:\n  a:\n    cmd: x\n    frozen: true\n    outs: [o]\n", 0, 1,
		"stages:\n  a:\n    cmd: x\n    outs: [o]\n");
	check_freeze("stages:\n  a:\n    cmd: x\n", 0, 0, "stages:\n  a:\n    cmd: x\n");
	check_freeze("stages: {a: {cmd: x}}\n", 1, 1, "stages: {a: {cmd: x, \"frozen\": true}}\n");
	check_freeze("stages: {a: {cmd: x, frozen: true}}\n", 0, 1, "stages: {a: {cmd: x}}\n");
	check_freeze("stages:\n  a:\n    foreach: [1]\n    do:\n      cmd: x\n", 1, 1,
		"stages:\n  a:\n    foreach: [1]\n    do:\n      cmd: x\n      frozen: true\n");
	assert_int_equal(buf_addstr(&text, "stages: {}\n"), 0);
	assert_int_equal(stageedit_freeze(&text, file, "a", 1), ERR_NOTFOUND);
	buf_release(&text);
}

static void check_metric(const char *before, const char *metric, const char *after)
{
	struct buf text = BUF_INIT;

	assert_int_equal(buf_addstr(&text, before), 0);
	assert_int_equal(stageedit_metric(&text, file, metric, "json", "acc"), 0);
	assert_string_equal(text.p, after);
	buf_release(&text);
}

static void test_metric(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	check_metric("stages:\n  a:\n    cmd: x\n    metrics:\n    - m/m.json # why\n", "m/m.json",
		"stages:\n  a:\n    cmd: x\n    metrics:\n    - {m/m.json: {type: json, path: "
		"acc}} # why\n");
	check_metric("stages:\n  a:\n    cmd: x\n    wdir: s\n    metrics:\n    - m.json:\n        "
		     "cache: false\n",
		"s/m.json",
		"stages:\n  a:\n    cmd: x\n    wdir: s\n    metrics:\n    - m.json:\n        "
		"cache: false\n"
		"        type: json\n        path: acc\n");
	/* other options stay as they are written, also those that no path leads to */
	check_metric("metrics:\n- m.json:\n    x: 'no' # quoted\n    type: a\n    \"\": 1\n",
		"m.json",
		"metrics:\n- m.json:\n    x: 'no' # quoted\n    type: json\n    \"\": 1\n    path: "
		"acc\n");
	assert_int_equal(buf_addstr(&text, "metrics: [a.json]\n"), 0);
	assert_int_equal(stageedit_metric(&text, file, "b.json", "json", "acc"), ERR_NOTFOUND);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_nothing_is),
		cmocka_unit_test(test_behind_the_last),
		cmocka_unit_test(test_style),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_freeze),
		cmocka_unit_test(test_metric),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
