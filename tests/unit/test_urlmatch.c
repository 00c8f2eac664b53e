/*
 * Settings for a URL, beside what `git config --get-urlmatch` says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/setup/urlmatch.h"
#include "tests/unit/config_repo.h"

static const char settings[] =
	"[http]\n\tproxy = any\n"
	"[http \"https://example.com\"]\n\tproxy = host\n"
	"[http \"https://example.com/a\"]\n\tproxy = path-a\n"
	"[http \"https://example.com/a/b/\"]\n\tproxy = path-ab\n"
	"[http \"https://me@example.com\"]\n\tproxy = user\n"
	"[http \"https://*.example.com\"]\n\tproxy = star\n"
	"[http \"https://git.example.com\"]\n\tproxy = git\n"
	"[http \"HTTPS://UPPER.Example.org:443/%7ex/./y/../\"]\n\tproxy = normal\n"
	"[http \"https://example.com:8443\"]\n\tproxy = port\n"
	"[http \"http://example.com\"]\n\tproxy = plain\n"
	"[http \"https://twice.example.net/x/\"]\n\tproxy = first\n"
	"[http \"https://twice.example.net/x\"]\n\tproxy = second\n"
	"[http \"https://query.example.net/x\"]\n\tproxy = before-query\n"
	"[http \"https://[::1]:3000/\"]\n\tproxy = six\n"
	"[http \"no-url\"]\n\tproxy = none\n"
	"[http \"https://*/deep\"]\n\tproxy = star-label\n";

static const char *const urls[] = {"https://example.com", "https://example.com/",
	"https://EXAMPLE.com/a", "https://example.com/ab", "https://example.com/a/",
	"https://example.com/a/b", "https://example.com/a/bc", "https://example.com/a/b/c.git",
	"https://example.com/x/../a/b", "https://me@example.com/a", "https://me@example.com/z",
	"https://me@example.com", "https://you@example.com", "https://a.example.com/q",
	"https://git.example.com/q", "https://a.b.example.com", "https://upper.example.org/~x",
	"https://upper.example.org/~x/z", "https://upper.example.org/%7Ex/z",
	"https://upper.example.org/~y", "https://example.com:8443/r", "https://example.com:443/r",
	"https://example.com:444/r", "http://example.com/r", "http://example.com:80",
	"http://other/", "https://twice.example.net/x", "https://twice.example.net/x/y",
	"https://[::1]:3000/y", "https://localhost/deep/x", "https://localhost/deeper",
	"https://query.example.net/x/?a=b", "ssh://example.com/a"};

/* What Git answers; "(unset)". */
static void git_says(char *out, size_t size, const char *key, const char *url)
{
	struct run git = RUN_INIT;
	struct buf answer = BUF_INIT;

	assert_int_equal(
		strvec_pushl(&git.argv, "git", "config", "--get-urlmatch", key, url, NULL), 0);
	if (run_capture(&git, NULL, 0, &answer) == 0) {
		buf_rtrim(&answer);
		snprintf(out, size, "%s", buf_str(&answer));
	} else {
		snprintf(out, size, "(unset)");
	}
	run_release(&git);
	buf_release(&answer);
}

static void test_same_as_git(void **state)
{
	struct config *c;
	char expected[200];

	(void)state;
	scratch_write("home/.gitconfig", settings);
	assert_int_equal(config_load(&c, repo), 0);
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		const char *value = urlmatch_get(c, "http", urls[i], "proxy", URLMATCH_ANY);

		git_says(expected, sizeof expected, "http.proxy", urls[i]);
		if (strcmp(value ? value : "(unset)", expected) != 0)
			fail_msg("%s: '%s', Git has '%s'", urls[i], value ? value : "(unset)",
				expected);
	}
	config_free(c);
}

static void test_unset(void **state)
{
	struct config *c;

	(void)state;
	scratch_write("home/.gitconfig", "[http \"https://a\"]\n\tother = 1\n");
	assert_int_equal(config_load(&c, repo), 0);
	assert_null(urlmatch_get(c, "http", "https://a/", "proxy", URLMATCH_ANY));
	assert_null(urlmatch_get(c, "http", "not a url", "other", URLMATCH_ANY));
	assert_string_equal(urlmatch_get(c, "http", "https://a/", "other", URLMATCH_ANY), "1");
	config_free(c);
}

static int join(const char *value, void *data)
{
	return buf_addf(data, "%s,", value);
}

static const char *all(const struct config *c, const char *url)
{
	static char text[400];
	struct buf b = BUF_INIT;

	assert_int_equal(urlmatch_each(c, "http", url, "extraheader", URLMATCH_OWN, join, &b), 0);
	snprintf(text, sizeof text, "%s", buf_str(&b));
	buf_release(&b);
	return text;
}

static void test_several(void **state)
{
	struct config *c;

	(void)state;
	scratch_write("home/.gitconfig",
		"[http]\n\textraHeader = G: 1\n\textraHeader = G: 2\n"
		"[http \"https://a\"]\n\textraHeader = A: 1\n\textraHeader = A: 2\n"
		"[http \"https://b\"]\n\textraHeader = B: 1\n\textraHeader =\n"
		"\textraHeader = B: 2\n"
		"[http \"https://c\"]\n\textraHeader =\n");
	assert_int_equal(config_load(&c, repo), 0);
	assert_string_equal(all(c, "https://a/x"), "A: 1,A: 2,");
	assert_string_equal(all(c, "https://b/x"), "B: 2,");
	assert_string_equal(all(c, "https://c/x"), "");
	assert_string_equal(all(c, "https://d/x"), "G: 1,G: 2,");
	assert_string_equal(all(c, "nowhere"), "");
	config_free(c);
}

static void test_own(void **state)
{
	struct config *c;

	(void)state;
	scratch_write("home/.gitconfig", "[lfs \"https://mine\"]\n\taccess = basic\n");
	scratch_write("r/.lfsconfig", "[lfs \"https://theirs\"]\n\taccess = basic\n");
	assert_int_equal(config_load(&c, repo), 0);
	assert_string_equal(
		urlmatch_get(c, "lfs", "https://theirs/", "access", URLMATCH_ANY), "basic");
	assert_null(urlmatch_get(c, "lfs", "https://theirs/", "access", URLMATCH_OWN));
	assert_string_equal(
		urlmatch_get(c, "lfs", "https://mine/", "access", URLMATCH_OWN), "basic");
	config_free(c);
	assert_int_equal(unlink(scratch_path("r/.lfsconfig")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_git),
		cmocka_unit_test(test_unset),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, build, tear_down);
}
