/*
 * Dates.  Git's own reader of dates takes any text for some time or other; here a text that is not
 * understood is an error, because the answer would be that of another day.
 */
#include "lib/registry/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/base/err.h"
#include "lib/base/isotime.h"

enum { AGO_MAX = 100000 };

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly `n` digits at *p, which moves behind them; -1: there are not. */
static int digits(const char **p, int n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (!is_digit(**p))
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

/* "2023-12-15" at *p.  1, or 0. */
static int take_day(struct tm *tm, const char **p)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = digits(p, 4), month, day;

	if (year < 1970 || *(*p)++ != '-' || (month = digits(p, 2)) < 1 || month > 12 ||
		*(*p)++ != '-' || (day = digits(p, 2)) < 1 || day > days[month - 1])
		return 0;
	*tm = (struct tm){
		.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_isdst = -1};
	return 1;
}

/* "18:30" or "18:30:59" at *p.  1, or 0. */
static int take_time(struct tm *tm, const char **p)
{
	tm->tm_hour = digits(p, 2);
	if (tm->tm_hour < 0 || tm->tm_hour > 23 || *(*p)++ != ':')
		return 0;
	tm->tm_min = digits(p, 2);
	if (tm->tm_min < 0 || tm->tm_min > 59)
		return 0;
	if (**p != ':')
		return 1;
	(*p)++;
	tm->tm_sec = digits(p, 2);
	return tm->tm_sec >= 0 && tm->tm_sec <= 60;
}

/* The last second of the day that begins at midnight of `tm`, whatever its length. */
static int64_t end_of_day(const struct tm *tm)
{
	struct tm next = {.tm_year = tm->tm_year,
		.tm_mon = tm->tm_mon,
		.tm_mday = tm->tm_mday + 1,
		.tm_isdst = -1};

	return (int64_t)mktime(&next) - 1;
}

/* 1, or 0 for what is no date. */
static int parse_date(int64_t *out, int *whole_day, const char *text)
{
	const char *p = text;
	struct tm tm;

	if (!take_day(&tm, &p))
		return 0;
	if (*p == '\0') {
		*out = end_of_day(&tm);
		*whole_day = 1;
		return 1;
	}
	if ((*p != 'T' && *p != ' ') || (p++, !take_time(&tm, &p)))
		return 0;
	if (*p == '\0') {
		*out = (int64_t)mktime(&tm);
		return 1;
	}
	return strpbrk(p, "Z+-") != NULL && isotime_parse(out, text) == 0;
}

/* "2 weeks ago", with blanks or dots between.  1, or 0. */
static int parse_ago(int64_t *out, const char *text, int64_t now)
{
	static const struct {
		const char *name;
		int seconds, months;
	} units[] = {{"second", 1, 0}, {"minute", 60, 0}, {"hour", 3600, 0}, {"day", 86400, 0},
		{"week", 604800, 0}, {"month", 0, 1}, {"year", 0, 12}};
	char word[16] = "", end[16] = "";
	time_t t = (time_t)now;
	struct tm tm;
	int used = 0;
	long n;
	char *p;

	n = strtol(text, &p, 10);
	if (!is_digit(*text) || n > AGO_MAX ||
		sscanf(p, "%*1[ .]%15[a-zA-Z]%*1[ .]%15[a-zA-Z]%n", word, end, &used) != 2 ||
		p[used] != '\0' || strcasecmp(end, "ago") != 0)
		return 0;
	if (strlen(word) > 1 && strcasecmp(word + strlen(word) - 1, "s") == 0)
		word[strlen(word) - 1] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(units[i].name, word) != 0)
			continue;
		if (!localtime_r(&t, &tm))
			return 0;
		tm.tm_mon -= (int)n * units[i].months;
		tm.tm_isdst = -1;
		*out = units[i].months ? (int64_t)mktime(&tm) : now - (int64_t)n * units[i].seconds;
		return 1;
	}
	return 0;
}

/* "now", "today", "yesterday".  1, or 0. */
static int parse_word(int64_t *out, int *whole_day, const char *text, int64_t now)
{
	int back = strcasecmp(text, "yesterday") == 0;
	time_t t = (time_t)now;
	struct tm tm;

	if (strcasecmp(text, "now") == 0) {
		*out = now;
		return 1;
	}
	if ((!back && strcasecmp(text, "today") != 0) || !localtime_r(&t, &tm))
		return 0;
	tm.tm_mday -= back;
	*out = end_of_day(&tm);
	*whole_day = 1;
	return 1;
}

static int parse_epoch(int64_t *out, const char *text)
{
	size_t len = *text == '@' ? strspn(text + 1, "0123456789") : 0;

	if (len == 0 || len > 11 || text[len + 1] != '\0')
		return 0;
	*out = strtoll(text + 1, NULL, 10);
	return 1;
}

int when_parse(int64_t *out, int *whole_day, const char *text, int64_t now)
{
	*whole_day = 0;
	if (parse_date(out, whole_day, text) || parse_word(out, whole_day, text, now) ||
		parse_ago(out, text, now) || parse_epoch(out, text))
		return 0;
	return err_set(ERR_INVALID,
		"'%.80s' is no date; one is '2023-12-15', '2023-12-15 18:30', "
		"'2023-12-15T18:30:00+01:00' or '2 weeks ago'",
		text);
}

/* ---- showing ---- */

static int add_text(struct buf *out, size_t len, const char *text)
{
	return buf_addstr(out, len > 0 ? text : "(unknown time)");
}

/* Local time.  1, or 0. */
static int to_local(struct tm *tm, int64_t t)
{
	time_t seconds = (time_t)t;

	return localtime_r(&seconds, tm) != NULL;
}

int when_add_date(struct buf *out, int64_t t)
{
	char text[32];
	struct tm tm;

	return add_text(
		out, to_local(&tm, t) ? strftime(text, sizeof(text), "%Y-%m-%d", &tm) : 0, text);
}

int when_add_minute(struct buf *out, int64_t t)
{
	char text[32];
	struct tm tm;

	return add_text(out,
		to_local(&tm, t) ? strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) : 0, text);
}

int when_add_local(struct buf *out, int64_t t)
{
	char text[48];
	struct tm tm;

	return add_text(out,
		to_local(&tm, t) ? strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm) : 0,
		text);
}

int when_local_zone(int64_t t)
{
	struct tm tm;

	return to_local(&tm, t) ? (int)(tm.tm_gmtoff / 60) : 0;
}

int when_add_iso(struct buf *out, int64_t t, int zone)
{
	time_t seconds = (time_t)(t + (int64_t)zone * 60);
	int east = zone < 0 ? -zone : zone;
	char text[32];
	struct tm tm;
	int rc;

	if (!gmtime_r(&seconds, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return buf_addstr(out, "(unknown time)");
	rc = buf_addstr(out, text);
	if (rc == 0)
		rc = buf_addf(out, "%c%02d:%02d", zone < 0 ? '-' : '+', east / 60, east % 60);
	return rc;
}
