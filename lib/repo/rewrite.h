/*
 * New history from old (docs/migrate.md): the same commits with other files.  Commits are read and
 * written oldest first, a window of them at a time; each tree, at each path, is rewritten once, and
 * each blob is converted once.  What is new goes to Git as packs; no ref moves here
 * (rewrite_refs.h).
 */
#ifndef LIB_REPO_REWRITE_H
#define LIB_REPO_REWRITE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/progress.h"
#include "lib/repo/catfile.h"
#include "lib/repo/repo.h"

/* A file's content, at whatever paths. */
struct rewrite_blob {
	uint8_t id[REPO_ID_MAX];
	uint8_t to[REPO_ID_MAX]; /* what it becomes; the same id at first */
	uint64_t size;		 /* for `convert` to fill, if it likes */
	int tag;		 /* the same; 0 at first */
	const char *path;	 /* where it was found first; valid within `convert` only */
};

struct rewrite;

/* What is done to the files.  Each is called from the thread of rewrite_run; a negative return ends
 * it. */
struct rewrite_ops {
	/* Is the regular file at `path` one that concerns us?  `state`: see `enter`. */
	int (*wanted)(const char *path, uint32_t state, void *data);
	/* Fill `to` of n new blobs. */
	int (*convert)(struct rewrite *r, struct rewrite_blob *blobs, size_t n, void *data);
	/* In the order of history, then of the tree: a wanted file that this path did not hold
	 * before, or that lies in a tree that it did not hold.  0: it becomes b->to. */
	int (*visit)(const uint8_t *commit, const char *path, struct rewrite_blob *b, void *data);
	/* What the top .gitattributes should say from here on: 1 and its text in `text`, or 0: as
	 * it is.  `old` is what it says, NULL if there is none.  Answers may change only with
	 * *version.  NULL: never touched. */
	int (*attributes)(const struct buf *old, struct buf *text, void *data);
	const uint32_t *version;
	/* A .gitattributes of the directory `dir` ("" at the top) below `state`: the state (>= 0)
	 * that holds for the files there.  At the top the state is 0.  NULL: it is always 0. */
	int (*enter)(uint32_t state, const char *dir, const uint8_t *blob, const struct buf *text,
		void *data);
};

/* `repo`, `ops` and `data` are borrowed. */
int rewrite_new(
	struct rewrite **out, const struct repo *repo, const struct rewrite_ops *ops, void *data);
void rewrite_free(struct rewrite *r);

/* Object names one behind the other. */
struct rewrite_ids {
	uint8_t (*v)[REPO_ID_MAX];
	size_t n, cap;
};
int rewrite_ids_add(struct rewrite_ids *ids, const uint8_t *id);
void rewrite_ids_release(struct rewrite_ids *ids);

/* Rewrite these commits, parents before children; a parent that is not among them is kept.  All new
 * objects are in Git when this returns 0.  `p` (may be NULL) counts commits; *stop (NULL: never)
 * ends it with ERR_INTERRUPTED. */
int rewrite_run(struct rewrite *r, const struct rewrite_ids *commits, struct progress *p,
	const volatile int *stop);
/* Only the tree of one commit: its new id. */
int rewrite_tree_of(struct rewrite *r, const uint8_t *commit, uint8_t tree[static REPO_ID_MAX]);
/* What a commit (or, once rewritten, a tag) became: 1, or 0 for one that was not rewritten. */
int rewrite_lookup(const struct rewrite *r, const uint8_t *old, uint8_t now[static REPO_ID_MAX]);
/* Let rewrite_lookup answer for another object. */
int rewrite_note(struct rewrite *r, const uint8_t *old, const uint8_t *now);
/* Each commit that changed, in order. */
int rewrite_each(const struct rewrite *r,
	int (*fn)(const uint8_t *old, const uint8_t *now, void *data), void *data);

/* For ops: write an object (unless this rewrite has written it), its name in `id`.  It is in Git
 * after rewrite_flush, which rewrite_run calls. */
int rewrite_put(struct rewrite *r, enum git_type type, const void *data, size_t len,
	uint8_t id[static REPO_ID_MAX]);
int rewrite_flush(struct rewrite *r);
/* For ops: read objects with it. */
struct catfile *rewrite_catfile(struct rewrite *r);
const struct repo *rewrite_repo(const struct rewrite *r);
/* For ops: 0 when all of these blobs are here; ERR_NOTFOUND names one that a partial clone lacks.
 */
int rewrite_need(struct rewrite *r, const struct rewrite_blob *blobs, size_t n);
/* ERR_NOTFOUND or ERR_CORRUPT: this blob is not here, and what to do. */
int rewrite_lacks(struct rewrite *r, const struct rewrite_blob *b);

#endif
