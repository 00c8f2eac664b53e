/*
 * Ignore rules in the way of data: which rule hides a path, and which lines, added to the
 * `.gitignore` that holds the rule, bring back that path and nothing else.
 */
#ifndef LIB_REPO_IGNORE_H
#define LIB_REPO_IGNORE_H

#include <stddef.h>

#include "lib/base/strvec.h"
#include "lib/repo/repo.h"

/* Why a path is hidden.  Zeroed when it is not. */
struct ignore_hit {
	int hidden;
	char *source;  /* the file as Git names it: ".gitignore", "data/.gitignore",
			  ".git/info/exclude", "/home/…" */
	long line;     /* from 1 */
	char *pattern; /* the rule */
};

/* Ask Git for each path (from the top of the worktree; tracked or not); `hits` has n elements, to
 * be released. */
int ignore_check(
	const struct repo *repo, const char *const *paths, size_t n, struct ignore_hit *hits);
void ignore_hits_release(struct ignore_hit *hits, size_t n);

/* The lines that, appended to one .gitignore, make a hidden path visible. */
struct ignore_fix {
	char *file; /* the .gitignore to change, from the top of the worktree */
	struct strvec lines;
};
#define IGNORE_FIX_INIT                                                                            \
	{                                                                                          \
		NULL, STRVEC_INIT                                                                  \
	}
void ignore_fix_release(struct ignore_fix *f);

/* Work out the lines for `path` (no trailing slash), hidden by `hit`.  `is_dir`: all below it is
 * wanted. `file` is the .gitignore that holds the rule, or the top one when the rule lies outside
 * of the worktree.  Pure. */
int ignore_plan(struct ignore_fix *out, const struct ignore_hit *hit, const char *path, int is_dir);
/* Append the lines to the file (those that it does not end with already), and ask Git whether the
 * path is visible now: 0; ERR_INVALID when it still is hidden (the file is put back as it was). */
int ignore_apply(const struct repo *repo, const struct ignore_fix *fix, const char *path);

#endif
