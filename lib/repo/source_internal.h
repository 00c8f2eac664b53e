/*
 * The two kinds of sources, seen by source.c only: each answers what is at a path, and source.c
 * does what both have in common (pointers, names, messages).
 */
#ifndef LIB_REPO_SOURCE_INTERNAL_H
#define LIB_REPO_SOURCE_INTERNAL_H

#include "lib/repo/source.h"
#include "lib/store/pointer.h"
#include "lib/worktree/place_dir.h"

struct source {
	char *name;
	const struct repo *repo; /* borrowed */
	struct store *store;	 /* borrowed; NULL: pointers cannot be read */
	struct strvec *trace;	 /* borrowed; NULL: nobody asks */
	/* the worktree */
	struct place_dir dir; /* fd -1: a commit */
	/* a commit */
	struct source_cache *cache; /* borrowed; NULL: the worktree */
	uint8_t tree[REPO_ID_MAX];  /* of the top */
};

/* Set "no file 'x' in <name>"; ERR_NOTFOUND. */
int source_no_file(const struct source *s, const char *path);
/* Append the object that the file at `path` is a pointer to. */
int source_read_object(struct source *s, const char *path, const struct oid *oid, uint64_t size,
	size_t most, struct buf *out);

int source_worktree_read(struct source *s, const char *path, size_t most, struct buf *out);
int source_worktree_has(struct source *s, const char *path);
int source_worktree_find(struct source *s, const char *const *basenames, struct strvec *out);
/* Append the directories that source_remember noted; some may be gone. */
int source_places(struct strvec *out, const struct repo *repo);

int source_commit_read(struct source *s, const char *path, size_t most, struct buf *out);
/* 1 and the blob's id, 0, or a negative error. */
int source_commit_blob(struct source *s, const char *path, uint8_t id[static REPO_ID_MAX]);
int source_commit_find(struct source *s, const char *const *basenames, struct strvec *out);

#endif
