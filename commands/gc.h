/*
 * The two halves of `git dvx gc`.
 */
#ifndef COMMANDS_GC_H
#define COMMANDS_GC_H

#include "commands/command.h"
#include "commands/json.h"
#include "lib/base/strvec.h"

struct gc {
	struct command_ctx *ctx;
	int workspace, branches, tags, commits;
	const char *prune; /* NULL: two weeks */
	int no_prune, quick, dry_run, as_json;
	/* the remote's part */
	int on_remote, repack, jobs;
	const char *remote, *grace;
	struct strvec projects;
	struct json json;
};

/* Clean up the local store, print what was done.  0 or a negative error. */
int gc_local(struct gc *gc);
/* Have git-dvx-transfer clean up the remote.  0, an exit status, or a negative error. */
int gc_remote(struct gc *gc);

#endif
