/*
 * Refs before and after a rewrite: which commits are meant, what tags become, and moving all refs
 * in one transaction.
 */
#ifndef LIB_REPO_REWRITE_REFS_H
#define LIB_REPO_REWRITE_REFS_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/repo/rewrite.h"

struct rewrite_ref {
	char *name; /* "refs/heads/main" */
	uint8_t id[REPO_ID_MAX];
	uint8_t to[REPO_ID_MAX]; /* by rewrite_refs_map */
	int tag;		 /* it is a tag object */
	int moves;		 /* rewrite_refs_map found that it has a new id */
};

/* The refs as they were when the work began. */
struct rewrite_refs {
	struct rewrite_ref *v;
	size_t n, cap;
};

/* All refs but symbolic ones, sorted by name. */
int rewrite_refs_read(struct rewrite_refs *refs, const struct repo *repo);
void rewrite_refs_release(struct rewrite_refs *refs);

/* The commits that `include` reaches and `exclude` does not (full names or ids), parents before
 * children in Git LFS's order.  ERR_INVALID when a shallow clone ends among them. */
int rewrite_refs_commits(struct rewrite_ids *out, const struct repo *repo,
	const struct strvec *include, const struct strvec *exclude);

/* Find out what each ref becomes: remote-tracking ones and refs/replace/ never move; tags of
 * rewritten commits, and tags of such tags, are written anew (message and signature as they were).
 */
int rewrite_refs_map(struct rewrite_refs *refs, struct rewrite *r);
/* How many move. */
size_t rewrite_refs_moved(const struct rewrite_refs *refs);
/* Move them, all or none: ERR_CHANGED when one is no longer what it was.  `why` goes to the
 * reflogs. Before that, what undoes it (input of `git update-ref --stdin`) is written to a file
 * whose path is appended to `undo`.  Nothing is done when no ref moves. */
int rewrite_refs_move(const struct rewrite_refs *refs, const struct repo *repo, const char *why,
	struct buf *undo);

#endif
