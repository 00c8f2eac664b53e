/*
 * What every subcommand of git-dvx is given, and what it gives back.
 *
 * A command parses its options first (so that `-h` works outside a repository), then asks for what
 * it needs: the configuration and the store are opened when first asked for, and closed by main().
 * It returns an exit status, or a negative enum err whose message main() prints behind "error: ".
 */
#ifndef COMMANDS_COMMAND_H
#define COMMANDS_COMMAND_H

#include <stddef.h>

#include "lib/base/opt.h"
#include "lib/repo/repo.h"
#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/store/store.h"

/* Exit statuses (and what a command's function may return, besides a negative enum err). */
enum { COMMAND_OK = 0, COMMAND_NO = 1, COMMAND_FAILED = 128, COMMAND_BAD_USAGE = 129 };

/* Returned for a wrong command line: main() prints the message and exits 129.  The second is
 * command_options' own: there is no such option, or its value is wrong. */
enum { COMMAND_USAGE = -1000, COMMAND_BAD_OPTION = -1001 };

struct command_ctx {
	/* NULL only where the table does not ask for a repository, or when -h is on the command
	 * line. */
	struct gitdir *g;
	struct config *c; /* NULL until command_config */
	struct repo repo; /* a view of both; valid after command_repo */
	struct store *s;  /* NULL until command_store */
};

enum {
	COMMAND_REPO = 1,	  /* fails outside a Git repository */
	COMMAND_WORKTREE = 2 | 1, /* ... and in a bare one */
	COMMAND_HIDDEN = 4,	  /* listed by `help -a` only: called by Git, or an old spelling */
	COMMAND_REPO_MAYBE = 8	  /* ctx->g is set when there is one */
};

struct command {
	const char *name;
	int (*fn)(
		struct command_ctx *ctx, int argc, char **argv); /* argv[0] is the command's name */
	const char *summary; /* one line, lower case, no full stop */
	unsigned flags;
};

/* All commands, sorted by name. */
const struct command *command_table(size_t *n);
/* NULL when there is none of that name. */
const struct command *command_find(const char *name);
/* The name in a table that is nearest to a misspelt one, NULL when none is near. */
const char *command_nearest(const struct command *table, size_t n, const char *name);

/* 1 if the program was called by the name git-lfs. */
int command_is_git_lfs(void);

/* Load ctx->c once: without a repository, the system and global configuration.  0 or a negative
 * error. */
int command_config(struct command_ctx *ctx);
/* Load the configuration and fill ctx->repo.  0 or a negative error. */
int command_repo(struct command_ctx *ctx);
/* Open ctx->s once (and what it needs of the above).  0 or a negative error. */
int command_store(struct command_ctx *ctx);

/* Free what was opened. */
void command_release(struct command_ctx *ctx);

/* Set the message and return COMMAND_USAGE. */
int command_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* opt_parse for commands: 0 to go on; otherwise *status is what the command has to return at once
 * (help was printed, or the command line is wrong). */
int command_options(int *status, int argc, char **argv, const struct opt *table, const char *usage,
	int flags, int *n_operands);

/* For long commands: from now on SIGINT and SIGTERM only set this flag (one that comes later still
 * kills).
 * main() exits 130 when the command gives up with ERR_INTERRUPTED. */
const volatile int *command_stop(void);

/* The commands. */
int cmd_add(struct command_ctx *ctx, int argc, char **argv);
int cmd_checkout(struct command_ctx *ctx, int argc, char **argv);
int cmd_clean(struct command_ctx *ctx, int argc, char **argv);
int cmd_dag(struct command_ctx *ctx, int argc, char **argv);
int cmd_diff(struct command_ctx *ctx, int argc, char **argv);
int cmd_diff_driver(struct command_ctx *ctx, int argc, char **argv);
int cmd_du(struct command_ctx *ctx, int argc, char **argv);
int cmd_env(struct command_ctx *ctx, int argc, char **argv);
int cmd_exp(struct command_ctx *ctx, int argc, char **argv);
int cmd_fetch(struct command_ctx *ctx, int argc, char **argv);
int cmd_filter_process(struct command_ctx *ctx, int argc, char **argv);
int cmd_freeze(struct command_ctx *ctx, int argc, char **argv);
int cmd_fsck(struct command_ctx *ctx, int argc, char **argv);
int cmd_gc(struct command_ctx *ctx, int argc, char **argv);
int cmd_hash(struct command_ctx *ctx, int argc, char **argv);
int cmd_help(struct command_ctx *ctx, int argc, char **argv);
int cmd_hook(struct command_ctx *ctx, int argc, char **argv);
int cmd_init(struct command_ctx *ctx, int argc, char **argv);
int cmd_install(struct command_ctx *ctx, int argc, char **argv);
int cmd_lock(struct command_ctx *ctx, int argc, char **argv);
int cmd_locks(struct command_ctx *ctx, int argc, char **argv);
int cmd_ls_files(struct command_ctx *ctx, int argc, char **argv);
int cmd_merge_driver(struct command_ctx *ctx, int argc, char **argv);
int cmd_metrics(struct command_ctx *ctx, int argc, char **argv);
int cmd_migrate(struct command_ctx *ctx, int argc, char **argv);
int cmd_model(struct command_ctx *ctx, int argc, char **argv);
int cmd_params(struct command_ctx *ctx, int argc, char **argv);
int cmd_pipeline(struct command_ctx *ctx, int argc, char **argv);
int cmd_plots(struct command_ctx *ctx, int argc, char **argv);
int cmd_pointer(struct command_ctx *ctx, int argc, char **argv);
int cmd_pull(struct command_ctx *ctx, int argc, char **argv);
int cmd_push(struct command_ctx *ctx, int argc, char **argv);
int cmd_remote(struct command_ctx *ctx, int argc, char **argv);
int cmd_repro(struct command_ctx *ctx, int argc, char **argv);
int cmd_run(struct command_ctx *ctx, int argc, char **argv);
int cmd_serve(struct command_ctx *ctx, int argc, char **argv);
int cmd_smudge(struct command_ctx *ctx, int argc, char **argv);
int cmd_stage(struct command_ctx *ctx, int argc, char **argv);
int cmd_status(struct command_ctx *ctx, int argc, char **argv);
int cmd_textconv(struct command_ctx *ctx, int argc, char **argv);
int cmd_trace(struct command_ctx *ctx, int argc, char **argv);
int cmd_track(struct command_ctx *ctx, int argc, char **argv);
int cmd_unfreeze(struct command_ctx *ctx, int argc, char **argv);
int cmd_uninstall(struct command_ctx *ctx, int argc, char **argv);
int cmd_unlock(struct command_ctx *ctx, int argc, char **argv);
int cmd_untrack(struct command_ctx *ctx, int argc, char **argv);
int cmd_update(struct command_ctx *ctx, int argc, char **argv);
int cmd_version(struct command_ctx *ctx, int argc, char **argv);
int cmd_whence(struct command_ctx *ctx, int argc, char **argv);

#endif
