/*
 * What push, fetch and pull have in common: options, the choice of pointers, the summary.
 */
#ifndef COMMANDS_TRANSFER_H
#define COMMANDS_TRANSFER_H

#include "commands/command.h"
#include "commands/select.h"
#include "lib/repo/sync.h"

/* What a command says that was interrupted in the middle of a transfer. */
#define TRANSFER_INTERRUPTED "interrupted; what was transferred stays: run the same command again"

struct transfer {
	int tags, branches, commits, dry_run, json, jobs;
	int run_cache;
	const char *remote;
	struct select select;
	enum batch_direction direction;
};

/* Rows of an option table. */
#define TRANSFER_OPTIONS(t)                                                                        \
	{'T', "all-tags", OPT_FLAG, &(t)->tags, NULL, "also the data of all tags", 0},             \
		{'a', "all-branches", OPT_FLAG, &(t)->branches, NULL,                              \
			"also the data of all branches", 0},                                       \
		{'A', "all-commits", OPT_FLAG, &(t)->commits, NULL, "the data of all commits", 0}, \
		{0, "all", OPT_FLAG, &(t)->commits, NULL, NULL, 0}, /* as Git LFS calls it */      \
		{'r', "remote", OPT_VALUE, &(t)->remote, "<name>",                                 \
			"blob remote, instead of the default", 0},                                 \
		{'j', "jobs", OPT_INT, &(t)->jobs, "<n>", "how many transfers at once", 0},        \
		{0, "dry-run", OPT_FLAG, &(t)->dry_run, NULL,                                      \
			"only say what would be transferred", 0},                                  \
		{0, "run-cache", OPT_FLAG, &(t)->run_cache, NULL,                                  \
			"also the run cache: what stages made of which inputs", 0},                \
		{0, "json", OPT_FLAG, &(t)->json, NULL, "print the outcome as JSON", 0},           \
		SELECT_OPTIONS(&(t)->select)

/* Sort the operands, read the patterns (after the options were parsed), open the store. */
int transfer_prepare(struct transfer *t, struct command_ctx *ctx, char *const *operands, int n);
/* ERR_NOTFOUND when the name that was given (NULL is fine) leads to no remote. */
int transfer_remote_check(const struct command_ctx *ctx, const char *name);
void transfer_release(struct transfer *t);
/* Collect the pointers that are asked for, move their objects, print the summary (stdout) and the
 * failures (stderr).  0; COMMAND_FAILED when some failed, which is told then; or a negative error.
 */
int transfer_objects(const struct transfer *t, struct command_ctx *ctx);
/* With --run-cache (and for a push with dvx.runCache = push) send or get the run cache, too, and
 * say so.  0 or a negative error. */
int transfer_run_cache(const struct transfer *t, struct command_ctx *ctx);
/* For `repro --pull`: get the entries.  What keeps them from coming is a warning, but for an
 * interruption. */
int transfer_fetch_run_cache(struct command_ctx *ctx);
/* For the pre-push hook: what dvx.runCache asks for.  Failures are warnings. */
void transfer_push_run_cache(struct command_ctx *ctx, const char *git_remote);

/* All of a command that does nothing else: parse, prepare, move.  What a command returns. */
int transfer_command(struct command_ctx *ctx, int argc, char **argv, enum batch_direction direction,
	const char *usage);

#endif
