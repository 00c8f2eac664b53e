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

/* Work out the lines for `path`, of which the first `excluded_len` bytes (the path itself, or one
 * of its directories) are what the rule of `hit` excludes.  `is_dir`: path is a directory, and all
 * below it is wanted.  The file is the .gitignore that holds the rule, or the top one when the rule
 * lies outside of the worktree.  Pure.  0; ERR_INVALID for a path with a newline. */
int ignore_plan(struct ignore_fix *out, const struct ignore_hit *hit, const char *path,
	size_t excluded_len, int is_dir);
/* Is `path` hidden?  1: by `hit` (to be released), and `fix` says what to do; 0: it is not. */
int ignore_find(struct ignore_fix *fix, struct ignore_hit *hit, const struct repo *repo,
	const char *path, int is_dir);
/* Append the lines to the file, and ask Git: 1 if the rule is out of the path's way, 0 if the path
 * still is hidden by the same rule (the file is then put back as it was). */
int ignore_apply(const struct repo *repo, const struct ignore_fix *fix,
	const struct ignore_hit *hit, const char *path);

#endif
