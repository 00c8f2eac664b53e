/*
 * Notices: written and read again, and every change of a byte or the length noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "transfer/gc/notice.c" /* programs have no archive to link against */

static const uint8_t random_bytes[NOTICE_RANDOM_LEN] = {1, 2, 3, 0xff};

static struct oid name_of(int i)
{
	struct oid name;

	oid_of(&name, &i, sizeof(i));
	return name;
}

static void build(struct buf *text, struct oid *name)
{
	struct notice n = {0};

	for (int i = 0; i < 5; i++) {
		struct oid x = name_of(i);

		assert_int_equal(notice_add(&n, (enum notice_kind)(i % NOTICE_KINDS), &x), 0);
	}
	assert_int_equal(notice_build(&n, 1700000000, random_bytes, text, name), 0);
	notice_release(&n);
}

static int parses(const char *text, size_t len)
{
	struct notice n = {0};
	int rc = notice_parse(&n, text, len);

	notice_release(&n);
	return rc;
}

static void test_round_trip(void **state)
{
	struct buf text = BUF_INIT;
	struct notice n = {0};
	struct oid name, expected, first = name_of(0), spent = name_of(2);

	(void)state;
	build(&text, &name);
	oid_of(&expected, text.p, text.len);
	assert_true(oid_eq(&name, &expected));
	assert_int_equal(notice_parse(&n, text.p, text.len), 0);
	assert_int_equal(notice_count(&n), 5);
	assert_int_equal(n.names[NOTICE_FRAGMENT].n, 2);
	assert_int_equal(n.names[NOTICE_PACK].n, 2);
	assert_int_equal(n.names[NOTICE_SPENT].n, 1);
	assert_true(oid_eq(&n.names[NOTICE_FRAGMENT].v[0], &first));
	assert_true(oid_eq(&n.names[NOTICE_SPENT].v[0], &spent));
	notice_release(&n);
	buf_release(&text);
}

static void test_every_shorter_text_is_refused(void **state)
{
	struct buf text = BUF_INIT;
	struct oid name;

	(void)state;
	build(&text, &name);
	for (size_t len = 0; len < text.len; len++)
		assert_int_equal(parses(text.p, len), ERR_CORRUPT);
	assert_int_equal(buf_addch(&text, '\n'), 0);
	assert_int_equal(parses(text.p, text.len), ERR_CORRUPT);
	buf_release(&text);
}

/* Digits may turn into other digits: that is what the name is for.  Nothing else may change. */
static void test_flipped_bits(void **state)
{
	struct buf text = BUF_INIT;
	struct oid name;

	(void)state;
	build(&text, &name);
	for (size_t i = 0; i < text.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			int was_digit = strchr("0123456789abcdef", text.p[i]) != NULL;

			text.p[i] = (char)(text.p[i] ^ (1 << bit));
			if (parses(text.p, text.len) == 0)
				assert_true(was_digit &&
					    strchr("0123456789abcdef-", text.p[i]) != NULL);
			text.p[i] = (char)(text.p[i] ^ (1 << bit));
		}
	}
	buf_release(&text);
}

static void test_other_versions(void **state)
{
	static const char later[] = "git-dvx notice 2\nsomething new\n";
	static const char none[] = "git-dvx notice \n";

	(void)state;
	assert_int_equal(parses(later, strlen(later)), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_msg(), "version"));
	assert_int_equal(parses(none, strlen(none)), ERR_CORRUPT);
	assert_int_equal(parses("", 0), ERR_CORRUPT);
}

static void test_limit(void **state)
{
	struct oid x = name_of(1), name;
	struct buf text = BUF_INIT;
	struct notice n = {0};

	(void)state;
	for (int i = 0; i < NOTICE_LINES_MAX; i++)
		assert_int_equal(notice_add(&n, NOTICE_FRAGMENT, &x), 0);
	assert_int_equal(notice_add(&n, NOTICE_PACK, &x), ERR_LIMIT);
	assert_int_equal(notice_build(&n, INT64_MIN, random_bytes, &text, &name), 0);
	assert_true(text.len <= NOTICE_BYTES_MAX);
	assert_int_equal(parses(text.p, text.len), 0);
	notice_release(&n);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_shorter_text_is_refused),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
