/*
 * experiment.h: what `-S` means, what it does to a file's text, and the recipes in commit messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/yaml/yaml.h"

/* ---- combinations ---- */

/* "a=1 b=2|a=1 b=3": lists by '|', their parameters by blanks. */
static void check_combinations(const char *const *args, const char *expected)
{
	struct strvec in = STRVEC_INIT, *out = NULL;
	struct buf text = BUF_INIT;
	size_t n = 0;

	for (; *args; args++)
		assert_int_equal(strvec_push(&in, *args), 0);
	if (experiment_combine(&out, &n, &in) < 0)
		fail_msg("%s", err_msg());
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < out[i].n; k++)
			assert_int_equal(buf_addf(&text, "%s%s",
						 k   ? " "
						 : i ? "|"
						     : "",
						 out[i].v[k]),
				0);
		strvec_release(&out[i]);
	}
	assert_string_equal(buf_str(&text), expected);
	free(out);
	strvec_release(&in);
	buf_release(&text);
}

#define COMBINATIONS(expected, ...)                                                                \
	check_combinations((const char *const[]){__VA_ARGS__, NULL}, expected)

static void single_values(void **state)
{
	(void)state;
	check_combinations((const char *const[]){NULL}, "");
	COMBINATIONS("lr=0.1", "lr=0.1");
	COMBINATIONS("lr=", "lr=");
	COMBINATIONS("a.json:x.y=1 +b=2", "a.json:x.y=1", "+b=2");
	COMBINATIONS("a=[1,2]", "a=[1,2]");
	COMBINATIONS("a={x: 1, y: [2,3]}", "a={x: 1, y: [2,3]}");
	COMBINATIONS("a=\"x,y\"", "a=\"x,y\"");
	COMBINATIONS("a='it,''s'", "a='it,''s'");
	COMBINATIONS("a=b=c", "a=b=c");
	COMBINATIONS("a=range", "a=range");
}

static void several_values(void **state)
{
	(void)state;
	COMBINATIONS("a=1|a=2", "a=1,2");
	COMBINATIONS("a=1|a=2", "a=choice(1, 2)");
	COMBINATIONS("a=1 b=x|a=1 b=y|a=2 b=x|a=2 b=y", "a=1,2", "b=x,y");
	COMBINATIONS("a=[1,2]|a=[3]", "a=[1,2],[3]");
	COMBINATIONS("a=1|a=3", "a=range(1,5,2)");
	COMBINATIONS("a=0|a=1", "a=range(2)");
	COMBINATIONS("a=0.1|a=0.2|a=0.3", "a=range(0.1,0.4,0.1)");
	COMBINATIONS("a=3|a=2", "a=range(3,1,-1)");
}

static void check_refused(const char *arg)
{
	struct strvec in = STRVEC_INIT, *out = NULL;
	size_t n = 0;

	assert_int_equal(strvec_push(&in, arg), 0);
	assert_true(experiment_combine(&out, &n, &in) < 0);
	assert_non_null(strstr(err_msg(), arg));
	strvec_release(&in);
}

static void refused(void **state)
{
	(void)state;
	check_refused("lr");
	check_refused("=1");
	check_refused("+=1");
	check_refused("f.yaml:=1");
	check_refused("~lr=");
	check_refused("a=[1");
	check_refused("a='1");
	check_refused("a=range(1,2,0)");
	check_refused("a=range(1,x)");
	check_refused("a=range(5,1)");
	check_refused("a=range(0,1e9)");
	check_refused("a=range(0,nan)");
	check_refused("a=range(1,2,3,4)");
}

/* ---- text ---- */

static void check_set(const char *file, const char *text, const char *set, const char *expected)
{
	struct buf b = BUF_INIT;

	assert_int_equal(buf_addstr(&b, text), 0);
	if (exp_set_apply(&b, file, set) < 0)
		fail_msg("%s", err_msg());
	assert_string_equal(buf_str(&b), expected);
	buf_release(&b);
}

static int code_of_set(const char *file, const char *text, const char *set)
{
	struct buf b = BUF_INIT;
	int rc = buf_addstr(&b, text);

	if (rc == 0)
		rc = exp_set_apply(&b, file, set);
	assert_string_equal(buf_str(&b), text);
	buf_release(&b);
	return rc;
}

