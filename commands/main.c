/*
 * git-dvx: the table of subcommands, and the one place where a failure becomes a line on stderr and
 * an exit status.
 *
 * Git finds this program as `git dvx`.  Nothing is done here that the command at hand does not
 * need: the repository is looked for only when the table says so, the configuration and the store
 * are opened by the commands that ask for them.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands/command.h"
#include "commands/lfs/lfs.h"
#include "lib/base/err.h"
#include "lib/base/nearest.h"

static const struct command commands[] = {
	{"add", cmd_add, "track files and stage them as pointers, past Git's pipe",
		COMMAND_WORKTREE},
	{"checkout", cmd_checkout, "put data in place of pointers, bring back deleted data files",
		COMMAND_WORKTREE},
	{"clean", cmd_clean, "turn a file's content into its pointer (called by Git)",
		COMMAND_HIDDEN},
	{"dag", cmd_dag, "draw which stage needs which", COMMAND_REPO},
	{"diff", cmd_diff, "show which data was added, deleted, renamed and modified",
		COMMAND_REPO},
	{"diff-driver", cmd_diff_driver, "show what changed inside of one file (called by Git)",
		COMMAND_REPO_MAYBE | COMMAND_HIDDEN},
	{"du", cmd_du, "show how much data there is, here and on the remote", COMMAND_REPO},
	{"env", cmd_env, "print versions, paths and settings; compare environments of runs",
		COMMAND_REPO_MAYBE},
	{"exp", cmd_exp, "try variants in worktrees of their own, compare and keep them",
		COMMAND_WORKTREE},
	{"experiments", cmd_exp, "another name of 'exp'", COMMAND_WORKTREE | COMMAND_HIDDEN},
	{"fetch", cmd_fetch, "get objects from the blob remote into the local store", COMMAND_REPO},
	{"filter-process", cmd_filter_process, "clean and smudge many files (called by Git)",
		COMMAND_HIDDEN},
	{"freeze", cmd_freeze, "let a stage stay as it is until 'unfreeze'", COMMAND_WORKTREE},
	{"fsck", cmd_fsck, "check that data is here, or on the remote, and whole", COMMAND_REPO},
	{"gc", cmd_gc, "remove data that nothing needs, merge small packs", COMMAND_REPO},
	{"hash", cmd_hash, "print the SHA-256 of files and directories, as dvx.lock has it",
		COMMAND_REPO_MAYBE},
	{"help", cmd_help, "list the commands, or explain one", 0},
	{"hook", cmd_hook, "what a Git hook does (called by Git)", COMMAND_REPO | COMMAND_HIDDEN},
	{"init", cmd_init, "make a Git repository ready: filter, hooks, .dvxconfig",
		COMMAND_REPO_MAYBE},
	{"install", cmd_install, "set up the filter for your account, and this repository's hooks",
		COMMAND_REPO_MAYBE},
	{"lock", cmd_lock, "tell the others that a file is being worked on", COMMAND_WORKTREE},
	{"locks", cmd_locks, "show who has locked what", COMMAND_REPO},
	{"ls-files", cmd_ls_files, "list the files whose data git-dvx manages", COMMAND_REPO},
	{"merge-driver", cmd_merge_driver, "merge tables, dvx.lock and other data (called by Git)",
		COMMAND_REPO | COMMAND_HIDDEN},
	{"metrics", cmd_metrics, "show and compare metrics of any revision", COMMAND_REPO},
	{"migrate", cmd_migrate, "rewrite history: files to pointers, or back", COMMAND_REPO},
	{"model", cmd_model, "register models, promote them, tell what ran when", COMMAND_REPO},
	{"params", cmd_params, "show and compare parameters of any revision", COMMAND_REPO},
	{"pipeline", cmd_pipeline, "another name of 'dag'", COMMAND_REPO | COMMAND_HIDDEN},
	{"plots", cmd_plots, "draw curves, matrices and images of revisions into one HTML file",
		COMMAND_REPO},
	{"pointer", cmd_pointer, "make, show, check or compare pointers", COMMAND_REPO_MAYBE},
	{"pull", cmd_pull, "fetch, then checkout", COMMAND_WORKTREE},
	{"push", cmd_push, "bring objects to the blob remote", COMMAND_REPO},
	{"remote", cmd_remote, "name, list and change the places where blobs are kept",
		COMMAND_REPO},
	{"repro", cmd_repro, "run the stages whose command, inputs or outputs changed",
		COMMAND_WORKTREE},
	{"run", cmd_run, "write a stage into dvx.yaml and run it", COMMAND_WORKTREE},
	{"serve", cmd_serve, "be a Git LFS server, over HTTP or SSH", 0},
	{"smudge", cmd_smudge, "turn a pointer into the file's content (called by Git)",
		COMMAND_HIDDEN},
	{"stage", cmd_stage, "add, list and remove stages", COMMAND_REPO},
	{"status", cmd_status, "show changed, missing and unpushed data; stale stages",
		COMMAND_WORKTREE},
	{"textconv", cmd_textconv, "show data as text for Git's own diff (called by Git)",
		COMMAND_REPO_MAYBE | COMMAND_HIDDEN},
	{"trace", cmd_trace, "tell what a commit, a file or a model was made of", COMMAND_REPO},
	{"track", cmd_track, "let files of a pattern be pointers from now on, or list the patterns",
		COMMAND_WORKTREE},
	{"unfreeze", cmd_unfreeze, "take 'freeze' back", COMMAND_WORKTREE},
	{"uninstall", cmd_uninstall, "undo 'install'", COMMAND_REPO_MAYBE},
	{"unlock", cmd_unlock, "give the lock of a file back", COMMAND_WORKTREE},
	{"untrack", cmd_untrack, "take a pattern back", COMMAND_WORKTREE},
	{"update", cmd_update, "install this repository's hooks again", COMMAND_REPO},
	{"version", cmd_version, "print the version", 0},
	{"whence", cmd_whence, "tell which commits, paths, tags and models hold these bytes",
		COMMAND_REPO},
};

static volatile int stop_flag;
static int called_git_lfs;

const struct command *command_table(size_t *n)
{
	*n = sizeof(commands) / sizeof(commands[0]);
	return commands;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

const char *command_nearest(const struct command *table, size_t n, const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < n; i++)
		if (!(table[i].flags & COMMAND_HIDDEN))
			nearest_offer(&nearest, table[i].name);
	return nearest.best;
}

int command_is_git_lfs(void)
{
	return called_git_lfs;
}

int command_config(struct command_ctx *ctx)
{
	if (ctx->c != NULL)
		return 0;
	return ctx->g != NULL ? config_load(&ctx->c, ctx->g) : config_load_global(&ctx->c);
}

int command_repo(struct command_ctx *ctx)
{
	int rc = command_config(ctx);

	return rc < 0 ? rc : repo_init(&ctx->repo, ctx->g, ctx->c);
}

int command_store(struct command_ctx *ctx)
{
	int rc = 0;

	if (ctx->s != NULL)
		return 0;
	rc = command_repo(ctx);
	return rc < 0 ? rc : store_open(&ctx->s, ctx->g, ctx->c);
}

int command_usage(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(ERR_INVALID, "%s", text);
	return COMMAND_USAGE;
}

/* The usage as it reads when the program was called by the name git-lfs. */
static int usage_of_lfs(struct buf *out, const char *usage)
{
	static const char ours[] = "git dvx ";
	const char *at;
	int rc = 0;

	for (; rc == 0 && (at = strstr(usage, ours)) != NULL; usage = at + sizeof(ours) - 1) {
		rc = buf_add(out, usage, (size_t)(at - usage));
		if (rc == 0)
			rc = buf_addstr(out, "git lfs ");
	}
	return rc == 0 ? buf_addstr(out, usage) : rc;
}

