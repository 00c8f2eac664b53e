/*
 * The journal of one rehydration (pending.h), in terms of its items.
 */
#ifndef LIB_WORKTREE_REHYDRATE_JOURNAL_H
#define LIB_WORKTREE_REHYDRATE_JOURNAL_H

#include "lib/worktree/pending.h"
#include "lib/worktree/rehydrate.h"

/* Write down what is owed: *journal is NULL if nothing is.  0 or an error. */
int rehydrate_journal_begin(struct pending **journal, const char *git_dir,
	const struct rehydrate_item *items, size_t n);
/* Keep what is owed still; after a failed index patch also what is in place, for its entry is to be
 * repaired.  Frees the journal (NULL is fine). */
void rehydrate_journal_end(
	struct pending *journal, const struct rehydrate_item *items, size_t n, int patch_failed);

#endif
