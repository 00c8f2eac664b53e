/*
 * Times in the spellings of S3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/isotime.h"

static void iso_spellings(void **state)
{
	static const struct {
		const char *text;
		int64_t t;
	} good[] = {{"1970-01-01T00:00:00Z", 0}, {"2013-05-24T00:00:00.000Z", 1369353600},
		{"2013-05-24T02:00:00+02:00", 1369353600}, {"2013-05-23T18:30:00-0530", 1369353600},
		{"2013-05-24 00:00:00", 1369353600}, {"2024-02-29T23:59:59.123456Z", 1709251199},
		{"2100-01-01T00:00:00Z", 4102444800}};
	static const char *const bad[] = {"", "2013", "2013-05-24", "2013-05-24T",
		"20130524T000000Z", "2013-13-01T00:00:00Z", "2013-05-32T00:00:00Z",
		"2013-05-24T24:00:00Z", "2013-05-24T00:60:00Z", "2013-05-24T00:00:00.Z",
		"2013-05-24T00:00:00Zx", "2013-05-24T00:00:00+2", "2013-05-24T00:00:00+02:00x",
		"1969-12-31T00:00:00Z", "-013-05-24T00:00:00Z"};
	int64_t t;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(isotime_parse(&t, good[i].text), 0);
		assert_int_equal(t, good[i].t);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(isotime_parse(&t, bad[i]), ERR_INVALID);
}

static void http_dates(void **state)
{
	static const char *const bad[] = {"", "Sun, ", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sun, 06 Foo 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 N"};
	int64_t t;

	(void)state;
	assert_int_equal(isotime_parse_http(&t, "Sun, 06 Nov 1994 08:49:37 GMT"), 0);
	assert_int_equal(t, 784111777);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(isotime_parse_http(&t, bad[i]), ERR_INVALID);
}

static void for_people(void **state)
{
	char text[ISOTIME_LEN + 1];

	(void)state;
	isotime_format(text, 1369353600);
	assert_string_equal(text, "2013-05-24 00:00:00Z");
	isotime_format(text, INT64_MAX);
	assert_string_equal(text, "(unknown time)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iso_spellings),
		cmocka_unit_test(http_dates),
		cmocka_unit_test(for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
