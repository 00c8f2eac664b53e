/*
 * What the functions of this layer need to know of the repository they work in: a view of what
 * lib/setup found.
 */
#ifndef LIB_REPO_REPO_H
#define LIB_REPO_REPO_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"

/* A value; all pointers are borrowed and must outlive it. */
struct repo {
	const struct gitdir *dir;
	const struct config *config;
	int hash_len; /* bytes of a Git object name: 20 or 32 */
	int keep_fd;  /* what Git is started with here inherits this, too: a lock; 0: none */
};

/* 0; ERR_UNSUPPORTED for an object format that we do not know. */
int repo_init(struct repo *out, const struct gitdir *g, const struct config *c);

/* REPO_HEX_SHOWN: so many digits of a commit are shown where people read, as Git does. */
enum { REPO_ID_MAX = 32, REPO_HEX_MAX = 64, REPO_HEX_SHOWN = 7 };

/* Lower-case hex of an object name, NUL-terminated. */
void repo_id_hex(char out[static REPO_HEX_MAX + 1], const struct repo *r, const uint8_t *id);
/* Exactly 2 * hash_len characters [0-9a-f] are read; the rest of `out` becomes 0.  0 or
 * ERR_INVALID. */
int repo_id_parse(uint8_t out[static REPO_ID_MAX], const struct repo *r, const char *hex);

/* 1 for the name that stands for no object. */
int repo_id_is_zero(const uint8_t *id);

/* Turn a path as the user typed it in the current directory into one from the top of the worktree
 * ("." there is ""):
 * "../x", "./", doubled slashes and absolute paths are resolved textually.  Appends.  0;
 * ERR_INVALID for a path outside of the worktree. */
int repo_path(struct buf *out, const struct repo *r, const char *typed);
/* The other way: append a path from the top as it is seen from the current directory. */
int repo_relative(struct buf *out, const struct repo *r, const char *path);

/* Call fn with the Git directory of each worktree: the main one's, and those below "worktrees".
 * Returns its first value that is not 0, or a negative error. */
int repo_each_git_dir(
	const struct repo *repo, int (*fn)(const char *git_dir, void *data), void *data);

#endif
