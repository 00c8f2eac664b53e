/*
 * post-checkout, post-merge, post-commit: finish what an interrupted rehydration left.
 */
#ifndef HOOKS_POST_H
#define HOOKS_POST_H

#include "lib/repo/repo.h"
#include "lib/store/store.h"

/* Place the data of the files that abandoned journals name, from the local store, and repair their
 * index entries.  Call it when pending_any() says so.  0 or a negative error. */
int post_run(const struct repo *repo, struct store *s);

#endif
