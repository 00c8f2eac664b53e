/*
 * What the files of a rewrite share: rewrite.c (commits), rewrite_tree.c (trees and blobs),
 * rewrite_out.c (what is written).
 */
#ifndef LIB_REPO_REWRITE_INTERNAL_H
#define LIB_REPO_REWRITE_INTERNAL_H

#include "lib/base/pathpool.h"
#include "lib/base/strmap.h"
#include "lib/repo/gitpack.h"
#include "lib/repo/rewrite.h"
#include "lib/repo/treeread.h"
#include "lib/store/oidmap.h"

#define REWRITE_NONE UINT32_MAX

enum {
	REWRITE_DEPTH_MAX = 2048, /* of directories, as newer Git has it */
	REWRITE_TREE_MAX = 1 << 28,
	REWRITE_COMMIT_MAX = 1 << 26,
	REWRITE_ATTRIBUTES_MAX = 100 << 20 /* Git reads no larger ones */
};

/* A tree while its window is at work. */
struct rewrite_work {
	uint8_t id[REPO_ID_MAX];
	uint32_t path;	/* number of its directory */
	uint32_t state; /* of the attributes above it; below it once it is loaded */
	struct buf raw;
	uint32_t *refs; /* per entry: number of the tree or blob, or REWRITE_NONE: kept */
	size_t n;	/* entries */
	/* roots only: the result depends on how the attributes are at the time */
	int root;
	uint32_t version;
};

/* A tree at a path, below certain attributes. */
struct rewrite_tree {
	uint8_t to[REPO_ID_MAX];
	int done;
	struct rewrite_work *work; /* NULL outside of its window */
};

struct rewrite_dir {
	const char *path; /* "" for the top */
	unsigned depth;
};

struct rewrite_commit {
	uint8_t id[REPO_ID_MAX];
	struct buf raw;
	uint32_t root; /* number of its tree */
};

struct rewrite {
	const struct repo *repo;
	const struct rewrite_ops *ops;
	void *data;
	struct catfile *cat;
	int partial; /* a partial clone: ask before reading */

	/* directories by path */
	struct strmap dir_numbers; /* number + 1 */
	struct rewrite_dir *dirs;
	size_t n_dirs, cap_dirs;
	struct pathpool *dir_names;

	/* trees by (id, directory, state) */
	struct oidmap tree_numbers;
	struct rewrite_tree *trees;
	size_t n_trees, cap_trees;

	struct oidmap blob_numbers;
	struct rewrite_blob *blobs;
	size_t n_blobs, cap_blobs;
	size_t converted; /* those before this one */

	/* what became of commits and tags */
	struct oidmap map;
	struct rewrite_ids old_ids, new_ids;
	size_t n_commits; /* the first ones are commits, in order */

	/* the window at hand */
	struct oidmap roots;
	uint32_t *fresh; /* trees to load next */
	size_t n_fresh, cap_fresh;
	uint32_t *open; /* trees that are loaded */
	size_t n_open, cap_open;
	size_t bytes;		     /* that they hold */
	struct pathpool *blob_names; /* of blobs to be converted */

	/* the way out */
	struct gitpack *pack;
	struct oidmap written;
	struct oidmap attributes; /* (old .gitattributes, version): place in attribute_ids */
	struct rewrite_ids attribute_ids;
};

/* Make room for one more element of `size` bytes. */
int rewrite_room(void **v, size_t *cap, size_t n, size_t size);
/* Names fill 20 or 32 of 32 bytes: two numbers are mixed into the last eight. */
void rewrite_key(struct oid *key, const uint8_t *id, uint32_t a, uint32_t b);
/* ERR_NOTFOUND if one of these objects is missing.  `what` is "tree" or "blob", path(i) its place.
 */
int rewrite_missing(const struct rewrite *r, const uint8_t *id, const char *what, const char *path);

/* The number of a commit's root tree in this window. */
int rewrite_add_root(struct rewrite *r, const uint8_t *tree, uint32_t *number);
/* Read all trees below the roots that are new, and convert all blobs that are. */
int rewrite_load(struct rewrite *r);
/* The new id of a root. */
int rewrite_build_root(
	struct rewrite *r, const uint8_t *commit, uint32_t number, uint8_t to[static REPO_ID_MAX]);
/* Forget the window. */
void rewrite_close_window(struct rewrite *r);

/* Put the .gitattributes into the text of a root tree. */
int rewrite_attributes(struct rewrite *r, struct buf *tree);

#endif
