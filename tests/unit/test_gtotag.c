/*
 * Tag names of GTO's convention: what is one, what is none, and the names that may be made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/registry/gtotag.h"

static void reads_and_writes(void **state)
{
	static const struct {
		const char *tag;
		enum gtotag_kind kind;
		const char *model, *stage, *version;
		uint64_t counter;
	} cases[] = {{"churn@v1.2.3", GTOTAG_REGISTER, "churn", "", "v1.2.3", 0},
		{"churn@v1.2.3#7", GTOTAG_REGISTER, "churn", "", "v1.2.3", 7},
		{"churn@v1.2.3!", GTOTAG_DEREGISTER, "churn", "", "v1.2.3", 0},
		{"churn@v1.2.3!#5", GTOTAG_DEREGISTER, "churn", "", "v1.2.3", 5},
		{"churn@v1.2.3-rc.1+b.2", GTOTAG_REGISTER, "churn", "", "v1.2.3-rc.1+b.2", 0},
		{"churn#prod#4", GTOTAG_ASSIGN, "churn", "prod", "v0.0.0", 4},
		{"churn#prod", GTOTAG_ASSIGN, "churn", "prod", "v0.0.0", 0},
		{"churn#prod!", GTOTAG_UNASSIGN, "churn", "prod", "v0.0.0", 0},
		{"churn#prod!#4", GTOTAG_UNASSIGN, "churn", "prod", "v0.0.0", 4},
		{"churn#4", GTOTAG_ASSIGN, "churn", "4", "v0.0.0", 0},
		{"churn@deprecated", GTOTAG_DEPRECATE, "churn", "", "v0.0.0", 0},
		{"churn@deprecated#3", GTOTAG_DEPRECATE, "churn", "", "v0.0.0", 3},
		{"churn@created", GTOTAG_CREATE, "churn", "", "v0.0.0", 0},
		{"nlp/churn-2_x@v1.0.0", GTOTAG_REGISTER, "nlp/churn-2_x", "", "v1.0.0", 0},
		{"sub/dir=churn@v1.0.0", GTOTAG_REGISTER, "sub/dir:churn", "", "v1.0.0", 0},
		{"../x.y=churn#eu/prod#12", GTOTAG_ASSIGN, "../x.y:churn", "eu/prod", "v0.0.0", 12},
		{"a@v0.0.1", GTOTAG_REGISTER, "a", "", "v0.0.1", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf text = BUF_INIT, version = BUF_INIT;
		struct gtotag t;

		gtotag_parse(&t, cases[i].tag);
		assert_int_equal(t.kind, cases[i].kind);
		assert_string_equal(t.model, cases[i].model);
		assert_string_equal(t.stage, cases[i].stage);
		assert_int_equal(t.counter, cases[i].counter);
		assert_int_equal(semver_format(&version, &t.version), 0);
		assert_string_equal(version.p, cases[i].version);
		assert_int_equal(gtotag_format(&text, &t), 0);
		assert_string_equal(text.p, cases[i].tag);
		buf_release(&text);
		buf_release(&version);
	}
}

static void is_none(void **state)
{
	static const char *const tags[] = {"", "v1.0.0", "release-1", "churn", "@v1.0.0", "#prod",
		"churn@1.0.0", "churn@v1.0", "churn@v01.0.0", "churn@v1.0.0!!", "churn@v1.0.0#",
		"churn@v1.0.0#x", "churn@v1.0.0#1#2", "churn@latest", "churn@deprecated!",
		"churn@created!", "churn@Deprecated", "churn#", "churn#prod#", "churn#prod#x",
		"churn#prod!!", "churn#-prod", "churn#prod-", "-churn@v1.0.0", "churn-@v1.0.0",
		"ch urn@v1.0.0", "ch.urn@v1.0.0", "churn@v1.0.0 ", "churn@v1.0.0\n", "a=b=c@v1.0.0",
		"=churn@v1.0.0", "dir:churn@v1.0.0", "ch\xc3\xbcrn@v1.0.0", "churn#prod#-1",
		"churn#prod#1234567890123456789", "main@{1}", "HEAD@{upstream}", "user@example.com",
		"churn@v1.0.0@v2.0.0", "churn#prod@v1.0.0"};
	char *longest = calloc(1, 100000);

	(void)state;
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		struct gtotag t;

		gtotag_parse(&t, tags[i]);
		assert_int_equal(t.kind, GTOTAG_NONE);
		assert_string_equal(t.model, "");
	}
	for (int i = 0; i < 3; i++) { /* model, stage, version longer than their places */
		static const char *const begin[] = {"", "churn#", "churn@v1.0.0-"};
		struct gtotag t;

		memset(longest, 'a', 99990);
		memcpy(longest, begin[i], strlen(begin[i]));
		if (i == 0)
			memcpy(longest + 90000, "@v1.0.0", 8);
		gtotag_parse(&t, longest);
		assert_int_equal(t.kind, GTOTAG_NONE);
	}
	free(longest);
}

static void names(void **state)
{
	static const char *const good[] = {
		"churn", "a", "A1", "churn_model", "nlp/churn", "a-b_c/d9", "dir:churn", "a.b/c:d"};
	static const char *const bad[] = {"", "-a", "a-", "/a", "a/", "a//b", "a b", "a.b", "a@b",
		"a#b", "a!b", "..:a", "a/../b:c", ".a:b", "a.lock:b", "a:b:c", ":a", "a:", "a\nb",
		"\xc3\xa4", "a/:b", "a..b:c"};
	static const char *const bad_stages[] = {
		"", "-x", "x-", "a:b", "a=b", "a#1", "a//b", "a b"};
	char name[400];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(gtotag_check_model(good[i]), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(gtotag_check_model(bad[i]), ERR_INVALID);
	assert_int_equal(gtotag_check_stage("prod"), 0);
	assert_int_equal(gtotag_check_stage("eu/prod-2"), 0);
	for (size_t i = 0; i < sizeof(bad_stages) / sizeof(*bad_stages); i++)
		assert_int_equal(gtotag_check_stage(bad_stages[i]), ERR_INVALID);
	memset(name, 'a', sizeof(name));
	name[200] = '\0';
	assert_int_equal(gtotag_check_model(name), 0);
	name[200] = 'a';
	name[201] = '\0';
	assert_int_equal(gtotag_check_model(name), ERR_INVALID);
	name[100] = '/';
	name[201] = 'a';
	name[256] = '\0';
	assert_int_equal(gtotag_check_model(name), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(is_none), cmocka_unit_test(names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
