/*
 * Path patterns.  The glob is matched by two back-track points instead of recursion: the last '*'
 * (which may not swallow a slash) and the last "**" (which may), so that a hostile pattern costs a
 * product of lengths at worst, not an exponential.
 */
#include <stddef.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/pathmatch.h"

/* `glob` points behind '['.  Sets *end behind the matching ']'; NULL when there is none (then '['
 * is an ordinary letter). */
static int bracket_matches(const char *glob, unsigned char c, const char **end)
{
	int negated = *glob == '!' || *glob == '^', hit = 0;
	const char *p = glob + negated;

	for (int first = 1; first || *p != ']'; first = 0) {
		unsigned char low, high;

		if (*p == '\\' && p[1] != '\0')
			p++;
		if (*p == '\0') {
			*end = NULL;
			return 0;
		}
		low = high = (unsigned char)*p++;
		if (p[0] == '-' && p[1] != ']' && p[1] != '\0') {
			high = (unsigned char)p[1];
			p += 2;
		}
		hit |= c >= low && c <= high;
	}
	*end = p + 1;
	return c != '/' && hit != negated;
}

/* Does the one letter `c` match the element at `glob`?  *next: the element behind it. */
static int letter_matches(const char *glob, char c, const char **next)
{
	const char *end;
	int hit;

	*next = glob + 1;
	switch (*glob) {
	case '\0':
		return 0;
	case '?':
		return c != '/';
	case '[':
		hit = bracket_matches(glob + 1, (unsigned char)c, &end);
		if (end == NULL)
			return c == '[';
		*next = end;
		return hit;
	case '\\':
		if (glob[1] != '\0') {
			*next = glob + 2;
			return c == glob[1];
		}
		return c == '\\';
	default:
		return c == *glob;
	}
}

int pathmatch_glob(const char *glob, const char *text)
{
	const char *start = glob, *next;
	const char *star_glob = NULL,
		   *star_text = NULL; /* where to go on after a '*' took one letter more */
	const char *deep_glob = NULL, *deep_text = NULL; /* the same for "**" */

	while (*text != '\0' || *glob != '\0') {
		if (glob[0] == '*' && glob[1] == '*' && (glob == start || glob[-1] == '/') &&
			(glob[2] == '/' || glob[2] == '\0')) {
			deep_glob = glob + 2 + (glob[2] == '/');
			deep_text = text;
			star_glob = NULL;
			glob = deep_glob;
			if (*glob == '\0')
				return *text != '\0';
			continue;
		}
		if (*glob == '*') {
			while (*glob == '*')
				glob++;
			star_glob = glob;
			star_text = text;
			continue;
		}
		if (*text != '\0' && letter_matches(glob, *text, &next)) {
			glob = next;
			text++;
			continue;
		}
		if (star_glob != NULL && *star_text != '\0' && *star_text != '/') {
			glob = star_glob;
			text = ++star_text;
			continue;
		}
		/* "**" takes whole components */
		if (deep_glob == NULL || (deep_text = strchr(deep_text, '/')) == NULL)
			return 0;
		glob = deep_glob;
		text = ++deep_text;
		star_glob = NULL;
	}
	return 1;
}

/* Match against path[from..to), NUL-terminated for the moment in a copy. */
static int part_matches(const char *glob, const char *path, size_t from, size_t to)
{
	char part[4096];

	if (to - from >= sizeof(part))
		return 0;
	memcpy(part, path + from, to - from);
	part[to - from] = '\0';
	return pathmatch_glob(glob, part);
}

int pathmatch_one(const char *pattern, const char *path)
{
	char glob[4096];
	size_t len = strlen(pattern), from = 0;
	int anchored;

	while (len > 0 && pattern[len - 1] == '/')
		len--;
	if (len == 0 || len >= sizeof(glob))
		return 0;
	memcpy(glob, pattern, len);
	glob[len] = '\0';
	anchored = strchr(glob, '/') != NULL;
	for (size_t i = 0;; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		if (part_matches(glob[0] == '/' ? glob + 1 : glob, path, anchored ? 0 : from, i))
			return 1;
		if (path[i] == '\0')
			return 0;
		from = i + 1;
	}
}

void pathmatch_release(struct pathmatch *m)
{
	strvec_release(&m->include);
	strvec_release(&m->exclude);
}

int pathmatch_add(struct strvec *to, const char *list)
{
	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ","), next = len + (list[len] == ',');
		size_t skip = strspn(list, " \t");

		if (skip < len) {
			while (len > skip && (list[len - 1] == ' ' || list[len - 1] == '\t'))
				len--;
			if (len > skip && strvec_pushn(to, list + skip, len - skip) < 0)
				return ERR_NOMEM;
		}
		list += next;
	}
	return 0;
}

static int any_matches(const struct strvec *patterns, const char *path)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (pathmatch_one(patterns->v[i], path))
			return 1;
	return 0;
}

int pathmatch_wanted(const struct pathmatch *m, const char *path)
{
	if (m->include.n > 0 && !any_matches(&m->include, path))
		return 0;
	return !any_matches(&m->exclude, path);
}

int pathmatch_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return n == 0 || (strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}
