/*
 * What `git dvx track` and `untrack` have in common: from an argument as typed to a line of the
 * .gitattributes file in the current directory.
 */
#ifndef COMMANDS_PATTERNS_H
#define COMMANDS_PATTERNS_H

#include "lib/base/buf.h"
#include "lib/repo/repo.h"

struct pattern {
	struct buf quoted;   /* as it is written in the file */
	struct buf spare;    /* of a directory: the pattern of Git's own files in it, not to be
				tracked; else empty */
	struct buf path;     /* from the top of the worktree, when it names one path; else empty */
	struct buf pathspec; /* for `git ls-files`: what it matches */
	int is_dir;
};
#define PATTERN_INIT                                                                               \
	{                                                                                          \
		BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT, 0                                          \
	}

void pattern_release(struct pattern *p);
/* `literal`: the argument is a file name, not a pattern. */
int pattern_parse(struct pattern *p, const struct repo *repo, const char *typed, int literal);
/* Append "<prefix>.gitattributes". */
int pattern_file(struct buf *out, const struct repo *repo);
/* How many committed or staged files that .gitattributes routes to us are no pointers (`pointers`
 * 0), or how many that it does not route to us still are (1).  Negative on failure. */
int pattern_count_stale(const struct repo *repo, int pointers);

#endif
