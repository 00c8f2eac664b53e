/*
 * The common part of lock, unlock and locks: which remote and ref, which path, how a lock is
 * printed.
 */
#ifndef COMMANDS_LOCKING_H
#define COMMANDS_LOCKING_H

#include "commands/command.h"
#include "commands/json.h"
#include "lib/wire/lockwire.h"

struct locking {
	struct command_ctx *ctx;
	const char *remote; /* -r */
	int as_json;
	struct buf ref; /* what the branch at hand is called on the remote; empty: detached */
};

/* After the options were parsed: configuration and ref.  0 or a negative error. */
int locking_begin(struct locking *l, struct command_ctx *ctx);
void locking_release(struct locking *l);
/* Append the path from the top of the worktree.  0, ERR_INVALID. */
int locking_path(struct buf *out, const struct locking *l, const char *typed);
/* The remote's name as the caches know it, without asking anybody: *out is yours. */
int locking_remote(char **out, const struct locking *l);
/* As lockwire_run, with remote and ref. */
int locking_ask(struct lockwire_answer *answer, const struct locking *l, enum lockwire_command c,
	struct lfs_lock_query *q);

/* A lock in the API's shape, as an item of an array. */
void locking_json(struct json *j, cJSON *array, const struct lfs_lock *lock);

#endif
