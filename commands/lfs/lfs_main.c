/*
 * The table of Git LFS's verbs, and how one of them begins and ends: the repository is looked for
 * as Git LFS does it, failures get its exit statuses, and a failure that nobody expected is also
 * written to a log.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "commands/lfs/lfs.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

/* The version of Git LFS whose manual is followed. */
#define LFS_MANUAL_VERSION "3.7.0"

enum { LFS_HOOK = 64 /* called by Git: no mark is left in the repository */ };

static const struct command verbs[] = {
	{"checkout", lfs_checkout, "put data in place of pointers", COMMAND_REPO},
	{"clean", lfs_clean, "turn a file's content into its pointer (called by Git)",
		COMMAND_HIDDEN},
	{"clone", lfs_clone, "git clone (deprecated)", 0},
	{"dedup", lfs_dedup, "let the work tree share the blocks of the store", COMMAND_WORKTREE},
	{"env", lfs_env, "print paths and settings", COMMAND_REPO_MAYBE | LFS_HOOK},
	{"ext", lfs_ext, "list the extensions", COMMAND_REPO_MAYBE},
	{"fetch", lfs_fetch, "get objects from the remote", COMMAND_REPO},
	{"filter-process", lfs_filter_process, "clean and smudge many files (called by Git)",
		COMMAND_HIDDEN},
	{"fsck", lfs_fsck, "check objects and pointers", COMMAND_REPO},
	{"help", lfs_help, "list the commands, or explain one", 0},
	{"install", lfs_install, "set up filter and hooks", COMMAND_REPO_MAYBE},
	{"lock", NULL, "lock files on the server", COMMAND_REPO},
	{"locks", NULL, "list locks", COMMAND_REPO},
	{"logs", lfs_logs, "show logs of failures", COMMAND_REPO_MAYBE | LFS_HOOK},
	{"ls-files", lfs_ls_files, "list the files that are pointers", COMMAND_REPO},
	{"merge-driver", lfs_merge_driver, "merge text behind pointers (called by Git)",
		COMMAND_REPO_MAYBE | COMMAND_HIDDEN},
	{"migrate", NULL, "rewrite history to or from pointers", COMMAND_REPO},
	{"pointer", lfs_pointer, "make, check and compare pointers", COMMAND_REPO_MAYBE},
	{"post-checkout", lfs_post_checkout, "Git's post-checkout hook",
		COMMAND_REPO_MAYBE | COMMAND_HIDDEN | LFS_HOOK},
	{"post-commit", lfs_post_commit, "Git's post-commit hook",
		COMMAND_REPO_MAYBE | COMMAND_HIDDEN | LFS_HOOK},
	{"post-merge", lfs_post_merge, "Git's post-merge hook",
		COMMAND_REPO_MAYBE | COMMAND_HIDDEN | LFS_HOOK},
	{"pre-push", lfs_pre_push, "Git's pre-push hook",
		COMMAND_REPO_MAYBE | COMMAND_HIDDEN | LFS_HOOK},
	{"prune", lfs_prune, "delete old objects from the local store", COMMAND_REPO},
	{"pull", lfs_pull, "fetch, then checkout", COMMAND_REPO},
	{"push", lfs_push, "bring objects to the remote", COMMAND_REPO_MAYBE},
	{"smudge", lfs_smudge, "turn a pointer into the file's content (called by Git)",
		COMMAND_HIDDEN},
	{"standalone-file", lfs_standalone_file, "transfer agent for file:// URLs", COMMAND_HIDDEN},
	{"status", lfs_status, "show what is staged, changed and not pushed", COMMAND_WORKTREE},
	{"track", lfs_track, "let files of a pattern be pointers, or list the patterns",
		COMMAND_WORKTREE},
	{"uninstall", lfs_uninstall, "undo 'install'", COMMAND_REPO_MAYBE},
	{"unlock", NULL, "give locks back", COMMAND_REPO},
	{"untrack", lfs_untrack, "take a pattern back", COMMAND_WORKTREE},
	{"update", lfs_update, "install this repository's hooks again", COMMAND_REPO},
	{"version", lfs_version_verb, "print the version", 0},
};

enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

int lfs_is_called(const char *argv0)
{
	const char *slash = argv0 != NULL ? strrchr(argv0, '/') : NULL;

	return argv0 != NULL && strcmp(slash != NULL ? slash + 1 : argv0, "git-lfs") == 0;
}

