/*
 * Where are we: the Git directory, the common directory of worktrees, the top of the worktree, the
 * index - found as Git finds them, without starting Git.  Environment first (GIT_DIR,
 * GIT_WORK_TREE, GIT_COMMON_DIR, GIT_INDEX_FILE, GIT_CEILING_DIRECTORIES), then upwards from the
 * current directory. Who owns the repository (safe.directory) is not checked here: Git refuses
 * before it starts one of our filters or hooks, and config_load() asks Git.
 */
#ifndef LIB_SETUP_GITDIR_H
#define LIB_SETUP_GITDIR_H

#include <stddef.h>

struct gitdir {
	char *git_dir;	  /* absolute; of this worktree (".git/worktrees/x" in a linked one) */
	char *common_dir; /* absolute; shared by all worktrees; == git_dir in the main one */
	char *worktree;	  /* absolute top of the working tree, NULL in a bare repository */
	char *index;	  /* absolute path of the index file (GIT_INDEX_FILE honoured) */
	char *prefix;  /* current directory below the worktree, "" at its top, "a/b/" inside; NULL
			  when outside */
	char *dvx_dir; /* "<common_dir>/dvx": our own state, shared by worktrees */
};

/* 0; ERR_NOTFOUND "not a git repository (or any of the parent directories)"; ERR_INVALID for a
 * broken ".git" file. */
int gitdir_discover(struct gitdir **out);
void gitdir_free(struct gitdir *g);
/* Free what a struct of the caller's own holds; it is zeroed. */
void gitdir_release(struct gitdir *g);

/* The common Git directory (absolute) of the repository at `path`, which is bare or has a ".git"
 * directory or file; neither the environment nor the directories above count.  *out is yours.  0 or
 * ERR_NOTFOUND. */
int gitdir_of_path(char **out, const char *path);

#endif
