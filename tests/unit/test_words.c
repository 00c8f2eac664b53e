/*
 * Lines of arguments, beside what a shell makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/run.h"
#include "lib/base/words.h"

static void join(struct buf *out, const char *line)
{
	struct strvec words = STRVEC_INIT;

	assert_int_equal(words_split(&words, line), 0);
	for (size_t i = 0; i < words.n; i++)
		assert_int_equal(buf_addf(out, "<%s>", words.v[i]), 0);
	strvec_release(&words);
}

static void shell_says(struct buf *out, const char *line)
{
	struct run sh = RUN_INIT;

	assert_int_equal(strvec_pushl(&sh.argv, "/bin/sh", "-c", NULL), 0);
	assert_int_equal(
		strvec_pushf(&sh.argv, "set -f; for w in %s\ndo printf '<%%s>' \"$w\"; done", line),
		0);
	assert_int_equal(run_capture(&sh, NULL, 0, out), 0);
	run_release(&sh);
}

static void test_as_a_shell(void **state)
{
	static const char *const lines[] = {"a b  c", "", "   ", "'a b' c", "\"a b\" c", "a\\ b c",
		"a'b'\"c\"d", "''", "\"\" x", "\"a\\\"b\\\\c\\d\"", "'a\\b'", "$WORDS",
		"\"$WORDS\"", "x$WORDS", "${WORDS}y", "'$WORDS'", "$NONE", "\"$NONE\"", "~/x", "~",
		"a~/x", "\"~/x\"", "--store=/x/y --flag", "a$", "\"$\"", "*.c", "\"a$WORDS b\"",
		"\\$WORDS", "-x \\' y"};

	(void)state;
	setenv("WORDS", "one  two", 1);
	setenv("HOME", "/home/of words", 1);
	unsetenv("NONE");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct buf ours = BUF_INIT, theirs = BUF_INIT;

		join(&ours, lines[i]);
		shell_says(&theirs, lines[i]);
		if (strcmp(buf_str(&ours), buf_str(&theirs)) != 0)
			fail_msg("%s: %s, a shell has %s", lines[i], buf_str(&ours),
				buf_str(&theirs));
		buf_release(&ours);
		buf_release(&theirs);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *line;
		int rc;
	} cases[] = {{"a | b", ERR_UNSUPPORTED}, {"a;b", ERR_UNSUPPORTED},
		{"a & b", ERR_UNSUPPORTED}, {"a >x", ERR_UNSUPPORTED}, {"a <x", ERR_UNSUPPORTED},
		{"`x`", ERR_UNSUPPORTED}, {"\"`x`\"", ERR_UNSUPPORTED}, {"$(x)", ERR_UNSUPPORTED},
		{"\"$(x)\"", ERR_UNSUPPORTED}, {"${x:-y}", ERR_UNSUPPORTED},
		{"(x)", ERR_UNSUPPORTED}, {"'a", ERR_INVALID}, {"\"a", ERR_INVALID}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct strvec words = STRVEC_INIT;

		assert_int_equal(words_split(&words, cases[i].line), cases[i].rc);
		strvec_release(&words);
	}
}

static void check_quote(const char *word, const char *expect)
{
	struct buf b = BUF_INIT;
	struct strvec v = STRVEC_INIT;

	assert_int_equal(words_quote(&b, word), 0);
	assert_string_equal(b.p, expect);
	assert_int_equal(words_split(&v, b.p), 0);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.v[0], word);
	strvec_release(&v);
	buf_release(&b);
}

static void test_quote(void **state)
{
	(void)state;
	check_quote("a/b-c_1.x", "a/b-c_1.x");
	check_quote("", "''");
	check_quote("a b", "'a b'");
	check_quote("it's $x", "'it'\\''s $x'");
	check_quote("~", "'~'");
	check_quote("*", "'*'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_a_shell),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
