/*
 * git-dvx called by the name git-lfs (docs/git-lfs.md): Git LFS's verbs, with its words, its files
 * and its exit statuses.
 *
 * A verb whose grammar differs from `git dvx`'s has a file here; the others are rows without a
 * function in lfs_main.c's table and are the command of the same name.
 */
#ifndef COMMANDS_LFS_LFS_H
#define COMMANDS_LFS_LFS_H

#include "commands/command.h"
#include "commands/json.h"
#include "commands/select.h"
#include "lib/repo/sync.h"

/* Exit statuses of Git LFS, besides 0 and COMMAND_NO. */
enum { LFS_FAILED = 2, LFS_BAD_OPTION = 127, LFS_NO_REPOSITORY = 128 };

/* 1 if the program was called by the name git-lfs. */
int lfs_is_called(const char *argv0);
/* What main() does then. */
int lfs_main(int argc, char **argv);

/* Print a line for people on stderr and return `status`: what a verb says and exits with when it
 * cannot go on. */
int lfs_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "12 B", "3.0 KB", "2.5 MB": units of 1000, as Git LFS prints sizes. */
const char *lfs_bytes(char out[static 16], uint64_t bytes);
/* Print "<what>: 100% (3/3), 1.2 MB | 3.4 MB/s, done.", as Git LFS ends a transfer that began at
 * this time (fs_now_ns).  Nothing for 0 objects. */
void lfs_print_done(const char *what, size_t objects, uint64_t bytes, int64_t began_ns);
/* Print JSON as Git LFS does and free it: in lines indented by single blanks, or (`compact`) in
 * one. 0 or ERR_NOMEM. */
int lfs_print_json(struct json *j, int compact);
/* Append "git-lfs/3.7.0 (git-dvx 0.1.0; linux amd64)". */
int lfs_version(struct buf *out);
/* Let `git config` set lfs.repositoryformatversion in this repository unless it is there: Git LFS
 * does so at its first use, and small objects are then stored whole.  0; ERR_UNSUPPORTED for a
 * version that is not 0. */
int lfs_mark_repository(struct command_ctx *ctx);

/* What `git lfs env` prints about paths and settings, without Git's version; also part of a log. */
int lfs_environment(struct buf *out, struct command_ctx *ctx);
/* Write a log of a failure to ".git/lfs/logs" and append its path to `path`.  `message` is what the
 * user was told. */
int lfs_log_write(
	struct buf *path, struct command_ctx *ctx, int argc, char **argv, const char *message);

/* ---- remotes and refs (refs.c) ---- */

/* Fill remote and git_remote of `o` with what this name (NULL: the default) means.  0, or
 * LFS_FAILED when there is no such remote, which is told then. */
int lfs_use_remote(struct batch_options *o, const struct command_ctx *ctx, const char *name);
/* Append the full name of a ref ("refs/heads/main"); of another revision its object name.  0 or
 * ERR_NOTFOUND. */
int lfs_full_ref(struct buf *out, const struct repo *repo, const char *rev);
/* Turn what a scan of history found around and keep one item per object: it has the latest of its
 * names. */
int lfs_newest_first(struct scan_list *l);
/* Append where Git LFS would say that the objects of this remote come from. */
int lfs_remote_url(struct buf *out, const struct command_ctx *ctx, const struct batch_options *o);

/* ---- getting objects (fetch.c) ---- */

/* -I and -X as given, or NULL; an empty string means: not limited, whatever the configuration says.
 */
struct lfs_patterns {
	const char *include, *exclude;
};
#define LFS_PATTERN_OPTIONS(p)                                                                     \
	{'I', "include", OPT_VALUE, &(p)->include, "<paths>", "only paths that match these", 0},   \
	{                                                                                          \
		'X', "exclude", OPT_VALUE, &(p)->exclude, "<paths>", "no paths that match these",  \
			0                                                                          \
	}
/* Fill `s` with these; with `defaults`, lfs.fetchinclude and lfs.fetchexclude stand in for those
 * not given. */
int lfs_select(
	struct select *s, const struct repo *repo, const struct lfs_patterns *p, int defaults);
/* Download what the list names and is not here; each failure is told on stderr.  0; 1 when some
 * failed and that does not count (lfs.skipdownloaderrors); LFS_FAILED; or a negative error. */
int lfs_download(struct command_ctx *ctx, const struct scan_list *l, const struct batch_options *o);

/* ---- the verbs ---- */

int lfs_checkout(struct command_ctx *ctx, int argc, char **argv);
int lfs_clean(struct command_ctx *ctx, int argc, char **argv);
int lfs_clone(struct command_ctx *ctx, int argc, char **argv);
int lfs_dedup(struct command_ctx *ctx, int argc, char **argv);
int lfs_env(struct command_ctx *ctx, int argc, char **argv);
int lfs_ext(struct command_ctx *ctx, int argc, char **argv);
int lfs_fetch(struct command_ctx *ctx, int argc, char **argv);
int lfs_filter_process(struct command_ctx *ctx, int argc, char **argv);
int lfs_fsck(struct command_ctx *ctx, int argc, char **argv);
int lfs_help(struct command_ctx *ctx, int argc, char **argv);
int lfs_install(struct command_ctx *ctx, int argc, char **argv);
int lfs_logs(struct command_ctx *ctx, int argc, char **argv);
int lfs_ls_files(struct command_ctx *ctx, int argc, char **argv);
int lfs_merge_driver(struct command_ctx *ctx, int argc, char **argv);
int lfs_pointer(struct command_ctx *ctx, int argc, char **argv);
int lfs_post_checkout(struct command_ctx *ctx, int argc, char **argv);
int lfs_post_commit(struct command_ctx *ctx, int argc, char **argv);
int lfs_post_merge(struct command_ctx *ctx, int argc, char **argv);
int lfs_pre_push(struct command_ctx *ctx, int argc, char **argv);
int lfs_prune(struct command_ctx *ctx, int argc, char **argv);
int lfs_pull(struct command_ctx *ctx, int argc, char **argv);
int lfs_push(struct command_ctx *ctx, int argc, char **argv);
int lfs_smudge(struct command_ctx *ctx, int argc, char **argv);
int lfs_standalone_file(struct command_ctx *ctx, int argc, char **argv);
int lfs_status(struct command_ctx *ctx, int argc, char **argv);
int lfs_track(struct command_ctx *ctx, int argc, char **argv);
int lfs_uninstall(struct command_ctx *ctx, int argc, char **argv);
int lfs_untrack(struct command_ctx *ctx, int argc, char **argv);
int lfs_update(struct command_ctx *ctx, int argc, char **argv);
int lfs_version_verb(struct command_ctx *ctx, int argc, char **argv);

#endif