int command_options(int *status, int argc, char **argv, const struct opt *table, const char *usage,
	int flags, int *n_operands)
{
	struct buf text = BUF_INIT;
	int rc = called_git_lfs ? usage_of_lfs(&text, usage) : 0;

	if (rc == 0)
		rc = opt_parse(argc, argv, table, text.len ? text.p : usage, flags, n_operands);
	buf_release(&text);
	*status = rc < 0 ? COMMAND_BAD_OPTION : COMMAND_OK;
	return rc != 0;
}

/* One Ctrl-C arrives twice, from the terminal and from Git; the one that kills comes later. */
static void on_signal(int sig)
{
	static volatile time_t first;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (stop_flag && now.tv_sec - first > 1) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	if (!stop_flag)
		first = now.tv_sec;
	stop_flag = 1;
}

const volatile int *command_stop(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, NULL, &before); /* nohup keeps it away */
	if (before.sa_handler == SIG_DFL)
		sigaction(SIGHUP, &sa, NULL);
	return &stop_flag;
}

static int wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return 1;
	return 0;
}

/* Find the repository if the command needs one. */
static int find_repository(
	struct command_ctx *ctx, const struct command *cmd, int argc, char **argv)
{
	int rc;

	if (!(cmd->flags & (COMMAND_REPO | COMMAND_REPO_MAYBE)) || wants_help(argc, argv))
		return 0;
	rc = gitdir_discover(&ctx->g);
	if (rc == ERR_NOTFOUND && (cmd->flags & COMMAND_REPO_MAYBE)) {
		err_clear();
		return 0;
	}
	if (rc == 0 && (cmd->flags & COMMAND_WORKTREE) == COMMAND_WORKTREE &&
		ctx->g->worktree == NULL)
		return err_set(ERR_INVALID,
			"'git dvx %s' must be run in a work tree; '%s' is a bare repository",
			cmd->name, ctx->g->git_dir);
	return rc;
}

