/*
 * What the parts of `git dvx remote` share.
 */
#ifndef COMMANDS_REMOTE_H
#define COMMANDS_REMOTE_H

#include "commands/command.h"

struct remote_args {
	struct command_ctx *ctx;
	int make_default, force, local, unset, json, no_probe, quiet;
	int n; /* operands behind the subcommand */
	char **v;
};

/* `git dvx remote list`. */
int remote_list(const struct remote_args *a);

/* Ask the server of an s3 remote what it can do, and print that; not for other kinds, nor with
 * --no-probe.  That it cannot be reached yet is no error, but said; that there is no access key
 * only if `tell_no_key`.  0 or ERR_NOMEM. */
int remote_probe(const struct remote_args *a, const char *name, const char *url, int tell_no_key);

#endif
