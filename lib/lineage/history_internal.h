/*
 * The index of history in memory, shared by history*.c.
 *
 * Commits stand so that parents come before their children; each knows what it changed against its
 * first parent.  So the state of a path at every commit comes out of one pass over the array.
 */
#ifndef LIB_LINEAGE_HISTORY_INTERNAL_H
#define LIB_LINEAGE_HISTORY_INTERNAL_H

#include "lib/base/pathpool.h"
#include "lib/base/progress.h"
#include "lib/base/strmap.h"
#include "lib/lineage/history.h"
#include "lib/repo/catfile.h"
#include "lib/store/oidindex.h"

#define HISTORY_NONE UINT32_MAX

enum {
	HISTORY_WHOLE = 1,  /* its changes are all that it has, not the difference to a parent */
	HISTORY_UNKNOWN = 2 /* its directories are not here */
};
struct history_commit {
	uint8_t id[REPO_ID_MAX]; /* first, as oidindex wants it; zeros behind a short one */
	int64_t when;
	uint32_t parents, n_parents; /* in history.parents */
	uint32_t changes, n_changes; /* in history.changes */
	uint32_t flags;
};
/* What a data file was: a blob that is a pointer, or may be one. */
struct history_version {
	uint8_t blob[REPO_ID_MAX]; /* first */
	struct oid oid;
	uint64_t size;
	int state; /* enum pointers_state */
};
struct history_change {
	uint32_t path;
	uint32_t version; /* HISTORY_NONE: no data file (any more) */
};
struct history_tag {
	uint8_t id[REPO_ID_MAX]; /* of the tag object; first */
	uint32_t commit;	 /* HISTORY_NONE: it names none */
};
/* The way from a ref's object to its commit; it may end at a tag of what is not here (any more). */
enum history_peeling {
	HISTORY_PEEL_OBJECT = 0,
	HISTORY_PEEL_TAG,
	HISTORY_PEELED,
	HISTORY_PEEL_MISSING
};
struct history_ref {
	const char *name; /* NULL: HEAD of another worktree */
	uint8_t id[REPO_ID_MAX];
	uint8_t peeled[REPO_ID_MAX]; /* the commit, where the index does not know it yet */
	enum history_peeling peeling;
	uint32_t commit; /* HISTORY_NONE: it names none */
};

struct history {
	const struct repo *repo;
	struct objcache *reader; /* borrowed */
	int progress;
	uint64_t roots;	  /* of what cuts history or bends it: "shallow" and "info/grafts" */
	uint64_t objects; /* in a partial clone: when objects came last; else 0 */
	int has_shallow;
	int stale; /* objects came since the file was written */

	/* what the file has */
	struct history_commit *commits;
	uint32_t *parents;
	struct history_change *changes;
	struct history_version *versions;
	const char **paths;
	struct history_tag *tags;
	size_t n_commits, n_parents, n_changes, n_versions, n_paths, n_tags;
	size_t cap_commits, cap_parents, cap_changes, cap_versions, cap_paths, cap_tags;
	struct pathpool *path_pool;

	struct oidindex by_id;	 /* commits */
	struct oidindex by_blob; /* versions, once it is extended */
	struct strmap by_path;	 /* number + 1, once it is extended */

	/* what refs say now; once asked */
	int has_refs;
	struct history_ref *refs;
	size_t n_refs, cap_refs;
	struct pathpool *ref_pool;
	size_t head_ref; /* SIZE_MAX: unborn */
	uint32_t head;	 /* HISTORY_NONE: unborn */
	uint8_t *reach;	 /* per commit: some ref reaches it */

	/* of the last question of history_refs, per commit: the commit that brought the object,
	 * HISTORY_NONE where it is not */
	uint32_t *origin;
	uint32_t origin_path;
	struct oid origin_oid;
};

/* Forget what the file has. */
void history_clear(struct history *h);

/* history.c */
static inline int history_is_pointer(const struct history_version *v)
{
	return v->state == POINTERS_YES || v->state == POINTERS_ODD;
}
/* The number of a commit, for which the index is extended if need be: 1, 0, or a negative error. */
int history_find_tip(struct history *h, const uint8_t *tip, uint32_t *number);
/* Per commit from `first` on (before which none has it): the one that brought the object to the
 * path, HISTORY_NONE where it is not there.  A merge has it from a parent that has it. */
void history_find_origins(const struct history *h, uint32_t first, uint32_t path,
	const struct oid *oid, uint32_t *origin);

/* history_file.c: 0 also when there is no file, or none that is of use. */
int history_load(struct history *h);
/* Failing to write is no error. */
void history_save(struct history *h);

/* history_refs.c: fill refs, head, tags; the commits that are not indexed yet are appended to
 * `tips`, n ids. */
int history_read_refs(struct history *h, struct buf *tips);
/* The number of the commit that each ref names, after the new ones were added.  1 if tags are
 * others now than the file has, else 0. */
int history_number_refs(struct history *h);

/* history_extend.c: have refs read, and all that they reach. */
int history_extend(struct history *h);
/* Have this commit and what is behind it; refs are not asked for unless the index is to be made. */
int history_extend_to(struct history *h, const uint8_t *tip);
/* Add a commit whose parents are there. */
int history_add_commit(struct history *h, const uint8_t *id, int64_t when,
	const uint8_t (*parents)[REPO_ID_MAX], size_t n);
int history_add_path(struct history *h, const char *path, uint32_t *number);
int history_add_version(struct history *h, const struct pointers_query *q, uint32_t *number);
/* 1 and *number, or 0. */
int history_find(const struct history *h, const uint8_t *id, uint32_t *number);

/* history_changes.c: what the commits from number `first` on changed: begin, set `commit` and add
 * what it changed, and so on; end, which passes on what went wrong before. */
struct history_changes {
	struct history *h;
	struct pointers *pointers;
	struct progress *progress;
	size_t first;
	uint32_t commit;
	struct history_changed *v;
	size_t n, cap;
	struct pointers_query *q;
	size_t n_q, cap_q;
	struct pathpool *paths;
};
void history_changes_begin(
	struct history_changes *c, struct history *h, struct pointers *p, size_t first);
/* The blobs that the path named before and names now; NULL: none. */
int history_changes_add(
	struct history_changes *c, const char *path, const uint8_t *before, const uint8_t *after);
int history_changes_end(struct history_changes *c, int rc);
/* One by one, of the commit that was added last or had one added last. */
int history_add_change(
	struct history *h, struct history_commit *commit, struct history_change change);

/* history_few.c: add the commits that the tips (n ids) reach if they are few: 1; 0: nothing was
 * added, Git is to be asked. */
int history_add_few(struct history *h, const struct buf *tips, struct pointers *p);

/* history_trees.c: the commits from number `first` on, of a clone that has not got all trees. */
int history_add_whole(struct history *h, size_t first, struct pointers *p);

#endif
