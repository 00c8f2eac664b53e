/*
 * What is staged: the difference between a commit and the index, with the pointers on both sides.
 * One `git diff-index --cached`, which skips unchanged directories by the index's own cache of
 * trees.
 */
#ifndef LIB_REPO_STAGED_H
#define LIB_REPO_STAGED_H

#include <stddef.h>
#include <stdint.h>

#include "lib/repo/pointers.h"
#include "lib/repo/repo.h"
#include "lib/repo/scan.h"

struct staged_change {
	char *path;
	char status; /* A added, M modified, D deleted, T type changed, U unmerged */
	uint32_t old_mode, new_mode; /* 0: not there */
	/* `blob` of each side; states are POINTERS_NO for what is absent or no regular file, and
	 * POINTERS_UNKNOWN until staged_resolve. */
	struct pointers_query old, new;
};

struct staged {
	struct staged_change *v;
	size_t n, cap;
	int unborn; /* there is no HEAD yet: everything is new */
};
#define STAGED_INIT                                                                                \
	{                                                                                          \
		NULL, 0, 0, 0                                                                      \
	}

void staged_release(struct staged *s);
/* List the changes against HEAD (an unborn branch: the empty tree).  GIT_INDEX_FILE is honoured. */
int staged_list(struct staged *s, const struct repo *repo);
/* List the changes of the index (`new` NULL) or of another tree against a tree; both are object
 * names of commits, tags or trees.  Unchanged directories are not looked into. */
int staged_list_between(
	struct staged *s, const struct repo *repo, const char *old, const char *new);
/* Find out which of them are pointers. */
int staged_resolve(struct staged *s, struct pointers *p);

/* Append to `l` the pointers of HEAD that the index does not have: with the index's own they are
 * what HEAD holds. */
int staged_old_pointers(
	const struct staged *s, struct scan_list *l, const struct repo *repo, struct pointers *p);

#endif
