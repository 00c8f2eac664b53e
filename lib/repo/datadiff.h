/*
 * Which data differs between two states of a repository: added, deleted, renamed, modified.
 *
 * Two lists of files are filled (from trees, or from a tree and the worktree) and then compared.
 * The comparison knows names, object ids and sizes only, so that it needs no data at all; what
 * compares the inside of a modified file starts from its result.
 */
#ifndef LIB_REPO_DATADIFF_H
#define LIB_REPO_DATADIFF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/pathpool.h"
#include "lib/repo/pointers.h"
#include "lib/repo/repo.h"
#include "lib/store/oid.h"

enum datadiff_kind {
	DATADIFF_DATA = 1, /* a pointer: oid and size are those of its object */
	DATADIFF_UNSTAGED, /* data that changed in the worktree only: no oid, the file's size */
	DATADIFF_IN_GIT	   /* no data: Git has the content; no oid, the size if it is known */
};

#define DATADIFF_NO_SIZE UINT64_MAX /* not known */

struct datadiff_file {
	const char *path; /* from the top of the worktree */
	enum datadiff_kind kind;
	struct oid oid;
	uint64_t size;
	uint8_t blob[REPO_ID_MAX]; /* of DATADIFF_IN_GIT: its content; all zero: the worktree's */
};

struct datadiff_list {
	struct datadiff_file *v;
	size_t n, cap;
};

enum datadiff_status {
	DATADIFF_ADDED = 0, /* `old` is NULL; also a copy */
	DATADIFF_DELETED,   /* `new` is NULL */
	DATADIFF_RENAMED,   /* the same object at another path */
	DATADIFF_MODIFIED,
	DATADIFF_STATUSES /* how many there are */
};

struct datadiff_change {
	enum datadiff_status status;
	const struct datadiff_file *old, *new; /* into the lists */
};

struct datadiff {
	/* in: each path at most once a side; what is the same on both sides may be left out */
	struct datadiff_list old, new;
	/* in: 1 for a path that counts although Git has it on both sides (a table that is to be
	 * looked into); NULL: none does */
	int (*also)(const char *path);
	/* out: by path (of `new`; of `old` where that is NULL) */
	struct datadiff_change *v;
	size_t n;
	size_t count[DATADIFF_STATUSES];
	size_t not_here; /* out: files that differ and whose content a partial clone has not got:
			    any of them may be data */

	struct pathpool *paths; /* memory of the path strings */
};

#define DATADIFF_INIT                                                                              \
	{                                                                                          \
		{NULL, 0, 0}, {NULL, 0, 0}, NULL, NULL, 0, {0}, 0, NULL                            \
	}

void datadiff_release(struct datadiff *d);
/* Append a copy of `f` to &d->old or &d->new. */
int datadiff_add(struct datadiff *d, struct datadiff_list *side, const struct datadiff_file *f);

/* Fill both lists with what differs between two trees; both are object names of commits, tags or
 * trees. */
int datadiff_trees(struct datadiff *d, const struct repo *repo, struct pointers *p, const char *old,
	const char *new);
/* The same for a tree and the tracked files of the worktree, told by their stat data.  A file is
 * read only if it has the size of its object and not the time that the index knows. */
int datadiff_worktree(
	struct datadiff *d, const struct repo *repo, struct pointers *p, const char *old);

/* Compare the lists (which are sorted in place): O(n log n).  What has no data on either side is no
 * change, unless d->also says so.  A deleted and an added file of one object, not empty, are a
 * rename; each is used once, and files of the same basename find each other first. */
int datadiff_compare(struct datadiff *d);

#endif
