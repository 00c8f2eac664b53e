/*
 * What the commands about stages work on: the project's stages and how they depend on each other,
 * with what it takes to look at files.
 */
#ifndef COMMANDS_PROJECT_H
#define COMMANDS_PROJECT_H

#include "commands/command.h"
#include "lib/pipeline/dag.h"
#include "lib/pipeline/stale.h"

struct project {
	struct command_ctx *ctx;
	char *dir; /* the current directory from the top, "" there */
	struct source *src;
	struct fingerprints *fp;
	struct pipeline *pipeline;
	struct dag *dag;
};
#define PROJECT_INIT                                                                               \
	{                                                                                          \
		.ctx = NULL                                                                        \
	}

/* The current directory from the top, "" there, without a slash at the end, for the caller to
 * free(); NULL: out of memory. */
char *project_directory(const struct gitdir *g);
/* Open the store and load the stages of the worktree. */
int project_open(struct project *p, struct command_ctx *ctx);
void project_close(struct project *p);
/* What stale_check and repro_run are given; all of it borrowed. */
struct stale_context project_context(const struct project *p);

/* The stages that these targets mean; n == 0: those of the current directory's file.  ERR_NOTFOUND
 * says what to do where there is no file of stages at all. */
int project_targets(
	struct stage_list *out, const struct project *p, char *const *targets, size_t n);

/* Append the file that a new stage of the current directory goes into: the one that is there, else
 * "dvx.yaml".  1 if it is there, 0 if not, or a negative error. */
int project_file(struct buf *out, struct command_ctx *ctx);

#endif
