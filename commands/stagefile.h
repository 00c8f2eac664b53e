/*
 * Changing dvx.yaml from a command: one process at a time, so that no stage gets lost.
 */
#ifndef COMMANDS_STAGEFILE_H
#define COMMANDS_STAGEFILE_H

#include "lib/repo/repo.h"

/* Read the file (from the top of the worktree; absent: empty), let `fn` change its text, and write
 * it in one rename when fn says 1.  Returns what fn does, or a negative error. */
int stagefile_change(const struct repo *repo, const char *file,
	int (*fn)(struct buf *text, void *data), void *data);

#endif
