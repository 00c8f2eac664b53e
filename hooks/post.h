/*
 * post-checkout, post-merge, post-commit: finish what an interrupted rehydration left; give
 * lockable files the right mode.
 */
#ifndef HOOKS_POST_H
#define HOOKS_POST_H

#include "lib/repo/repo.h"
#include "lib/store/store.h"

/* Place the data of the files that abandoned journals name, from the local store, and repair their
 * index entries.  Call it when pending_any() says so.  0 or a negative error. */
int post_run(const struct repo *repo, struct store *s);

/* The modes of lockable files that Git has just written (docs/locks.md): of those that the command
 * changed, where the hook can know that, else of all.  `hook` is its name, `v` its `n` arguments as
 * Git gave them.  0 or a negative error. */
int post_modes(const struct repo *repo, const char *hook, char *const *v, int n);

#endif
