/*
 * The part of pre-commit that looks after files which `.gitattributes` guards: dvx-guard=immutable
 * (raw data: added once, then neither changed nor deleted) and dvx-guard=never (secrets).
 */
#ifndef HOOKS_PRE_COMMIT_GUARD_H
#define HOOKS_PRE_COMMIT_GUARD_H

#include "lib/repo/attrs.h"
#include "lib/repo/staged.h"

/* `s` is resolved; `attrs` has an element for each change.  0: go on; 1: refuse, the reasons were
 * printed on stderr; or a negative error. */
int pre_commit_guard(const struct repo *repo, const struct staged *s, const struct attrs *attrs);

#endif
