/*
 * Which objects Git needs: what a clean-up must not take away, what `du` counts, what a remote has
 * to keep.  Answered by Git itself (`git rev-list --objects`) over every place where it remembers a
 * commit or a blob.
 */
#ifndef LIB_REPO_NEEDED_H
#define LIB_REPO_NEEDED_H

#include "lib/repo/pointers.h"
#include "lib/repo/repo.h"
#include "lib/repo/scan.h"
#include "lib/store/oidmap.h"

/* What is asked to be kept; more than one may be.  Whatever is asked, these are kept: HEAD, the
 * index and the journals of every worktree, what merges, rebases and the like have under way, the
 * stash, experiments (refs/dvx/…), what only reflogs still reach, and (if there is a Git remote)
 * what was not pushed. */
enum needed_scope {
	NEEDED_WORKSPACE = 1, /* nothing but these */
	NEEDED_BRANCHES = 2,  /* the tips of branches, local and remote-tracking */
	NEEDED_TAGS = 4,      /* tags */
	NEEDED_ALL = 8	      /* every commit that any ref reaches */
};

struct needed {
	struct scan_list kept; /* an item an object */
	struct oidmap is_kept;
	struct scan_list
		older; /* of commits that refs reach, outside of the scope; kept ones too */
	struct oidmap is_older;
};
#define NEEDED_INIT                                                                                \
	{                                                                                          \
		SCAN_LIST_INIT, OIDMAP_INIT, SCAN_LIST_INIT, OIDMAP_INIT                           \
	}

void needed_release(struct needed *n);
/* `scope`: one or more of enum needed_scope; `tips` (may be NULL): names of further commits to be
 * kept with all that they reach, a line each.  An object that Git should have and has not is an
 * error (unless a partial clone left it out): nothing can be said then. */
int needed_collect(struct needed *out, const struct repo *repo, struct pointers *p, unsigned scope,
	const struct buf *tips);

/* Names of index.lock files of this repository's worktrees: somebody is changing an index at this
 * moment. */
int needed_index_locks(struct strvec *out, const struct repo *repo);

#endif
