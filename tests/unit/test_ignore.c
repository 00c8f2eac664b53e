/*
 * The lines that bring a hidden path back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/repo/ignore.h"

/* Plan, and compare with "<file>: <line> <line>…". */
static void expect_plan(
	const char *source, const char *path, size_t excluded, int is_dir, const char *expect)
{
	char src[256], pattern[] = "x";
	struct ignore_hit hit = {1, src, 1, pattern};
	struct ignore_fix fix = IGNORE_FIX_INIT;
	struct buf b = BUF_INIT;

	strcpy(src, source);
	assert_int_equal(ignore_plan(&fix, &hit, path, excluded, is_dir), 0);
	buf_addf(&b, "%s:", fix.file);
	for (size_t i = 0; i < fix.lines.n; i++)
		buf_addf(&b, " %s", fix.lines.v[i]);
	assert_string_equal(b.p, expect);
	buf_release(&b);
	ignore_fix_release(&fix);
}

static void test_file_itself(void **state)
{
	(void)state;
	expect_plan(".gitignore", "data/a.csv", 10, 0, ".gitignore: !/data/a.csv");
	expect_plan("data/.gitignore", "data/a.csv", 10, 0, "data/.gitignore: !/a.csv");
}

static void test_below_directory(void **state)
{
	(void)state;
	expect_plan(".gitignore", "data/a.csv", 4, 0, ".gitignore: !/data/ /data/* !/data/a.csv");
	expect_plan(".gitignore", "a/b/c/d", 3, 0,
		".gitignore: !/a/b/ /a/b/* !/a/b/c/ /a/b/c/* !/a/b/c/d");
	expect_plan(
		"a/.gitignore", "a/b/c/d", 3, 0, "a/.gitignore: !/b/ /b/* !/b/c/ /b/c/* !/b/c/d");
}

static void test_directory_wanted(void **state)
{
	(void)state;
	expect_plan(".gitignore", "data", 4, 1, ".gitignore: !/data/");
	expect_plan(".gitignore", "data/raw", 4, 1, ".gitignore: !/data/ /data/* !/data/raw/");
}

/* Rules that no .gitignore of the worktree holds are overruled at the top. */
static void test_rule_from_elsewhere(void **state)
{
	(void)state;
	expect_plan(".git/info/exclude", "a.csv", 5, 0, ".gitignore: !/a.csv");
	expect_plan("/home/me/.gitignore", "a.csv", 5, 0, ".gitignore: !/a.csv");
}

static void test_special_characters(void **state)
{
	(void)state;
	expect_plan(".gitignore", "d/[1] *?\\ ", 10, 0, ".gitignore: !/d/\\[1] \\*\\?\\\\\\ ");
}

static void test_newline(void **state)
{
	char src[] = ".gitignore", pattern[] = "x";
	struct ignore_hit hit = {1, src, 1, pattern};
	struct ignore_fix fix = IGNORE_FIX_INIT;

	(void)state;
	assert_int_equal(ignore_plan(&fix, &hit, "a\nb", 3, 0), ERR_INVALID);
	ignore_fix_release(&fix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_itself),
		cmocka_unit_test(test_below_directory),
		cmocka_unit_test(test_directory_wanted),
		cmocka_unit_test(test_rule_from_elsewhere),
		cmocka_unit_test(test_special_characters),
		cmocka_unit_test(test_newline),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
