/*
 * One side of a merge conflict - what the stages 1, 2 and 3 of the index hold - as a file.
 */
#ifndef COMMANDS_CHECKOUT_SIDE_H
#define COMMANDS_CHECKOUT_SIDE_H

#include "commands/command.h"
#include "lib/repo/datafile.h"

enum checkout_side { CHECKOUT_BASE = 1, CHECKOUT_OURS, CHECKOUT_THEIRS };

/* The side's version of an unmerged path (from the top, borrowed): 1; 0: it has none. */
int checkout_side_find(struct datafile *out, const struct repo *repo, const char *path, int side);
/* Write a version, whose data is here, to the file `to`, replacing in one step what was there; an
 * empty directory gives way. */
int checkout_side_write(struct command_ctx *ctx, const struct datafile *version, const char *to);

/* `git dvx checkout --ours|--theirs|--base [--to <to>] <paths>`. */
struct checkout_side_request {
	int side;
	const char *to;	    /* NULL: the versions go to the files themselves */
	const char *remote; /* of blobs, for what is not here; NULL: the default one */
	char **paths;	    /* as typed */
	int n;
};
int checkout_side_run(struct command_ctx *ctx, const struct checkout_side_request *r);

#endif
