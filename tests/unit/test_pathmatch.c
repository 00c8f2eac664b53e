/*
 * Path patterns: what .gitignore's reader would expect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/pathmatch.h"

static void test_glob(void **state)
{
	static const struct {
		const char *glob, *text;
		int hit;
	} cases[] = {
		{"", "", 1},
		{"a", "", 0},
		{"*", "", 1},
		{"*", "abc", 1},
		{"*", "a/b", 0},
		{"*.h5", "model.h5", 1},
		{"*.h5", "model.h5x", 0},
		{"a*b*c", "aXbYbZc", 1},
		{"a*b*c", "aXbYbZ", 0},
		{"a?c", "abc", 1},
		{"a?c", "a/c", 0},
		{"[a-c]x", "bx", 1},
		{"[a-c]x", "dx", 0},
		{"[!a-c]x", "dx", 1},
		{"[!a]b", "/b", 0},
		{"[]]x", "]x", 1},
		{"[x", "[x", 1},
		{"\\*x", "*x", 1},
		{"\\*x", "ax", 0},
		{"**/b", "b", 1},
		{"**/b", "x/y/b", 1},
		{"**/b", "xb", 0},
		{"a/**/b", "a/b", 1},
		{"a/**/b", "a/x/y/b", 1},
		{"a/**/b", "a/x/yb", 0},
		{"a/**", "a/x/y", 1},
		{"a/**", "a", 0},
		{"**/*.png", "x/y/z.png", 1},
		{"a**b", "axxb", 1},
		{"a**b", "ax/xb", 0},
		{"**/a*/b", "x/ac/d/ae/b", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (pathmatch_glob(cases[i].glob, cases[i].text) != cases[i].hit)
			fail_msg("'%s' on '%s' should be %d", cases[i].glob, cases[i].text,
				cases[i].hit);
}

static void test_hostile_glob_ends(void **state)
{
	char text[2001];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(pathmatch_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text), 0);
}

static void test_pattern_on_path(void **state)
{
	(void)state;
	assert_int_equal(pathmatch_one("data", "data/a/b.bin"), 1);
	assert_int_equal(pathmatch_one("data/", "x/data/a"), 1);
	assert_int_equal(pathmatch_one("/data", "x/data/a"), 0);
	assert_int_equal(pathmatch_one("data/raw", "data/raw/x.csv"), 1);
	assert_int_equal(pathmatch_one("data/raw", "x/data/raw/x.csv"), 0);
	assert_int_equal(pathmatch_one("*.csv", "data/raw/x.csv"), 1);
	assert_int_equal(pathmatch_one("", "a"), 0);
	assert_int_equal(pathmatch_one("/", "a"), 0);
}

static void test_include_and_exclude(void **state)
{
	struct pathmatch m = PATHMATCH_INIT;

	(void)state;
	assert_int_equal(pathmatch_wanted(&m, "anything"), 1);
	assert_int_equal(pathmatch_add(&m.include, " *.csv , models,"), 0);
	assert_int_equal(m.include.n, 2);
	assert_int_equal(pathmatch_add(&m.exclude, "raw"), 0);
	assert_int_equal(pathmatch_add(&m.exclude, NULL), 0);
	assert_int_equal(pathmatch_wanted(&m, "x/a.csv"), 1);
	assert_int_equal(pathmatch_wanted(&m, "models/deep/m.pkl"), 1);
	assert_int_equal(pathmatch_wanted(&m, "raw/a.csv"), 0);
	assert_int_equal(pathmatch_wanted(&m, "README.md"), 0);
	pathmatch_release(&m);
}

static void test_within(void **state)
{
	(void)state;
	assert_true(pathmatch_within("a/b", "a"));
	assert_true(pathmatch_within("a", "a"));
	assert_true(pathmatch_within("a", ""));
	assert_false(pathmatch_within("ab", "a"));
	assert_false(pathmatch_within("a", "a/b"));
	assert_false(pathmatch_within("a", "*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_hostile_glob_ends),
		cmocka_unit_test(test_pattern_on_path),
		cmocka_unit_test(test_include_and_exclude),
		cmocka_unit_test(test_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