/* The status for the shell; a failure is told here and nowhere else. */
static int conclude(int rc)
{
	if (rc >= 0) {
		if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE) {
			fprintf(stderr, "error: cannot write to standard output: %s\n",
				strerror(errno));
			return COMMAND_FAILED;
		}
		return rc;
	}
	fflush(stdout);
	if (rc == ERR_INTERRUPTED || stop_flag) { /* whatever failed then, did for that */
		fprintf(stderr, "%s\n",
			strncmp(err_msg(), "interrupted; ", 13) == 0 ? err_msg() : "interrupted");
		return 128 + SIGINT;
	}
	fprintf(stderr, "error: %s\n", err_msg()[0] != '\0' ? err_msg() : "unknown failure");
	return rc == COMMAND_USAGE || rc == COMMAND_BAD_OPTION ? COMMAND_BAD_USAGE : COMMAND_FAILED;
}

static int unknown_command(const char *name)
{
	const char *near = command_nearest(commands, sizeof(commands) / sizeof(commands[0]), name);

	if (near != NULL)
		return conclude(command_usage("'%s' is not a git-dvx command; the most similar one "
					      "is '%s'",
			name, near));
	return conclude(command_usage("'%s' is not a git-dvx command; see 'git dvx help'", name));
}

void command_release(struct command_ctx *ctx)
{
	store_close(ctx->s);
	config_free(ctx->c);
	gitdir_free(ctx->g);
}

static int run_command(const struct command *cmd, int argc, char **argv)
{
	struct command_ctx ctx = {0};
	int rc = find_repository(&ctx, cmd, argc, argv);

	if (rc == 0)
		rc = cmd->fn(&ctx, argc, argv);
	rc = conclude(rc);
	command_release(&ctx);
	return rc;
}

int main(int argc, char **argv)
{
	static char *help_argv[] = {(char *)"help", NULL};
	const struct command *cmd;

	signal(SIGPIPE,
		SIG_IGN); /* a coprocess or reader that went away is an error code, not the end */
	called_git_lfs = lfs_is_called(argv[0]);
	if (called_git_lfs)
		return lfs_main(argc, argv);
	if (argc < 2) {
		run_command(command_find("help"), 1, help_argv);
		return COMMAND_BAD_USAGE;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		argv[1] = help_argv[0];
	else if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0)
		return run_command(command_find("version"), 1, argv + 1);
	cmd = command_find(argv[1]);
	if (cmd == NULL)
		return unknown_command(argv[1]);
	return run_command(cmd, argc - 1, argv + 1);
}
