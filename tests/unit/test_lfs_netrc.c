/*
 * .netrc and `git credential`: what is read, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "transfer/lfs/lfs_netrc.h"

/* "user:password", "(none)", "(error)". */
static const char *find(const char *text, const char *host, const char *user, int use_default)
{
	static char answer[300];
	struct lfs_credential c;
	int rc = lfs_netrc_find(&c, text, strlen(text), host, user, use_default);

	if (rc > 0)
		snprintf(answer, sizeof(answer), "%s:%s", c.user, c.password);
	else
		snprintf(answer, sizeof(answer), rc == 0 ? "(none)" : "(error)");
	lfs_credential_release(&c);
	return answer;
}

static void test_entries(void **state)
{
	static const char text[] = "# machine a login comment password no\n"
				   "machine a login one password 1\n"
				   "machine A\n\tlogin two\n\taccount x\n\tpassword 2\n"
				   "macdef init\nmachine a login macro password no\n\n"
				   "machine b password 3 login three machine c login four\n"
				   "machine d login \"fi ve\" password \"a\\\"b\\\\c#\"\n"
				   "machine e login # a comment\nsix password 6#6\n"
				   "default login any password 0\n";

	(void)state;
	assert_string_equal(find(text, "a", NULL, 0), "one:1");
	assert_string_equal(find(text, "A", "two", 0), "two:2");
	assert_string_equal(find(text, "a", "macro", 0), "(none)");
	assert_string_equal(find(text, "b", NULL, 0), "three:3");
	assert_string_equal(find(text, "c", NULL, 0), "(none)"); /* no password */
	assert_string_equal(find(text, "d", NULL, 0), "fi ve:a\"b\\c#");
	assert_string_equal(find(text, "e", NULL, 0), "six:6#6");
	assert_string_equal(find(text, "z", NULL, 0), "(none)");
	assert_string_equal(find(text, "z", NULL, 1), "any:0");
	assert_string_equal(find(text, "z", "me", 1), "(none)");
	assert_string_equal(find("", "z", NULL, 1), "(none)");
	assert_string_equal(find("machine", "z", NULL, 1), "(none)");
	assert_string_equal(find("machine z login", "z", NULL, 1), "(none)");
	assert_string_equal(find("machine z login a password \"x\\ny\"", "z", NULL, 0), "(error)");
	assert_string_equal(
		find("machine \"machine\" login a password b", "machine", NULL, 0), "a:b");
}

static int parse(struct lfs_credential *c, const char *text)
{
	memset(c, 0, sizeof(*c));
	return lfs_credential_parse(c, text, strlen(text));
}

static void test_answer(void **state)
{
	struct lfs_credential c;

	(void)state;
	assert_int_equal(
		parse(&c, "protocol=https\nhost=h\nusername=me\npassword=a=b \n\nusername=x\n"), 0);
	assert_string_equal(c.user, "me");
	assert_string_equal(c.password, "a=b ");
	assert_string_equal(c.answer, "protocol=https\nhost=h\nusername=me\npassword=a=b \n");
	lfs_credential_release(&c);
	assert_int_equal(parse(&c, "username=me\npassword="), 0);
	assert_string_equal(c.password, "");
	lfs_credential_release(&c);
	assert_int_equal(parse(&c, ""), ERR_INVALID);
	assert_int_equal(parse(&c, "username=me\n"), ERR_INVALID);
	assert_int_equal(parse(&c, "username=me\npassword=a\rb\n"), ERR_INVALID);
	assert_int_equal(parse(&c, "username=m:e\npassword=a\n"), ERR_INVALID);
	assert_int_equal(lfs_credential_parse(&c, "username=a\0b\npassword=c\n", 24), ERR_INVALID);
	assert_null(c.password);
}

static void test_question(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(lfs_credential_line(&b, "host", "example.com:8080"), 0);
	assert_string_equal(b.p, "host=example.com:8080\n");
	assert_int_equal(lfs_credential_line(&b, "path", "a\nhost=evil"), ERR_INVALID);
	assert_int_equal(lfs_credential_line(&b, "path", "a\rb"), ERR_INVALID);
	assert_string_equal(b.p, "host=example.com:8080\n");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
