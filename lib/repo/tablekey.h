/*
 * Which columns of a table identify its rows, as the repository declares it: by the attribute
 * `dvx-key` of the path, else by "dvx-table.<pattern>.key" of the configuration, which .dvxconfig
 * may set (docs/config.md).
 */
#ifndef LIB_REPO_TABLEKEY_H
#define LIB_REPO_TABLEKEY_H

#include <stddef.h>

#include "lib/repo/repo.h"

/* Of each path (from the top) the names of its key's columns, comma-separated, for the caller to
 * free(); "": rows have no key; NULL: nothing is declared, it is to be detected.  One question to
 * Git for all.  On failure nothing is left to free. */
int tablekey_find(char **out, const struct repo *repo, const char *const *paths, size_t n);
/* Of a key that was found, but is none: add to the present message where it is declared; returns
 * `code` unchanged. */
int tablekey_blame(int code, const struct repo *repo, const char *path);

#endif
