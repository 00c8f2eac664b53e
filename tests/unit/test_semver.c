/*
 * Semantic versions: the examples of semver.org and of its regular expression, the order, the next
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/registry/semver.h"

static const char *const valid[] = {"0.0.4", "1.2.3", "10.20.30", "1.1.2-prerelease+meta",
	"1.1.2+meta", "1.1.2+meta-valid", "1.0.0-alpha", "1.0.0-beta", "1.0.0-alpha.beta",
	"1.0.0-alpha.beta.1", "1.0.0-alpha.1", "1.0.0-alpha0.valid", "1.0.0-alpha.0valid",
	"1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay", "1.0.0-rc.1+build.1",
	"2.0.0-rc.1+build.123", "1.2.3-beta", "10.2.3-DEV-SNAPSHOT", "1.2.3-SNAPSHOT-123", "1.0.0",
	"2.0.0", "1.1.7", "2.0.0+build.1848", "2.0.1-alpha.1227", "1.0.0-alpha+beta",
	"1.2.3----RC-SNAPSHOT.12.9.1--.12+788", "1.2.3----R-S.12.9.1--.12+meta",
	"1.2.3----RC-SNAPSHOT.12.9.1--.12", "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
	"1.0.0-0A.is.legal", "999999999999999999.0.0", "1.0.0+001"};

static const char *const invalid[] = {"1", "1.2", "1.2.3-0123", "1.2.3-0123.0123", "1.1.2+.123",
	"+invalid", "-invalid", "-invalid+invalid", "-invalid.01", "alpha", "alpha.beta",
	"alpha.beta.1", "alpha.1", "alpha+beta", "alpha_beta", "alpha.", "alpha..", "beta",
	"1.0.0-alpha_beta", "-alpha.", "1.0.0-alpha..", "1.0.0-alpha..1", "1.0.0-alpha...1",
	"1.0.0-alpha....1", "1.0.0-alpha.....1", "1.0.0-alpha......1", "1.0.0-alpha.......1",
	"01.1.1", "1.01.1", "1.1.01", "1.2.3.DEV", "1.2-SNAPSHOT",
	"1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788", "1.2-RC-SNAPSHOT", "-1.0.3-gamma+b7718",
	"+justmeta", "9.8.7+meta+meta", "9.8.7-whatever+meta+meta",
	"99999999999999999999999.999999999999999999.99999999999999999----RC-SNAPSHOT.12.09.1--..12",
	"", "v", "vv1.0.0", "V1.0.0", "1.0.0 ", " 1.0.0", "1.0.0-", "1.0.0+", "1.0.0-a+", "1.0.0\n",
	"1.0.0-\xc3\xa4", "1.0.0-a!"};

static void reads_and_writes(void **state)
{
	struct buf text = BUF_INIT;
	struct semver v;

	(void)state;
	for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++) {
		buf_reset(&text);
		assert_int_equal(semver_parse(&v, valid[i]), 0);
		assert_int_equal(semver_format(&text, &v), 0);
		assert_int_equal(text.p[0], 'v');
		assert_string_equal(text.p + 1, valid[i]);
		assert_int_equal(semver_parse(&v, text.p), 0);
	}
	buf_release(&text);
}

static void refuses(void **state)
{
	struct semver v = {.major = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(invalid) / sizeof(*invalid); i++) {
		assert_int_equal(semver_parse(&v, invalid[i]), ERR_INVALID);
		assert_int_equal(v.major, 7);
	}
	assert_non_null(strstr(err_msg(), "1.2.3"));
}

/* What semver.org allows and no tag of ours has. */
static void limits(void **state)
{
	struct semver v;
	char text[200];

	(void)state;
	assert_int_equal(
		semver_parse(&v, "99999999999999999999999.999999999999999999.99999999999999999"),
		ERR_INVALID);
	assert_int_equal(semver_parse(&v, "1000000000000000000.0.0"), ERR_INVALID);
	memcpy(text, "1.0.0-", 6);
	memset(text + 6, 'a', 64);
	text[6 + 63] = '\0';
	assert_int_equal(semver_parse(&v, text), 0);
	text[6 + 63] = 'a';
	text[6 + 64] = '\0';
	assert_int_equal(semver_parse(&v, text), ERR_INVALID);
}

static void order(void **state)
{
	static const char *const sorted[] = {"0.0.0-0", "0.0.0", "0.0.1", "0.9.9", "0.10.0",
		"1.0.0-0.3.7", "1.0.0-2", "1.0.0-11", "1.0.0-99999999999999999999",
		"1.0.0-100000000000000000000", "1.0.0--", "1.0.0-A", "1.0.0-alpha", "1.0.0-alpha.1",
		"1.0.0-alpha.1.0", "1.0.0-alpha.beta", "1.0.0-alphab", "1.0.0-beta", "1.0.0-beta.2",
		"1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1", "10.0.0"};
	const size_t n = sizeof(sorted) / sizeof(*sorted);
	struct semver a, b;

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			int rc;

			assert_int_equal(semver_parse(&a, sorted[i]), 0);
			assert_int_equal(semver_parse(&b, sorted[k]), 0);
			rc = semver_compare(&a, &b);
			if (i == k)
				assert_int_equal(rc, 0);
			else
				assert_int_equal(rc < 0, i < k);
		}
	assert_int_equal(semver_parse(&a, "1.0.0-a+b"), 0);
	assert_int_equal(semver_parse(&b, "1.0.0-a+c"), 0);
	assert_int_equal(semver_compare(&a, &b), 0);
}

static void bumps(void **state)
{
	static const struct {
		const char *from, *major, *minor, *patch;
	} cases[] = {{"1.2.3", "v2.0.0", "v1.3.0", "v1.2.4"},
		{"0.0.0", "v1.0.0", "v0.1.0", "v0.0.1"},
		{"1.2.3+build", "v2.0.0", "v1.3.0", "v1.2.4"},
		{"2.0.0-rc.1", "v2.0.0", "v2.0.0", "v2.0.0"},
		{"2.1.0-rc.1+b", "v3.0.0", "v2.1.0", "v2.1.0"},
		{"2.1.1-rc.1", "v3.0.0", "v2.2.0", "v2.1.1"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const expected[] = {[SEMVER_MAJOR] = cases[i].major,
			[SEMVER_MINOR] = cases[i].minor,
			[SEMVER_PATCH] = cases[i].patch};

		for (enum semver_bump which = SEMVER_MAJOR; which <= SEMVER_PATCH; which++) {
			struct buf text = BUF_INIT;
			struct semver v;

			assert_int_equal(semver_parse(&v, cases[i].from), 0);
			semver_bump(&v, which);
			assert_int_equal(semver_format(&text, &v), 0);
			assert_string_equal(text.p, expected[which]);
			buf_release(&text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(refuses), cmocka_unit_test(limits), cmocka_unit_test(order),
		cmocka_unit_test(bumps)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
