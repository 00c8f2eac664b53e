/*
 * Messages: set, prefixed, one per thread, never longer than their slot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "lib/base/err.h"

static void test_set_and_prefix(void **state)
{
	(void)state;
	err_clear();
	assert_string_equal(err_msg(), "");
	assert_int_equal(err_set(ERR_INVALID, "bad size '%s'", "x"), ERR_INVALID);
	assert_string_equal(err_msg(), "bad size 'x'");
	assert_int_equal(err_prefix(ERR_IO, "line %d", 7), ERR_IO);
	assert_string_equal(err_msg(), "line 7: bad size 'x'");
}

static void test_arguments_may_be_the_message(void **state)
{
	(void)state;
	err_set(ERR_IO, "inner");
	err_set(ERR_IO, "outer (%s)", err_msg());
	assert_string_equal(err_msg(), "outer (inner)");
	err_prefix(ERR_IO, "%s", err_msg());
	assert_string_equal(err_msg(), "outer (inner): outer (inner)");
}

static void test_errno_decides(void **state)
{
	static const struct {
		int number, code;
	} table[] = {{ENOENT, ERR_NOTFOUND}, {ENOTDIR, ERR_NOTFOUND}, {EEXIST, ERR_EXISTS},
		{EACCES, ERR_DENIED}, {EROFS, ERR_DENIED}, {ENOMEM, ERR_NOMEM}, {ENOSPC, ERR_IO},
		{EIO, ERR_IO}};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		errno = table[i].number;
		assert_int_equal(err_sys("cannot open '%s'", "f"), table[i].code);
		assert_int_equal(errno, table[i].number);
		assert_non_null(strstr(err_msg(), "cannot open 'f': "));
		assert_non_null(strstr(err_msg(), strerror(table[i].number)));
	}
}

static void test_long_texts_are_cut(void **state)
{
	static char longtext[5000];

	(void)state;
	memset(longtext, 'y', sizeof longtext - 1);
	err_set(ERR_IO, "%s", longtext);
	assert_int_equal(strlen(err_msg()), 2047);
	errno = ENOSPC;
	err_sys("%s", longtext);
	assert_non_null(strstr(err_msg(), strerror(ENOSPC)));
	err_set(ERR_IO, "the reason");
	err_prefix(ERR_IO, "%s", longtext);
	assert_non_null(strstr(err_msg(), "the reason"));
}

static void test_terminals_get_no_orders(void **state)
{
	(void)state;
	err_set(ERR_IO, "cannot open '%s'", "a\033[2Jb\rc\x7f");
	assert_string_equal(err_msg(), "cannot open 'a?[2Jb?c?'");
	err_prefix(ERR_IO, "gr\xc3\xb6\xc3\x9f"
			   "e\a\tx\ny");
	assert_string_equal(err_msg(), "gr\xc3\xb6\xc3\x9f"
				       "e?\tx\ny: cannot open 'a?[2Jb?c?'");
	err_set(ERR_IO, "a\xc2\x9b"
			"2J\xc2\xa0\xc3\x9f");
	assert_string_equal(err_msg(), "a??2J\xc2\xa0\xc3\x9f");
}

static void *other_thread(void *arg)
{
	(void)arg;
	return err_msg()[0] || err_set(ERR_IO, "theirs") != ERR_IO ? arg : NULL;
}

static void test_each_thread_has_its_own(void **state)
{
	pthread_t id;
	int mark = 0;
	void *result = &mark;

	(void)state;
	err_set(ERR_IO, "mine");
	assert_int_equal(pthread_create(&id, NULL, other_thread, &mark), 0);
	pthread_join(id, &result);
	assert_null(result);
	assert_string_equal(err_msg(), "mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_prefix),
		cmocka_unit_test(test_arguments_may_be_the_message),
		cmocka_unit_test(test_errno_decides),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_terminals_get_no_orders),
		cmocka_unit_test(test_each_thread_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
