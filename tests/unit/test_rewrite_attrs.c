/*
 * Patterns, lines and levels of .gitattributes in a rewrite.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/repo/rewrite_attrs.h"

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *path;
		int hit;
	} cases[] = {
		{"*.bin", "a.bin", 1},
		{"*.bin", "d/e/a.bin", 1},
		{"*.bin", "a.binx", 0},
		{"*.bin", ".bin", 1},
		{"*", "d/a", 1},
		{"a.bin", "d/a.bin", 1},
		{"/a.bin", "a.bin", 1},
		{"/a.bin", "d/a.bin", 0},
		{"d", "d/a", 0}, /* a directory is not its files */
		{"d/*", "d/a", 1},
		{"d/*", "d/e/a", 0},
		{"d/**", "d/e/a", 1},
		{"**/a", "d/e/a", 1},
		{"a[[:space:]]b", "d/a b", 1},
		{"a b", "a b", 1},
		{"\\#x", "#x", 1},
		{"[a-c].x", "d/b.x", 1},
		{"*\\[1].x", "we[1].x", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct attr_pattern p;

		assert_int_equal(attr_pattern_init(&p, cases[i].pattern), 0);
		if (attr_pattern_matches(&p, cases[i].path) != cases[i].hit)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].path);
		attr_pattern_release(&p);
	}
}

static void test_filter(void **state)
{
	struct attr_filter f = {0};

	(void)state;
	assert_int_equal(attr_filter_wants(&f, "any/thing"), 1);
	assert_int_equal(attr_filter_include(&f, " *.bin , dir/, ,*.dat"), 0);
	assert_int_equal(attr_filter_exclude(&f, "no.bin"), 0);
	assert_int_equal(attr_filter_include(&f, NULL), 0);
	assert_int_equal(f.n_include, 3);
	assert_string_equal(f.include_text.v[1], "dir");
	assert_int_equal(attr_filter_wants(&f, "x/a.bin"), 1);
	assert_int_equal(attr_filter_wants(&f, "x/no.bin"), 0);
	assert_int_equal(attr_filter_wants(&f, "a.txt"), 0);
	attr_filter_release(&f);
}

/* What becomes of `old` with the lines "*.b A", "/p\ath[[:space:]]\*\# A". */
static void merged(const char *old, int once, const char *expected)
{
	struct attr_lines l = {0};
	struct buf was = BUF_INIT, out = BUF_INIT;

	assert_int_equal(attr_lines_add(&l, "*.b", " A"), 0);
	assert_int_equal(attr_lines_add_path(&l, "p *#", " A"), 0);
	assert_int_equal(attr_lines_add(&l, "*.b", " A"), 0);
	assert_int_equal(l.version, 2);
	assert_int_equal(buf_addstr(&was, old ? old : ""), 0);
	assert_int_equal(attr_lines_merge(&out, old ? &was : NULL, &l, once), 0);
	assert_string_equal(buf_str(&out), expected);
	attr_lines_release(&l);
	buf_release(&was);
	buf_release(&out);
}

static void test_lines(void **state)
{
	(void)state;
	merged(NULL, 0, "*.b A\n/p[[:space:]]\\*\\# A\n");
	merged("", 1, "*.b A\n/p[[:space:]]\\*\\# A\n");
	merged("x\n\n\nx", 0, "x\n\n\nx\n*.b A\n/p[[:space:]]\\*\\# A\n");
	merged("x\n\n\nx", 1, "x\n\n*.b A\n/p[[:space:]]\\*\\# A\n");
	merged("x\r\n*.b A\r\n", 0, "x\r\n*.b A\r\n/p[[:space:]]\\*\\# A\r\n");
	merged("x\r\n*.b A\r\n", 1, "x\n*.b A\n/p[[:space:]]\\*\\# A\n");
}

static uint32_t enter(struct attr_levels *l, uint32_t state, const char *dir, const char *text)
{
	struct buf b = BUF_INIT;
	int rc;

	assert_int_equal(buf_addstr(&b, text), 0);
	rc = attr_levels_enter(l, state, dir, text, &b); /* the text is as good as a blob's name */
	assert_true(rc > 0);
	assert_int_equal(attr_levels_enter(l, state, dir, text, &b), rc);
	buf_release(&b);
	return (uint32_t)rc;
}

static void test_levels(void **state)
{
	struct attr_levels *l = NULL;
	uint32_t top, sub;

	(void)state;
	assert_int_equal(attr_levels_new(&l), 0);
	assert_int_equal(attr_levels_route(l, 0, "a.bin"), 0);
	top = enter(l, 0, "",
		"\xef\xbb\xbf# c\n[attr]data filter=lfs -text\r\n*.bin data\n*.dat filter=dvx "
		"-filter\n\"q\\\"\\101.x\" filter=dvx\nd/*.z filter=dvx\nsub/ filter=dvx\n");
	sub = enter(l, top, "sub",
		"no.bin !filter\n/only.txt filter=dvx\n[attr]other filter=dvx\n*.o other\n");
	assert_int_equal(attr_levels_route(l, top, "a.bin"), 1);
	assert_int_equal(attr_levels_route(l, top, "sub/a.bin"), 1);
	assert_int_equal(attr_levels_route(l, top, "a.dat"), 0);
	assert_int_equal(attr_levels_route(l, top, "q\"A.x"), 1);
	assert_int_equal(attr_levels_route(l, top, "d/a.z"), 1);
	assert_int_equal(attr_levels_route(l, top, "e/a.z"), 0);
	assert_int_equal(attr_levels_route(l, sub, "sub/a.bin"), 1);
	assert_int_equal(attr_levels_route(l, sub, "sub/no.bin"), 0);
	assert_int_equal(attr_levels_route(l, sub, "sub/only.txt"), 1);
	assert_int_equal(attr_levels_route(l, sub, "sub/deep/only.txt"), 0);
	assert_int_equal(attr_levels_route(l, sub, "sub/a.o"), 0); /* macros are the top's alone */
	attr_levels_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
