/*
 * `git dvx status --remote`: what a push would send and a fetch would bring.
 */
#ifndef COMMANDS_STATUS_REMOTE_H
#define COMMANDS_STATUS_REMOTE_H

#include "commands/command.h"
#include "commands/select.h"

struct status_remote {
	int wanted; /* --remote was given */
	int tags, branches, commits, jobs, as_json;
	const char *remote;
};

/* Compare and print.  0, or a negative error; COMMAND_NO when an object is nowhere. */
int status_remote(
	struct command_ctx *ctx, const struct status_remote *o, const struct select *select);

#endif
