/*
 * Finding pointers: in the index, in a commit's tree, in a range of history, in everything that
 * refs reach. Each scan appends to a list that owns its memory.
 */
#ifndef LIB_REPO_SCAN_H
#define LIB_REPO_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/pathpool.h"
#include "lib/base/strvec.h"
#include "lib/repo/pointers.h"
#include "lib/repo/repo.h"
#include "lib/worktree/gitindex.h"

struct source;

struct scan_item {
	const char
		*path; /* from the top of the worktree; "" for a blob that a tag names directly */
	uint8_t blob[REPO_ID_MAX];
	uint32_t mode;
	int odd; /* pointer in another spelling than the canonical one */
	struct oid oid;
	uint64_t size;

	/* scan_index only */
	struct gitindex_stat st;
	int stage;
	int skip_worktree;

	/* scan_range only: the pointer that this path had before, for deduplication */
	int has_base;
	struct oid base;
	uint64_t base_size;
};

struct scan_list {
	struct scan_item *v;
	size_t n, cap;
	struct pathpool *paths; /* memory of the path strings */
};

#define SCAN_LIST_INIT                                                                             \
	{                                                                                          \
		NULL, 0, 0, NULL                                                                   \
	}

void scan_list_release(struct scan_list *l);
/* Append a copy of an item of any list (its path, too).  0 or ERR_NOMEM. */
int scan_list_add(struct scan_list *l, const struct scan_item *item);
/* Keep one item per object (the first one), in place.  The order is kept. */
int scan_list_unique_oid(struct scan_list *l);
/* Keep the items under the given paths (from repo_path(); directories mean all below; n == 0 keeps
 * all). */
int scan_list_filter_paths(struct scan_list *l, const char *const *paths, size_t n);

/* Pointers in the index: regular files of every stage, in index order.  `tracked_only`: unmerged
 * ones (stage > 0) are left out. */
int scan_index(struct scan_list *l, const struct repo *repo, struct pointers *p, int tracked_only);
/* Pointers in a tree-ish. */
int scan_tree(
	struct scan_list *l, const struct repo *repo, struct pointers *p, const char *treeish);
/* The same of a source, which must be of a commit: where its trees are at hand, no process. */
int scan_source(
	struct scan_list *l, struct source *src, const struct repo *repo, struct pointers *p);
/* Pointers that commits reachable from `include` but not from `exclude` brought in, oldest first
 * (an item per change: see scan_list_unique_oid).  Both hold object names or revisions; an unknown
 * one of `include` is ERR_NOTFOUND, of `exclude` it is ignored.  `exclude_remote` (may be NULL):
 * also leave out what the remote-tracking branches of this Git remote reach.  Tags of trees and
 * blobs are looked into.  Promised blobs of a partial clone are not fetched, and skipped. */
int scan_range(struct scan_list *l, const struct repo *repo, struct pointers *p,
	const struct strvec *include, const struct strvec *exclude, const char *exclude_remote);

enum scan_refs { SCAN_TAGS = 1, SCAN_BRANCHES = 2 /* local and remote-tracking */ };
/* Pointers in the trees of all tags and/or branches (-T, -a), each blob once, by the first path
 * that was found for it (cut at a newline). */
int scan_refs(struct scan_list *l, const struct repo *repo, struct pointers *p, int which);
/* Pointers of every commit that any ref, HEAD or worktree reaches (-A). */
int scan_all_commits(struct scan_list *l, const struct repo *repo, struct pointers *p);

/* What lies in the worktree at an item of scan_index. */
enum scan_file {
	SCAN_FILE_ABSENT = 1, /* nothing there, or no regular file */
	SCAN_FILE_POINTER,    /* the pointer text of this very blob */
	SCAN_FILE_DATA,	      /* a file that the index calls unchanged, and of the object's size */
	SCAN_FILE_CHANGED     /* anything else: Git would look inside */
};
/* An enum scan_file, or a negative error when the system cannot say.  One lstat, and a read of at
 * most POINTER_MAX bytes where the size says that it may be a pointer.  `index_time` is
 * gitindex_timestamp's value: racy entries are SCAN_FILE_CHANGED; 0: not looked at.
 * *st_out may be NULL. */
int scan_file_state(const struct repo *repo, const struct scan_item *item, uint32_t index_time,
	struct stat *st_out);

struct scan_found {
	enum scan_file state;
	uint64_t size; /* of the file, unless it is absent */
};
/* All items of scan_index at once: *out has l->n elements, to be free()d.  Racy entries are
 * SCAN_FILE_CHANGED. */
int scan_files(struct scan_found **out, const struct scan_list *l, const struct repo *repo);
/* 1 if the worktree's file at `path` (from the top) consists of exactly this object: it is read to
 * its end.  0 also if it cannot be read. */
int scan_file_holds(const struct repo *repo, const char *path, const struct oid *oid);

#endif
