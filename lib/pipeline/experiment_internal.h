/*
 * What the parts of experiment.h share: trees of the worktree, commits with recipes, the worktrees
 * of runs.
 */
#ifndef LIB_PIPELINE_EXPERIMENT_INTERNAL_H
#define LIB_PIPELINE_EXPERIMENT_INTERNAL_H

#include "lib/pipeline/experiment.h"

#define EXP_REFS_DONE	     "refs/dvx/exps/"
#define EXP_REFS_QUEUE	     "refs/dvx/exps-queue/"
#define EXP_REFS_FAILED	     "refs/dvx/exps-failed/"
#define EXP_REFS_OVERWRITTEN "refs/dvx/exps-overwritten/"

enum { EXP_NAME_MAX = 200 };

/* ---- experiment_index.c: trees without touching the user's index ---- */

/* Run Git with another index (NULL: the user's); otherwise as git_run. */
int exp_git(const struct repo *repo, const char *index, const void *input, size_t input_len,
	struct buf *out, ...) __attribute__((sentinel));
/* Run Git where it changes what is the user's: refs, the list of worktrees.  It completes also when
 * this process's group is killed, for what a killed Git leaves (packed-refs.lock, a worktree
 * without a HEAD) is in the way of the user's own commands.  It inherits a lock (0: none). */
int exp_git_whole(const struct repo *repo, int lock, const void *input, size_t input_len, ...)
	__attribute__((sentinel));
/* Make a copy of the index, with all changes of tracked files added.  `path` receives its name;
 * exp_index_remove it, whatever is returned. */
int exp_index_copy(struct buf *path, const struct repo *repo);
void exp_index_remove(struct buf *path);
/* Add these paths (from the top, taken literally), ignored ones too. */
int exp_index_add(const struct repo *repo, const char *index, const struct strvec *paths);
/* Add the files that make a pipeline what it is and that Git does not know: new ones are easily
 * forgotten when the first experiment is made. */
int exp_index_add_pipeline(const struct repo *repo, const char *index);
/* Append the hex name of the tree that an index is. */
int exp_index_tree(struct buf *out, const struct repo *repo, const char *index);
/* Split what a Git command printed with -z. */
int exp_split(struct strvec *out, const struct buf *text);

/* ---- experiment_recipe.c: the text of commits ---- */

int exp_recipe_format(
	struct buf *out, const char *name, const char *message, const struct experiment_recipe *r);
int exp_recipe_parse(struct experiment_recipe *r, const char *message);
void exp_recipe_release(struct experiment_recipe *r);

/* Commit a tree upon `base`; `out` receives the hex name.  Objects of the store that are new in it
 * are durable then. */
int exp_commit(struct buf *out, const struct repo *repo, struct store *s, const char *tree,
	const char *base, const struct buf *message);

/* ---- experiment_set.c ---- */

/* Pure: change the text of a file by "key=value", "+key=value" or "++key=value". */
int exp_set_apply(struct buf *text, const char *file, const char *assignment);
/* Pure: "[file:]key=value": where the file's name ends (0: none is given). */
size_t exp_set_file_length(const char *set);

/* ---- experiment_name.c ---- */

/* 0 or ERR_INVALID. */
int exp_name_check(const struct repo *repo, const char *name);
/* Append two words. */
int exp_name_invent(struct buf *out);

/* ---- experiment_work.c: locks and worktrees ---- */

/* A worktree is called so, with the experiment's name behind: Git's entry for it, whose name it
 * begins, is then known to be ours also when there is nothing in it yet. */
#define EXP_WORK_PREFIX "dvx-exp-"

/* A run in progress; EXP_WORK_INIT. */
struct exp_work {
	int log;	  /* descriptor of the log: holding it is the lock; -1 */
	struct buf dir;	  /* the worktree */
	struct gitdir g;  /* of that worktree; owned */
	struct repo repo; /* a view of it, with the user's configuration; Git inherits the lock */
};
#define EXP_WORK_INIT                                                                              \
	{                                                                                          \
		.log = -1                                                                          \
	}

/* Take the lock of a name.  0, ERR_LOCKED. */
int exp_work_lock(struct exp_work *w, const struct repo *repo, const char *name);
/* 1 if somebody has it. */
int exp_work_is_locked(const struct repo *repo, const char *name);
/* Check this commit out into a worktree; w->dir, g and repo are set. */
int exp_work_checkout(
	struct exp_work *w, const struct repo *repo, const char *name, const char *commit);
/* Remove the worktree, give the lock back. */
void exp_work_end(struct exp_work *w, const struct repo *repo);
/* Append "<common_dir>/dvx/exps". */
int exp_work_root(struct buf *out, const struct repo *repo);

#endif