static void text_is_changed(void **state)
{
	(void)state;
	check_set("p.yaml", "a: 1 # one\nb: 2\n", "a=3", "a: 3 # one\nb: 2\n");
	check_set("p.yaml", "t:\n  lr: 0.1\n", "t.lr=1e-3", "t:\n  lr: 1e-3\n");
	check_set("p.json", "{\"a\": 1}", "a=true", "{\"a\": true}");
	check_set("p.yaml", "a: 1\n", "++a=2", "a: 2\n");
	check_set("p.yaml", "a: 1\n", "a=[1, 2]", "a: [1, 2]\n");
	check_set("p.yaml", "a: 1\n", "a='7'", "a: \"7\"\n");
}

static void keys_are_minded(void **state)
{
	struct buf b = BUF_INIT;
	struct node *n = NULL;

	(void)state;
	assert_int_equal(code_of_set("p.yaml", "a: 1\n", "b=1"), ERR_NOTFOUND);
	assert_int_equal(code_of_set("p.yaml", "a: 1\n", "+a=1"), ERR_EXISTS);
	assert_int_equal(code_of_set("p.yaml", "a: [\n", "a=1"), ERR_INVALID);
	assert_true(code_of_set("p.txt", "a\n", "a=1") < 0);
	assert_int_equal(buf_addstr(&b, "a: 1\n"), 0);
	assert_int_equal(exp_set_apply(&b, "p.yaml", "+x.y.z=1"), 0);
	assert_int_equal(exp_set_apply(&b, "p.yaml", "++x.y.w=2"), 0);
	assert_int_equal(doc_parse(&n, "p.yaml", b.p, b.len), 0);
	assert_int_equal(node_at(n, "x.y.z")->i, 1);
	assert_int_equal(node_at(n, "x.y.w")->i, 2);
	node_free(n);
	buf_release(&b);
}

/* ---- recipes ---- */

static void recipe_round_trip(void **state)
{
	struct experiment_recipe r = {.made = 1763713041123456789, .force = 1}, read = {0};
	struct buf text = BUF_INIT;

	(void)state;
	r.dir = strdup("sub/dir");
	r.start = strdup("4b825dc642cb6eb9a060e54bf8d69288fbee4904");
	assert_int_equal(strvec_pushl(&r.set, "params.yaml:a=1", "p:b=x: y", (char *)NULL), 0);
	assert_int_equal(strvec_pushl(&r.targets, "train", (char *)NULL), 0);
	assert_int_equal(strvec_pushl(&r.copies, "a b/c", (char *)NULL), 0);
	assert_int_equal(exp_recipe_format(&text, "name", "subject\n\nDvx-Set: mine\n", &r), 0);
	assert_int_equal(exp_recipe_parse(&read, text.p), 0);
	assert_string_equal(read.dir, r.dir);
	assert_string_equal(read.start, r.start);
	assert_int_equal(read.made, r.made);
	assert_int_equal(read.force, 1);
	assert_int_equal(read.set.n, 2);
	assert_string_equal(read.set.v[1], "p:b=x: y");
	assert_string_equal(read.targets.v[0], "train");
	assert_string_equal(read.copies.v[0], "a b/c");
	exp_recipe_release(&r);
	exp_recipe_release(&read);
	assert_int_equal(strvec_push(&r.set, "a=1\nDvx-Copy: x"), 0);
	assert_int_equal(exp_recipe_format(&text, "name", NULL, &r), ERR_INVALID);
	exp_recipe_release(&r);
	buf_release(&text);
}

/* A commit that somebody else made must not lead out of the worktree. */
static void recipe_stays_inside(void **state)
{
	struct experiment_recipe r = {0};

	(void)state;
	assert_int_equal(
		exp_recipe_parse(&r,
			"s\n\nDvx-Experiment: x\nDvx-Prefix: a/../..\nDvx-Copy: ../x\n"
			"Dvx-Copy: /etc\nDvx-Copy: a/..\nDvx-Copy: a..b/..c\nDvx-New: 1\n"),
		0);
	assert_string_equal(r.dir, "");
	assert_int_equal(r.copies.n, 1);
	assert_string_equal(r.copies.v[0], "a..b/..c");
	exp_recipe_release(&r);
	assert_int_equal(exp_recipe_parse(&r, "no recipe\n\nDvx-Copy: a\n"), 0);
	assert_int_equal(r.copies.n, 0);
	exp_recipe_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(single_values),
		cmocka_unit_test(several_values), cmocka_unit_test(refused),
		cmocka_unit_test(text_is_changed), cmocka_unit_test(keys_are_minded),
		cmocka_unit_test(recipe_round_trip), cmocka_unit_test(recipe_stays_inside)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
