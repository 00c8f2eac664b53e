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
};

/* 0; ERR_UNSUPPORTED for an object format that we do not know. */
int repo_init(struct repo *out, const struct gitdir *g, const struct config *c);

enum { REPO_ID_MAX = 32, REPO_HEX_MAX = 64 };

/* Lower-case hex of an object name, NUL-terminated. */
void repo_id_hex(char out[static REPO_HEX_MAX + 1], const struct repo *r, const uint8_t *id);
/* Exactly 2 * hash_len characters [0-9a-f] are read; the rest of `out` becomes 0.  0 or
 * ERR_INVALID. */
int repo_id_parse(uint8_t out[static REPO_ID_MAX], const struct repo *r, const char *hex);

/* Turn a path as the user typed it in the current directory into one from the top of the worktree
 * ("." there is ""):
 * "../x", "./", doubled slashes and absolute paths are resolved textually.  Appends.  0;
 * ERR_INVALID for a path outside of the worktree. */
int repo_path(struct buf *out, const struct repo *r, const char *typed);

#endif
