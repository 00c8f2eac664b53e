/*
 * pre-commit: what is about to be committed as a pointer has its object here, whole and on disk;
 * what should be a pointer is one.
 */
#ifndef HOOKS_PRE_COMMIT_H
#define HOOKS_PRE_COMMIT_H

#include "lib/repo/repo.h"
#include "lib/store/store.h"

/* 0: go on; 1: refuse, the reasons were printed on stderr; or a negative error. */
int pre_commit_run(const struct repo *repo, struct store *s);

#endif
