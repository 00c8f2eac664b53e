/*
 * The split index: most entries lie in a shared file that is never changed, the index file proper
 * holds what differs.  Reading walks both as one list; patching an entry of the shared file adds a
 * replacement for it to the index file. Format: "link" extension of Git's gitformat-index;
 * docs/index-patch.md tells the rest.
 */
#ifndef LIB_WORKTREE_GITINDEX_SPLIT_H
#define LIB_WORKTREE_GITINDEX_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/worktree/ewah.h"
#include "lib/worktree/gitindex_file.h"

struct gitindex_split {
	struct gitindex_file base; /* "sharedindex.<hash>", found beside the index file */
	struct ewah deleted;	   /* positions in base that are gone */
	struct ewah replaced; /* positions whose entries are the nameless ones of the index file, in
				 order */
};

/* Open the shared part that `own` links to.  *out is NULL if it links to none.  0; ERR_CORRUPT;
 * ERR_NOTFOUND… */
int gitindex_split_open(
	struct gitindex_split **out, const struct gitindex_file *own, const char *path);
void gitindex_split_free(struct gitindex_split *s);

/* The second half of opening: with s->base loaded, decode and check the bitmaps. */
int gitindex_split_bitmaps(struct gitindex_split *s, const struct gitindex_file *own);

/* A new replacement: the entry at `position` of the shared file with other stat fields. */
struct gitindex_replacement {
	uint32_t position;
	size_t base_at;	    /* offset of the entry in the shared file */
	size_t fixed_len;   /* as in gitindex_raw */
	uint8_t fields[40]; /* its first 40 bytes from now on */
};

/* Build the index file with these replacements (sorted by position) added; the hash at the end is
 * left out. */
int gitindex_split_rebuild(const struct gitindex_split *s, const struct gitindex_file *own,
	const struct gitindex_replacement *add, size_t n, struct buf *out);

/* All entries in index order, of a split index or (split == NULL) a plain one. */
struct gitindex_walk {
	const struct gitindex_file *own;
	const struct gitindex_split *split;
	struct gitindex_cursor base, replacement, added;
	struct gitindex_raw base_entry, added_entry; /* looked ahead */
	int have_base, have_added; /* 1: looked ahead, 0: not yet, -1: at the end */
	int base_is_shared;
	uint32_t base_position;
	uint32_t next_position;
};

struct gitindex_walk_entry {
	struct gitindex_raw raw;
	int shared;	   /* it lies in the shared file only */
	uint32_t position; /* there */
};

void gitindex_walk_init(struct gitindex_walk *w, const struct gitindex_file *own,
	const struct gitindex_split *split);
void gitindex_walk_release(struct gitindex_walk *w);
/* 1 and the entry, valid until the next call; 0 at the end; negative error. */
int gitindex_walk_next(struct gitindex_walk *w, struct gitindex_walk_entry *e);

#endif
