/*
 * Dates as people write them, in a zone with daylight saving time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/registry/when.h"

enum { NOW = 1702656000 }; /* 2023-12-15 17:00:00 +0100 */

static int berlin(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

static void dates(void **state)
{
	static const struct {
		const char *text;
		int64_t t;
		int whole_day;
	} cases[] = {{"2023-12-15", 1702681199, 1}, {"2023-10-29", 1698620399, 1} /* 25 hours */,
		{"2024-03-31", 1711922399, 1} /* 23 hours */, {"2024-02-29", 1709247599, 1},
		{"2023-12-31", 1704063599, 1}, {"2023-12-15 18:30", 1702661400, 0},
		{"2023-12-15T18:30:05", 1702661405, 0}, {"2023-07-01 12:00:00", 1688205600, 0},
		{"2023-12-15T18:30:00Z", 1702665000, 0},
		{"2023-12-15T18:30:00+05:30", 1702645200, 0},
		{"2023-12-15 18:30:00-0800", 1702693800, 0},
		{"2023-12-15T18:30:00.250Z", 1702665000, 0}, {"@1702661400", 1702661400, 0},
		{"@0", 0, 0}, {"now", NOW, 0}, {"today", 1702681199, 1},
		{"yesterday", 1702594799, 1}, {"2 weeks ago", NOW - 1209600, 0},
		{"2.weeks.ago", NOW - 1209600, 0}, {"1 day ago", NOW - 86400, 0},
		{"90 minutes ago", NOW - 5400, 0}, {"1 month ago", 1700064000, 0},
		{"2 Years AGO", 1639584000, 0}, {"0 seconds ago", NOW, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t t = -5;
		int whole_day = -1;

		assert_int_equal(when_parse(&t, &whole_day, cases[i].text, NOW), 0);
		assert_int_equal(t, cases[i].t);
		assert_int_equal(whole_day, cases[i].whole_day);
	}
}

static void no_dates(void **state)
{
	static const char *const bad[] = {"", "2023", "2023-12", "2023-13-01", "2023-12-32",
		"2023-12-1", "15.12.2023", "12/15/2023", "2023-12-15x", "2023-12-15T",
		"2023-12-15 25:00", "2023-12-15 18", "2023-12-15T18:30:00+",
		"2023-12-15T18:30:00Zx", "tomorrow", "production", "last week", "ago", "2 weeks",
		"weeks ago", "-2 weeks ago", "2 fortnights ago", "2 weeks agoo", "999999 days ago",
		"@", "@x", "@12x", "@123456789012", "1969-12-31", "2023-12-15 18:30:00.5",
		"2 weeks ago x"};
	int64_t t = 7;
	int whole_day;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(when_parse(&t, &whole_day, bad[i], NOW), ERR_INVALID);
	assert_non_null(strstr(err_msg(), "2023-12-15"));
}

static void shown(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(when_add_date(&text, 1702681199), 0);
	assert_int_equal(buf_addch(&text, '|'), 0);
	assert_int_equal(when_add_local(&text, 1688205600), 0);
	assert_int_equal(buf_addch(&text, '|'), 0);
	assert_int_equal(when_add_iso(&text, 1702661400, 60), 0);
	assert_int_equal(buf_addch(&text, '|'), 0);
	assert_int_equal(when_add_iso(&text, 1702661400, -450), 0);
	assert_string_equal(text.p,
		"2023-12-15|2023-07-01 12:00:00 +0200|2023-12-15T18:30:00+01:00|"
		"2023-12-15T10:00:00-07:30");
	assert_int_equal(when_local_zone(1702681199), 60);
	assert_int_equal(when_local_zone(1688205600), 120);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates), cmocka_unit_test(no_dates), cmocka_unit_test(shown)};

	return cmocka_run_group_tests(tests, berlin, NULL);
}
