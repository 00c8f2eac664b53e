/*
 * Reading the two spellings of time that servers use (see isotime.h).  Written out instead of
 * strptime(), which takes the names of days and months from the user's locale.
 */
#include "lib/base/isotime.h"
#include "lib/base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Exactly `digits` digits at *text, which moves on.  The number, or -1. */
static int number(const char **text, int digits)
{
	int n = 0;

	for (; digits; digits--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return -1;
		n = n * 10 + (**text - '0');
	}
	return n;
}

/* Move over the character `c`.  1 if it was there. */
static int take(const char **text, char c)
{
	if (**text != c)
		return 0;
	(*text)++;
	return 1;
}

static int to_seconds(int64_t *out, struct tm *tm)
{
	if (tm->tm_year < 1970 || tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1 ||
		tm->tm_mday > 31 || tm->tm_hour < 0 || tm->tm_hour > 23 || tm->tm_min < 0 ||
		tm->tm_min > 59 || tm->tm_sec < 0 || tm->tm_sec > 60)
		return ERR_INVALID;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	*out = timegm(tm);
	return 0;
}

/* "18:07:53" */
static int time_of_day(struct tm *tm, const char **text)
{
	tm->tm_hour = number(text, 2);
	if (tm->tm_hour < 0 || !take(text, ':'))
		return ERR_INVALID;
	tm->tm_min = number(text, 2);
	if (tm->tm_min < 0 || !take(text, ':'))
		return ERR_INVALID;
	tm->tm_sec = number(text, 2);
	return tm->tm_sec < 0 ? ERR_INVALID : 0;
}

/* "Z", "+02:00", "-0530" or nothing, and then the end.  0 or ERR_INVALID. */
static int zone(int *seconds, const char *text)
{
	int sign = *text == '-' ? -1 : 1, hours, minutes;

	*seconds = 0;
	if (take(&text, 'Z') || !*text)
		return *text ? ERR_INVALID : 0;
	if (*text != '+' && *text != '-')
		return ERR_INVALID;
	text++;
	hours = number(&text, 2);
	if (hours < 0)
		return ERR_INVALID;
	take(&text, ':');
	minutes = number(&text, 2);
	if (minutes < 0 || *text)
		return ERR_INVALID;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return 0;
}

int isotime_parse(int64_t *out, const char *text)
{
	struct tm tm = {0};
	int east;

	tm.tm_year = number(&text, 4);
	if (tm.tm_year < 0 || !take(&text, '-'))
		return ERR_INVALID;
	tm.tm_mon = number(&text, 2);
	if (tm.tm_mon < 0 || !take(&text, '-'))
		return ERR_INVALID;
	tm.tm_mday = number(&text, 2);
	if (tm.tm_mday < 0 || (!take(&text, 'T') && !take(&text, ' ')) ||
		time_of_day(&tm, &text) < 0)
		return ERR_INVALID;
	if (take(&text, '.')) {
		if (!isdigit((unsigned char)*text))
			return ERR_INVALID;
		while (isdigit((unsigned char)*text))
			text++;
	}
	if (zone(&east, text) < 0 || to_seconds(out, &tm) < 0)
		return ERR_INVALID;
	*out -= east;
	return 0;
}

static int month_of(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (strncmp(name, months + (size_t)i * 3, 3) == 0)
			return i + 1;
	return 0;
}

int isotime_parse_http(int64_t *out, const char *text)
{
	struct tm tm = {0};
	const char *comma = strchr(text, ',');

	if (!comma || comma[1] != ' ')
		return ERR_INVALID;
	text = comma + 2;
	tm.tm_mday = number(&text, 2);
	if (tm.tm_mday < 0 || !take(&text, ' '))
		return ERR_INVALID;
	tm.tm_mon = month_of(text);
	if (!tm.tm_mon)
		return ERR_INVALID;
	text += 3;
	if (!take(&text, ' '))
		return ERR_INVALID;
	tm.tm_year = number(&text, 4);
	if (tm.tm_year < 0 || !take(&text, ' ') || time_of_day(&tm, &text) < 0 ||
		strcmp(text, " GMT") != 0)
		return ERR_INVALID;
	return to_seconds(out, &tm);
}

void isotime_format(char out[static ISOTIME_LEN + 1], int64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(out, ISOTIME_LEN + 1, "%Y-%m-%d %H:%M:%SZ", &tm))
		snprintf(out, ISOTIME_LEN + 1, "(unknown time)");
}
