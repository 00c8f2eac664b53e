/*
 * Git's booleans and integers (git-config(1), "Values"), and the letters that Git LFS takes
 * besides.
 */
#include "lib/base/gitvalue.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"

static const char *const yes[] = {"true", "yes", "on", "t"};
static const char *const no[] = {"false", "no", "off", "f", ""};

int gitvalue_int(long long *out, const char *value)
{
	static const char units[] = "kmg";
	const char *unit;
	long long n;
	char *end;

	errno = 0;
	n = strtoll(value, &end, 0);
	if (end == value || errno)
		return ERR_INVALID;
	if (*end) {
		unit = strchr(units, tolower((unsigned char)*end));
		if (!unit || end[1])
			return ERR_INVALID;
		if (__builtin_mul_overflow(n, 1LL << 10 * (unit - units + 1), &n))
			return ERR_INVALID;
	}
	*out = n;
	return 0;
}

static int is_one_of(const char *value, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(value, words[i]) == 0)
			return 1;
	return 0;
}

int gitvalue_bool(const char *value, int fallback)
{
	long long n;

	if (is_one_of(value, yes, sizeof yes / sizeof *yes))
		return 1;
	if (is_one_of(value, no, sizeof no / sizeof *no))
		return 0;
	return gitvalue_int(&n, value) == 0 ? n != 0 : fallback;
}

int gitvalue_env(const char *name, int fallback)
{
	const char *value = getenv(name);

	return value ? gitvalue_bool(value, fallback) : fallback;
}

int gitvalue_lfs_env(const char *name, int fallback)
{
	const char *value = getenv(name);

	if (!value || !*value)
		return fallback;
	return strcmp(value, "1") == 0 || is_one_of(value, yes, sizeof yes / sizeof *yes);
}
