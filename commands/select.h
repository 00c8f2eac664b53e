/*
 * Which files a command is about: operands (paths as typed, or revisions), -I and -X.
 */
#ifndef COMMANDS_SELECT_H
#define COMMANDS_SELECT_H

#include "lib/base/opt.h"
#include "lib/base/pathmatch.h"
#include "lib/repo/scan.h"

struct select {
	struct strvec include, exclude; /* as given to -I and -X: comma-separated lists */
	struct pathmatch match;
	struct strvec paths; /* from the top of the worktree */
	struct strvec revs;
	int revs_allowed;
};
#define SELECT_INIT                                                                                \
	{                                                                                          \
		STRVEC_INIT, STRVEC_INIT, PATHMATCH_INIT, STRVEC_INIT, STRVEC_INIT, 0              \
	}

/* The rows of an option table for -I and -X. */
#define SELECT_OPTIONS(s)                                                                          \
	{'I', "include", OPT_LIST, &(s)->include, "<patterns>",                                    \
		"only paths that match (comma-separated)", 0},                                     \
	{                                                                                          \
		'X', "exclude", OPT_LIST, &(s)->exclude, "<patterns>", "no paths that match", 0    \
	}

void select_release(struct select *s);
/* Sort n operands into revisions and paths: what Git can resolve to a commit is a revision, unless
 * a file of that name exists.  With `revs_allowed` 0 all are paths.  0; ERR_INVALID for a path
 * outside of the worktree. */
int select_operands(
	struct select *s, const struct repo *repo, char *const *v, int n, int revs_allowed);
/* Read -I and -X; without either, and when `defaults` is set, lfs.fetchinclude and
 * lfs.fetchexclude. */
int select_patterns(struct select *s, const struct repo *repo, int defaults);
/* 1 if something was chosen: not everything is wanted. */
int select_limited(const struct select *s);
/* 1 if this path (from the top) is wanted. */
int select_wants(const struct select *s, const char *path);
/* Keep what is wanted of a list. */
int select_filter(const struct select *s, struct scan_list *l);
/* ERR_NOTFOUND naming the first path operand that nothing in the list lies at or below. */
int select_all_found(const struct select *s, const struct scan_list *l);

#endif
