/*
 * The user's own `git` as our access to commits, trees, attributes and ignore rules: plumbing
 * commands run by argument vector, at the top of the worktree (in the Git directory of a bare
 * repository), with literal object names (no replace refs), without optional locks and without lazy
 * fetching.  Nothing of Git's text for humans is parsed. Git's own stderr reaches the user's.
 */
#ifndef LIB_REPO_GIT_H
#define LIB_REPO_GIT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/run.h"
#include "lib/repo/repo.h"

/* Fill `r` (RUN_INIT) with "git <args>", arguments ended by NULL; more may be pushed to r->argv
 * before it is started. */
int git_prepare(struct run *r, const struct repo *repo, ...) __attribute__((sentinel));

/* Run "git <args>" to its end: `input` on stdin, stdout appended to `out` (may be NULL: to the
 * parent's stdout). The exit status (0-255), or a negative error when it could not be run. */
int git_status_of(const struct repo *repo, const void *input, size_t input_len, struct buf *out,
	...) __attribute__((sentinel));
/* The same where only exit status 0 will do: 0, or ERR_INVALID "'git <word>' failed with exit
 * status 128". */
int git_run(const struct repo *repo, const void *input, size_t input_len, struct buf *out, ...)
	__attribute__((sentinel));

/* ---- output as it comes ---- */

/* A running Git command whose output is read in records or bytes; its input is fed by a thread, so
 * any amount of requests may be ahead of the answers. */
struct git_reader;

/* Start the prepared `r` (taken over, also on failure).  `input` (may be NULL: no input) is taken
 * over: emptied here and released with the reader. */
int git_reader_start(struct git_reader **out, struct run *r, struct buf *input);
/* The same with an input that stays open: requests are written by git_reader_ask as answers are
 * read. */
int git_reader_open(struct git_reader **out, struct run *r);
/* Write requests to it now.  The caller sees to it that what the command has not answered yet fits
 * into a pipe (PIPE_BUF bytes).  0 or ERR_IO. */
int git_reader_ask(struct git_reader *r, const void *data, size_t len);
/* The next record that ends in `delim` ('\0' or '\n'), without it, NUL-terminated, valid until the
 * next call.  1; 0 at the end of output; negative error (a last record without its delimiter is
 * ERR_CORRUPT). */
int git_reader_next(struct git_reader *r, int delim, char **record, size_t *len);
/* Append exactly `n` bytes to out.  0 or ERR_CORRUPT when the output ends before. */
int git_reader_bytes(struct git_reader *r, size_t n, struct buf *out);
/* End and free (NULL is fine).  Kills a command whose output was not read to its end.  0, or
 * ERR_INVALID when it ran to its end and failed. */
int git_reader_finish(struct git_reader *r);

/* ---- objects ---- */

enum git_type { GIT_MISSING = 0, GIT_COMMIT, GIT_TREE, GIT_BLOB, GIT_TAG };

struct git_object {
	uint8_t id[REPO_ID_MAX]; /* in */
	enum git_type type;	 /* out */
	uint64_t size;		 /* out */
};

/* Type and size of each (cat-file --batch-check); an object that a partial clone left out is
 * GIT_MISSING and stays so. */
int git_objects_info(const struct repo *repo, struct git_object *objects, size_t n);
/* Content of each object in order (cat-file --batch): fn(i, type, data, len); data NULL,
 * GIT_MISSING for one that is not here. Ask only for what fits in memory.  Non-zero of fn stops and
 * is returned. */
int git_objects_read(const struct repo *repo, const struct git_object *objects, size_t n,
	int (*fn)(size_t i, enum git_type type, const void *data, size_t len, void *arg),
	void *arg);

/* The object that a revision names ("HEAD", "v1.0^{commit}", …).  0; ERR_NOTFOUND "unknown revision
 * 'x'". */
int git_resolve(const struct repo *repo, const char *rev, uint8_t id[static REPO_ID_MAX]);
/* The same; what Git does not know may be the name of an experiment, whose result is meant then
 * (docs/experiments.md; the newest one of that name). */
int git_resolve_state(const struct repo *repo, const char *rev, uint8_t id[static REPO_ID_MAX]);
/* 1 if HEAD is a commit, 0 on an unborn branch. */
int git_has_head(const struct repo *repo);
/* Hex name of the empty tree in this repository's object format.  Borrowed, static. */
const char *git_empty_tree(const struct repo *repo);
/* 1 in a partial clone (some remote is a promisor). */
int git_is_partial(const struct repo *repo);
/* 1 in a shallow clone. */
int git_is_shallow(const struct repo *repo);

#endif
