/*
 * One opened repository: where it is, how it is configured, how long its object names are, and (on
 * first use) the local object store.  What every command starts with.
 */
#ifndef LIB_REPO_REPO_H
#define LIB_REPO_REPO_H

#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/store/store.h"

struct repo {
	struct gitdir *dir;
	struct config *config;
	int hash_len;	     /* bytes of a Git object name: 20 or 32 */
	struct store *store; /* NULL until repo_store() */
};

/* Find and open the repository of the current directory.  0; ERR_NOTFOUND outside of one;
 * ERR_UNSUPPORTED for an object format that we do not know. */
int repo_open(struct repo **out);
/* The same, refusing a bare repository: ERR_INVALID "this operation must be run in a work tree". */
int repo_open_worktree(struct repo **out);
/* Closes the store, too.  NULL is fine. */
void repo_free(struct repo *r);

/* The local object store, opened at the first call.  0 or negative; *out is borrowed. */
int repo_store(struct repo *r, struct store **out);

/* 1 if `a` and `b` are the same object name. */
int repo_id_eq(const struct repo *r, const uint8_t *a, const uint8_t *b);
/* Lower-case hex of an object name, NUL-terminated. */
enum { REPO_ID_MAX = 32, REPO_HEX_MAX = 64 };
void repo_id_hex(char out[static REPO_HEX_MAX + 1], const struct repo *r, const uint8_t *id);
/* Exactly 2 * hash_len characters [0-9a-f] are read.  0 or ERR_INVALID. */
int repo_id_parse(uint8_t out[static REPO_ID_MAX], const struct repo *r, const char *hex);

/* Turn a path as the user typed it in the current directory into one from the top of the worktree
 * ("." is ""):
 * "../x", "./", doubled slashes and absolute paths are resolved textually.  Appends.  0;
 * ERR_INVALID for a path outside of the worktree. */
int repo_path(struct buf *out, const struct repo *r, const char *typed);

#endif
