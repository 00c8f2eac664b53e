/*
 * Where data stood in history: for each commit which pointers it brought and took away, kept in
 * "<dvx_dir>/history" (docs/history-index.md) and extended by the commits that are new; commits
 * never change, so nothing in it goes stale.  It answers without a walk of Git's: "which commits,
 * paths and tags hold these bytes", "which commit changed this path last".
 *
 * A shallow clone, or what a partial clone left out, cuts history short: then answers say so
 * (history_is_cut).
 */
#ifndef LIB_LINEAGE_HISTORY_H
#define LIB_LINEAGE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/repo/objcache.h"
#include "lib/repo/pointers.h"
#include "lib/repo/repo.h"
#include "lib/store/oid.h"

struct history;

/* Open the index as it is (`repo` and `objects`, which reads what is new, are borrowed).  It is
 * extended to all that refs, HEAD and worktrees reach when an answer needs it: `progress` shows
 * that on a terminal.  The index being damaged or unwritable is no error. */
int history_open(
	struct history **out, const struct repo *repo, struct objcache *objects, int progress);
void history_close(struct history *h);

enum history_cut {
	HISTORY_SHALLOW = 1,  /* commits are missing at the far end: "the first" may be older */
	HISTORY_NO_TREES = 2, /* a partial clone left out directories: of some commits it cannot be
				 known what they hold */
	HISTORY_NO_BLOBS = 4  /* ... or files, any of which may be a pointer */
};
/* What the answers given so far could not see: of enum history_cut, 0: they saw everything. */
int history_is_cut(const struct history *h);

struct history_place {
	struct oid oid;
	uint64_t size;
	const char *path;
	uint8_t since[REPO_ID_MAX]; /* the commit that brought it to this path */
	int64_t since_when;	    /* its committer time */
	uint64_t commits;	    /* how many commits hold it there from that one on */
	int at_head;		    /* HEAD does */
};
/* Each (object, path, commit that brought it) for objects whose id begins with `prefix` (lower case
 * hex, 4…64 digits), in what refs, HEAD and worktrees reach now; the newest first.  fn's non-zero
 * value is returned.  ERR_INVALID for another prefix. */
int history_places(struct history *h, const char *prefix,
	int (*fn)(const struct history_place *p, void *data), void *data);
/* Each ref ("refs/tags/v1"; "HEAD" where it is detached) whose commit has the object at the path,
 * in the order of their names. */
int history_refs(struct history *h, const char *path, const struct oid *oid,
	int (*fn)(const char *ref, void *data), void *data);
/* Each ref, in the order of their names, with the object that it names itself. */
int history_each_ref(
	struct history *h, int (*fn)(const char *ref, const uint8_t *id, void *data), void *data);
/* How many commits and refs answers of history_places looked at. */
struct history_searched {
	size_t commits, refs;
};
int history_searched(struct history *h, struct history_searched *out);

/* The commit that brought `path` its content of now, as seen from `tip` (as `git log -1 -- path`,
 * following merges to the side that has this content): 1 and *commit, 0: unknown to the index (no
 * data file there). */
int history_last_change(struct history *h, const uint8_t *tip, const char *path,
	uint8_t commit[static REPO_ID_MAX]);
/* Each commit that is behind (or is) only one of the two, by time, the newest first: fn(id, side),
 * side 0 for `a`, 1 for `b`.  Returns 1; 0 where the index does not know both, or was never made:
 * then Git is to be asked; fn's first other value than 0. */
int history_apart(struct history *h, const uint8_t *a, const uint8_t *b,
	int (*fn)(const uint8_t *id, int side, void *data), void *data);

#endif
