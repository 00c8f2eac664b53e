/*
 * The resolved configuration: Git's own (all scopes, `git -c` included), then the allow-listed keys
 * of
 * `.dvxconfig`, then those of `.lfsconfig`; what the user's Git configuration says wins over files
 * in the tree.  docs/config.md lists the keys.
 *
 * Reading it costs one `git config --list`; therefore the result is kept in
 * "<git_dir>/dvx/config-snapshot" and trusted while the stat data of every file it came from is
 * unchanged (and neither GIT_CONFIG_PARAMETERS nor GIT_CONFIG_COUNT is set): then it is one open,
 * one read and a few stats.
 */
#ifndef LIB_SETUP_CONFIG_H
#define LIB_SETUP_CONFIG_H

#include <stdint.h>

#include "lib/setup/gitdir.h"

struct config;

/* Load for a repository (`g` borrowed while loading).  0, ERR_INVALID (a file that Git refuses;
 * message names it), ERR_IO. */
int config_load(struct config **out, const struct gitdir *g);
/* The same for who must not fail because a file of the tree is broken (a checkout in the middle of
 * a merge): a `.dvxconfig` or `.lfsconfig` that cannot be parsed counts as absent, and
 * config_refused() says so. */
int config_load_tolerant(struct config **out, const struct gitdir *g);
/* Load without a repository: system and global files only. */
int config_load_global(struct config **out);
void config_free(struct config *c);

/* The last value of a key ("section.sub.key": section and key compared without case, as Git
 * normalises them; the subsection with case), NULL when unset.  A key without "=" has the value
 * "true".  Borrowed. */
const char *config_get(const struct config *c, const char *key);
/* The same without the files of the tree: what whoever wrote those must not decide. */
const char *config_get_own(const struct config *c, const char *key);
/* Git's booleans; `fallback` when unset or unreadable. */
int config_bool(const struct config *c, const char *key, int fallback);
/* Bytes of Git's object ids in this repository, by extensions.objectformat: 20 (SHA-1) or 32
 * (SHA-256); ERR_UNSUPPORTED for another format. */
int config_hash_len(const struct config *c);
/* Integers and sizes with k, m, g. */
int64_t config_int(const struct config *c, const char *key, int64_t fallback);
/* Every value in order, first to last: returns at the first non-zero return of fn. */
int config_each(const struct config *c, int (*fn)(const char *key, const char *value, void *data),
	void *data);
/* The same without the files of the tree. */
int config_each_own(const struct config *c,
	int (*fn)(const char *key, const char *value, void *data), void *data);
/* Keys of `.dvxconfig`/`.lfsconfig` that are not on the allow-list, "<file>: <key>", comma
 * separated; NULL if none.  For the warning. */
const char *config_refused(const struct config *c);

#endif
