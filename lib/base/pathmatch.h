/*
 * Include and exclude patterns (-I, -X, lfs.fetchinclude, lfs.fetchexclude), in the way of
 * .gitignore: a pattern without a slash matches a file or a directory of that name at any depth,
 * one with a slash is anchored at the top, a directory means all below it; '*' and '?' stop at
 * slashes, "**" does not.  Pure; linear in memory, no recursion.
 */
#ifndef LIB_BASE_PATHMATCH_H
#define LIB_BASE_PATHMATCH_H

#include "lib/base/strvec.h"

/* 1 if the whole text matches the glob: '*', '?', "[a-z]", "[!a]", "**", backslash. */
int pathmatch_glob(const char *glob, const char *text);
/* 1 if the pattern matches the path (relative, no leading slash) or one of its directories. */
int pathmatch_one(const char *pattern, const char *path);

/* 1 if `path` is `dir` or lies below it ("" is the top, where everything is).  Plain text. */
int pathmatch_within(const char *path, const char *dir);

struct pathmatch {
	struct strvec include; /* empty: everything */
	struct strvec exclude; /* wins */
};
#define PATHMATCH_INIT                                                                             \
	{                                                                                          \
		STRVEC_INIT, STRVEC_INIT                                                           \
	}

void pathmatch_release(struct pathmatch *m);
/* Append the comma-separated patterns of `list` (NULL is fine); blanks around each are dropped.  0
 * or ERR_NOMEM. */
int pathmatch_add(struct strvec *to, const char *list);
/* 1 if the path is wanted. */
int pathmatch_wanted(const struct pathmatch *m, const char *path);

#endif