int lfs_fail(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

int lfs_version(struct buf *out)
{
	struct utsname u;
	const char *machine;

	if (uname(&u) < 0)
		return err_sys("cannot ask for the machine's name");
	machine = strcmp(u.machine, "x86_64") == 0    ? "amd64"
		  : strcmp(u.machine, "aarch64") == 0 ? "arm64"
						      : u.machine;
	return buf_addf(
		out, "git-lfs/%s (git-dvx %s; linux %s)", LFS_MANUAL_VERSION, DVX_VERSION, machine);
}

int lfs_version_verb(struct command_ctx *ctx, int argc, char **argv)
{
	const struct opt options[] = {OPT_END};
	struct buf line = BUF_INIT;
	int n, rc;

	(void)ctx;
	if (command_options(&rc, argc, argv, options, "git lfs version", 0, &n))
		return rc;
	rc = lfs_version(&line);
	if (rc == 0)
		puts(buf_str(&line));
	buf_release(&line);
	return rc;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int lfs_help(struct command_ctx *ctx, int argc, char **argv)
{
	const struct command *verb = argc > 1 ? find(argv[1]) : NULL;
	char dash_h[] = "-h";

	if (verb != NULL && verb->fn != lfs_help) {
		char *help_argv[] = {argv[1], dash_h, NULL};

		if (verb->fn == NULL)
			verb = command_find(verb->name);
		if (verb != NULL)
			return verb->fn(ctx, 2, help_argv);
	}
	if (argc > 1)
		printf("Unknown help topic [`%s`]\n", argv[1]);
	puts("git lfs <command> [<args>]\n");
	for (size_t i = 0; i < N_VERBS; i++)
		printf("   %-16s %s\n", verbs[i].name, verbs[i].summary);
	puts("\n'git lfs <command> -h' lists the options of one.  This is git-dvx: 'git dvx help' "
	     "lists what it can besides.");
	return COMMAND_OK;
}

int lfs_mark_repository(struct command_ctx *ctx)
{
	struct run r = RUN_INIT;
	const char *version;
	int rc = command_config(ctx);

	if (rc < 0)
		return rc;
	version = config_get_own(ctx->c, "lfs.repositoryformatversion");
	if (version != NULL && strcmp(version, "0") != 0)
		return err_set(ERR_UNSUPPORTED, "Unknown repository format version: %s", version);
	if (version != NULL)
		return 0;
	rc = strvec_pushl(
		&r.argv, "git", "config", "--local", "lfs.repositoryformatversion", "0", NULL);
	r.err = RUN_NULL;
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, NULL);
	if (rc != 0) /* read-only: it is used as it is */
		err_clear();
	run_release(&r);
	config_free(ctx->c); /* it has another setting now */
	ctx->c = NULL;
	return command_config(ctx);
}

static int wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return 1;
	return 0;
}

/* Git LFS says this on standard output. */
static int no_repository(const char *why)
{
	puts(why);
	return LFS_NO_REPOSITORY;
}

/* Find the repository if the verb needs one.  0, a status (told), or a negative error. */
static int find_repository(
	struct command_ctx *ctx, const struct command *verb, int argc, char **argv)
{
	int rc;

	if (!(verb->flags & (COMMAND_REPO | COMMAND_REPO_MAYBE)) || wants_help(argc, argv))
		return 0;
	rc = gitdir_discover(&ctx->g);
	if (rc == ERR_NOTFOUND) {
		err_clear();
		if (verb->flags & COMMAND_REPO)
			return no_repository("Not in a Git repository.");
		return 0;
	}
	if (rc == 0 && (verb->flags & COMMAND_WORKTREE) == COMMAND_WORKTREE &&
		ctx->g->worktree == NULL)
		return no_repository("This operation must be run in a work tree.");
	if (rc == 0 && (verb->flags & COMMAND_REPO) && !(verb->flags & LFS_HOOK))
		rc = lfs_mark_repository(ctx);
	return rc;
}

/* The exit status; tells what failed. */
static int conclude(int rc, struct command_ctx *ctx, int argc, char **argv)
{
	struct buf message = BUF_INIT, path = BUF_INIT;

	if (rc >= 0) {
		if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE)
			return lfs_fail(
				LFS_FAILED, "cannot write to standard output: %s", strerror(errno));
		return rc;
	}
	fflush(stdout);
	if (rc == ERR_INTERRUPTED)
		return lfs_fail(COMMAND_FAILED + 2, "interrupted");
	if (rc == COMMAND_BAD_OPTION)
		return lfs_fail(LFS_BAD_OPTION, "Error: %s", err_msg());
	if (rc == COMMAND_USAGE)
		return lfs_fail(LFS_FAILED, "%s", err_msg());
	if (buf_addstr(&message, err_msg()) == 0) {
		fprintf(stderr, "%s\n", buf_str(&message));
		/* wrong input needs no log: the user knows what was typed */
		if (rc != ERR_INVALID &&
			lfs_log_write(&path, ctx, argc, argv, buf_str(&message)) == 0 &&
			path.len > 0)
			fprintf(stderr,
				"\nErrors logged to '%s'.\nUse `git lfs logs last` to view the "
				"log.\n",
				path.p);
	}
	buf_release(&message);
	buf_release(&path);
	return LFS_FAILED;
}

static int unknown_verb(const char *name)
{
	const char *near = command_nearest(verbs, N_VERBS, name);

	fprintf(stderr, "Error: unknown command \"%s\" for \"git-lfs\"\n", name);
	if (near != NULL)
		fprintf(stderr, "\nDid you mean this?\n\t%s\n\n", near);
	fprintf(stderr, "Run 'git-lfs --help' for usage.\n");
	return LFS_BAD_OPTION;
}

static int run_verb(const struct command *verb, int argc, char **argv)
{
	const struct command *same = verb->fn != NULL ? verb : command_find(verb->name);
	struct command_ctx ctx = {0};
	int rc;

	if (same == NULL)
		return lfs_fail(LFS_FAILED, "'git lfs %s' is not there yet", verb->name);
	rc = find_repository(&ctx, verb, argc, argv);
	if (rc == 0) {
		rc = same->fn(&ctx, argc, argv);
		if (same != verb && rc > 0) /* a "no" and a failure are the same there */
			rc = LFS_FAILED;
	}
	rc = conclude(rc, &ctx, argc, argv);
	command_release(&ctx);
	return rc;
}

int lfs_main(int argc, char **argv)
{
	static char *help_argv[] = {(char *)"help", NULL};
	const struct command *verb;

	if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
		puts("git-lfs: Git LFS, as git-dvx has it");
		return run_verb(find("help"), 1, help_argv);
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0)
		return run_verb(find("version"), 1, argv + 1);
	verb = find(argv[1]);
	return verb != NULL ? run_verb(verb, argc - 1, argv + 1) : unknown_verb(argv[1]);
}
