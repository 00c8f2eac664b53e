/*
 * The hash of a directory that is in no worktree.
 */
#ifndef COMMANDS_HASH_TREE_H
#define COMMANDS_HASH_TREE_H

#include "lib/pipeline/fingerprint.h"

/* Fill an FP_DIR: the listing of all files below (docs/dvx-lock.md#directories), but for what lies
 * in a ".git".  Nothing is ignored, since no rules are known. */
int hash_tree(const char *path, struct fingerprint *out);

#endif
