/*
 * Merging dvx.lock: who alone changed a stage wins, runs that differ stand between markers, all
 * else stays byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/pipeline/lockmerge.h"
#include "lib/pipeline/stagelock_internal.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define STAGE(name, id)                                                                            \
	"  " name ":\n    cmd: run " name "\n    outs:\n    - {path: " name ".out, sha256: " id    \
	", size: 1}\n"
#define HEAD "schema: dvx/1\nstages:\n"

/* Merge; `expect` NULL: an error of which the message has `names`. */
static void merges(const char *base, const char *ours, const char *theirs, const char *expect,
	const char *names)
{
	const char *const text[3] = {base, ours, theirs};
	const size_t len[3] = {strlen(base), strlen(ours), strlen(theirs)};
	const struct lockmerge_options o = {0};
	struct strvec conflicts = STRVEC_INIT;
	struct buf out = BUF_INIT, joined = BUF_INIT;
	int rc = lockmerge_run(&out, &conflicts, text, len, &o);

	if (expect == NULL) {
		assert_int_equal(rc, ERR_INVALID);
		assert_non_null(strstr(err_msg(), names));
	} else {
		if (rc < 0)
			fail_msg("%s", err_msg());
		for (size_t i = 0; i < conflicts.n; i++)
			assert_int_equal(buf_addf(&joined, "%s ", conflicts.v[i]), 0);
		assert_string_equal(buf_str(&out), expect);
		assert_string_equal(buf_str(&joined), names);
	}
	strvec_release(&conflicts);
	buf_release(&out);
	buf_release(&joined);
}

static const char base[] = HEAD STAGE("a", A) STAGE("b", A) STAGE("c", A);

static void test_one_side(void **state)
{
	(void)state;
	merges(base, base, base, base, "");
	merges(base, HEAD STAGE("a", B) STAGE("b", A) STAGE("c", A), base,
		HEAD STAGE("a", B) STAGE("b", A) STAGE("c", A), "");
	merges(base, base, HEAD STAGE("a", A) STAGE("b", B) STAGE("c", A),
		HEAD STAGE("a", A) STAGE("b", B) STAGE("c", A), "");
	merges(base, HEAD STAGE("a", B) STAGE("b", A) STAGE("c", A),
		HEAD STAGE("a", A) STAGE("b", C) STAGE("c", A),
		HEAD STAGE("a", B) STAGE("b", C) STAGE("c", A), "");
	merges("", HEAD STAGE("a", A), HEAD STAGE("b", A), HEAD STAGE("a", A) STAGE("b", A), "");
}

static void test_added_and_removed(void **state)
{
	(void)state;
	merges(base, HEAD STAGE("a", A) STAGE("c", A),
		HEAD STAGE("a", A) STAGE("a0", B) STAGE("b", A) STAGE("c", A),
		HEAD STAGE("a", A) STAGE("a0", B) STAGE("c", A), "");
	merges(base, HEAD STAGE("a", A) STAGE("b", A), HEAD STAGE("a", A) STAGE("b", A),
		HEAD STAGE("a", A) STAGE("b", A), "");
	merges(base, "schema: dvx/1\nstages: {}\n", base, "schema: dvx/1\nstages: {}\n", "");
}

static void test_both_alike(void **state)
{
	static const char now[] = HEAD STAGE("a", B) STAGE("b", A) STAGE("c", A);

	(void)state;
	merges(base, now, now, now, "");
}

static void test_conflicts(void **state)
{
	(void)state;
	merges(base, HEAD STAGE("a", B) STAGE("b", A) STAGE("c", A),
		HEAD STAGE("a", C) STAGE("b", A) STAGE("c", B),
		HEAD "<<<<<<< ours\n" STAGE("a", B) "=======\n" STAGE(
			"a", C) ">>>>>>> theirs\n" STAGE("b", A) STAGE("c", B),
		"a ");
	merges(base, HEAD STAGE("a", A) STAGE("c", A),
		HEAD STAGE("a", A) STAGE("b", B) STAGE("c", A),
		HEAD STAGE("a", A) "<<<<<<< ours\n=======\n" STAGE("b", B) ">>>>>>> theirs\n" STAGE(
			"c", A),
		"b ");
	merges("", HEAD STAGE("a", A), HEAD STAGE("a", B),
		HEAD "<<<<<<< ours\n" STAGE("a", A) "=======\n" STAGE("a", B) ">>>>>>> theirs\n",
		"a ");
}

