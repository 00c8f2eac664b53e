/*
 * The part of pre-commit that looks at what a merge left.
 */
#ifndef HOOKS_PRE_COMMIT_CONFLICTS_H
#define HOOKS_PRE_COMMIT_CONFLICTS_H

#include "lib/repo/repo.h"
#include "lib/repo/staged.h"
#include "lib/store/store.h"

/* `s` is resolved.  0: go on; 1: refuse, the reasons were printed; or a negative error. */
int pre_commit_conflicts(const struct staged *s, const struct repo *repo, struct store *store);

#endif
