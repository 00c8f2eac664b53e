/*
 * Buffers: growth, limits, integers, files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "tests/unit/scratch.h"

static void test_count(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} counts[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"},
		{UINT64_MAX, "18,446,744,073,709,551,615"}};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		buf_reset(&b);
		assert_int_equal(buf_addcount(&b, counts[i].n), 0);
		assert_string_equal(b.p, counts[i].text);
	}
	buf_release(&b);
}

static void test_append(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_addstr(&b, "abc"), 0);
	assert_int_equal(buf_addf(&b, "-%d-%s", 42, "x"), 0);
	assert_int_equal(buf_addch(&b, '!'), 0);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_string_equal(b.p, "abc-42-x!");
	assert_int_equal(b.len, 9);
	buf_release(&b);
	assert_null(b.p);
	buf_release(&b);
}

static void test_grows_and_stays_terminated(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(buf_addch(&b, (char)('a' + i % 26)), 0);
		assert_int_equal(b.p[b.len], 0);
	}
	assert_int_equal(b.len, 100000);
	assert_int_equal(b.p[99999], 'a' + 99999 % 26);
	buf_release(&b);
}

static void test_limit_leaves_the_buffer_alone(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	b.max = 5;
	assert_int_equal(buf_addstr(&b, "12345"), 0);
	assert_int_equal(buf_addch(&b, '6'), ERR_LIMIT);
	assert_int_equal(buf_addf(&b, "%d", 6), ERR_LIMIT);
	assert_string_equal(b.p, "12345");
	b.max = 3; /* lowered below what is in use */
	assert_int_equal(buf_add(&b, "", 0), ERR_LIMIT);
	assert_int_equal(buf_grow(&b, SIZE_MAX), ERR_LIMIT);
	assert_string_equal(b.p, "12345");
	buf_release(&b);
}

static void test_cut_and_trim(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_truncate(&b, 0);
	buf_consume(&b, 3);
	buf_rtrim(&b);
	buf_addstr(&b, "  word \t\r\n");
	buf_rtrim(&b);
	assert_string_equal(b.p, "  word");
	buf_consume(&b, 2);
	assert_string_equal(b.p, "word");
	buf_truncate(&b, 9);
	assert_int_equal(b.len, 4);
	buf_truncate(&b, 2);
	assert_string_equal(b.p, "wo");
	buf_consume(&b, 99);
	assert_int_equal(b.len, 0);
	buf_add(&b, "a\0", 2); /* NUL is no white space */
	buf_rtrim(&b);
	assert_int_equal(b.len, 2);
	buf_release(&b);
}

static void test_integers(void **state)
{
	static const uint8_t expected[] = {1, 2, 3, 4, 5, 6, 0xf7, 8, 9, 10, 11, 12, 13, 0xff};
	struct buf b = BUF_INIT;

	(void)state;
	buf_add_be16(&b, 0x0102);
	buf_add_be32(&b, 0x03040506);
	buf_add_be64(&b, 0xf708090a0b0c0dff);
	assert_int_equal(b.len, sizeof expected);
	assert_memory_equal(b.p, expected, sizeof expected);
	assert_int_equal(be16_get(b.p), 0x0102);
	assert_int_equal(be32_get(b.p + 2), 0x03040506);
	assert_true(be64_get(b.p + 6) == 0xf708090a0b0c0dff);
	buf_release(&b);
}

static void test_read_file(void **state)
{
	static char big[300000];
	struct buf b = BUF_INIT;

	(void)state;
	memset(big, 'x', sizeof big - 1);
	scratch_write("big", big);
	scratch_write("empty", "");
	assert_int_equal(buf_addstr(&b, ">"), 0);
	assert_int_equal(buf_read_file(&b, "big"), 0);
	assert_int_equal(b.len, sizeof big);
	assert_int_equal(b.p[0], '>');
	assert_string_equal(b.p + 1, big);
	buf_reset(&b);
	assert_int_equal(buf_read_file(&b, "empty"), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_read_file(&b, "absent"), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(), "'absent'"));
	assert_int_equal(buf_read_file(&b, "."), ERR_IO);
	buf_release(&b);
}

static void test_read_stops_at_the_limit(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	scratch_write("ten", "0123456789");
	b.max = 10;
	assert_int_equal(buf_read_file(&b, "ten"), 0);
	assert_string_equal(b.p, "0123456789");
	assert_int_equal(buf_read_file(&b, "ten"), ERR_LIMIT);
	buf_reset(&b);
	b.max = 9;
	assert_int_equal(buf_read_file(&b, "ten"), ERR_LIMIT);
	assert_true(b.len <= 9);
	b.max = 4; /* below what is in use */
	assert_int_equal(buf_read_file(&b, "ten"), ERR_LIMIT);
	buf_release(&b);
}

static void test_detach(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	(void)state;
	s = buf_detach(&b);
	assert_string_equal(s, "");
	free(s);
	buf_addstr(&b, "mine");
	s = buf_detach(&b);
	assert_string_equal(s, "mine");
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");
	free(s);
}

static void test_strvec(void **state)
{
	struct strvec v = STRVEC_INIT;

	(void)state;
	for (int i = 99; i >= 0; i--)
		assert_int_equal(strvec_pushf(&v, "%02d", i), 0);
	assert_int_equal(strvec_pushl(&v, "a", "b", NULL), 0);
	assert_int_equal(strvec_pushn(&v, "cut here", 3), 0);
	assert_int_equal(v.n, 103);
	assert_null(v.v[103]);
	assert_string_equal(v.v[102], "cut");
	assert_string_equal(v.v[0], "99");
	assert_string_equal(v.v[99], "00");
	strvec_release(&v);
	assert_int_equal(v.n, 0);
	strvec_release(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_grows_and_stays_terminated),
		cmocka_unit_test(test_limit_leaves_the_buffer_alone),
		cmocka_unit_test(test_cut_and_trim),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_read_stops_at_the_limit),
		cmocka_unit_test(test_detach),
		cmocka_unit_test(test_strvec),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