/* A run on another machine with the same result is the same run; environments are united. */
static void test_environments(void **state)
{
#define IN(name, id, env) STAGE(name, id) "    environment: " env "\n"
	static const char one[] = "  111111111111:\n    os: one\n";
	static const char two[] = "  222222222222:\n    os: two\n";
	struct buf ours = BUF_INIT, theirs = BUF_INIT, expect = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addf(&ours, "%s%senvironments:\n%s", HEAD,
				 IN("a", B, "'111111111111'") STAGE("b", A) STAGE("c", A), one),
		0);
	assert_int_equal(buf_addf(&theirs, "%s%senvironments:\n%s", HEAD,
				 IN("a", B, "'222222222222'") STAGE("b", A) STAGE("c", A), two),
		0);
	merges(base, ours.p, theirs.p, ours.p, "");
	buf_reset(&theirs);
	assert_int_equal(buf_addf(&theirs, "%s%senvironments:\n%s", HEAD,
				 STAGE("a", A) IN("b", B, "'222222222222'") STAGE("c", A), two),
		0);
	buf_reset(&ours);
	assert_int_equal(buf_addf(&ours, "%s%senvironments:\n%s", HEAD,
				 IN("a", B, "'111111111111'") STAGE("b", A) STAGE("c", A), one),
		0);
	assert_int_equal(
		buf_addf(&expect, "%s%senvironments:\n%s%s", HEAD,
			IN("a", B, "'111111111111'") IN("b", B, "'222222222222'") STAGE("c", A),
			one, two),
		0);
	merges(base, ours.p, theirs.p, expect.p, "");
	buf_release(&ours);
	buf_release(&theirs);
	buf_release(&expect);
}

/* What stands in front, and keys that this version does not know. */
static void test_the_rest(void **state)
{
	(void)state;
	merges("# old\n" HEAD STAGE("a", A) "later: 1\n", "# old\n" HEAD STAGE("a", B) "later: 1\n",
		"# new\n" HEAD STAGE("a", A) "later: 2\n",
		"# new\n" HEAD STAGE("a", B) "later: 2\n", "");
}

static void test_refused(void **state)
{
	(void)state;
	merges(base, "schema: 7\n", base, NULL, "ours:1");
	merges(base, base, "[", NULL, "theirs:");
	merges(HEAD "<<<<<<< x\n", base, base, NULL, "base:3: a merge left a conflict");
}

/* An alias of a file written by hand, which would mean ours where theirs was run. */
static void test_aliases(void **state)
{
	(void)state;
	merges(HEAD "  a: &a\n    cmd: x\n", HEAD "  a: &a\n    cmd: y\n",
		HEAD "  a: &a\n    cmd: x\n  n: *a\n", NULL, "'n' would say something else");
	merges(HEAD "  a: &a\n    cmd: x\n", HEAD "  a: &a\n    cmd: y\n  n: *a\n",
		HEAD "  a: &a\n    cmd: x\n  o:\n    cmd: o\n",
		HEAD "  a: &a\n    cmd: y\n  n: *a\n  o:\n    cmd: o\n", "");
	/* a merge key of the root does not swallow the stage that is put in front of it */
	merges(HEAD "  a:\n    cmd: x\n", HEAD "  a:\n    cmd: x\n<<:\n  l: 1\n",
		HEAD "  a:\n    cmd: x\n  stages:\n    cmd: z\n",
		HEAD "  a:\n    cmd: x\n  stages:\n    cmd: z\nl: 1\n", "");
	/* nor are keys lost that this version does not know */
	merges("{schema: dvx/1, stages: {a: {cmd: x, later: 1}}}\n",
		"{schema: dvx/1, stages: {a: {cmd: x, later: 1}}}\n",
		"{schema: dvx/1, stages: {a: {cmd: x, later: 2}}, also: [1]}\n",
		HEAD "  a:\n    cmd: x\n    later: 2\nalso: [1]\n", "");
}

/* More than any project has: found by name, not one by one. */
static void test_many(void **state)
{
	enum { N = 30000 };
	struct buf text[3] = {BUF_INIT, BUF_INIT, BUF_INIT}, expect = BUF_INIT;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct buf *to = i < 3 ? &text[i] : &expect;

		assert_int_equal(buf_addstr(to, HEAD), 0);
		for (int k = 0; k < N; k++)
			assert_int_equal(
				buf_addf(to, "  s%06d:\n    cmd: %s\n", k,
					(k == 5 && (i & 1)) || (k == 7 && (i & 2)) ? "new" : "old"),
				0);
	}
	merges(text[0].p, text[1].p, text[2].p, expect.p, "");
	for (int i = 0; i < 3; i++)
		buf_release(&text[i]);
	buf_release(&expect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_side),
		cmocka_unit_test(test_added_and_removed),
		cmocka_unit_test(test_both_alike),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_environments),
		cmocka_unit_test(test_the_rest),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
