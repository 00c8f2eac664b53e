/*
 * Where a blob remote's settings are kept: `.dvxconfig` for what the team shares, `.git/config` for
 * what is this clone's and for every secret.  Names and URLs are checked before they are written.
 */
#ifndef COMMANDS_REMOTE_CONFIG_H
#define COMMANDS_REMOTE_CONFIG_H

#include "lib/base/buf.h"
#include "lib/repo/repo.h"

enum remote_where { REMOTE_SHARED, REMOTE_LOCAL };
#define REMOTE_SHARED_FILE ".dvxconfig"

/* 0, or ERR_INVALID: letters, digits, '.', '_', '-', not beginning with a dash or a dot. */
int remote_name_check(const char *name);

/* Set (value NULL: remove, fine when it isn't there) a key. */
int remote_config_set(
	const struct repo *repo, enum remote_where where, const char *key, const char *value);
/* 1 if this key is set there, 0 if not, or negative. */
int remote_config_has_key(const struct repo *repo, enum remote_where where, const char *key);
/* 1 if the remote has settings there, 0 if not, or negative. */
int remote_config_has(const struct repo *repo, enum remote_where where, const char *name);
/* 1 if this file makes the remote the default, 0 if not, or negative. */
int remote_config_has_default(const struct repo *repo, enum remote_where where, const char *name);
/* Rename the section (new_name NULL: remove it). */
int remote_config_move(
	const struct repo *repo, enum remote_where where, const char *name, const char *new_name);

/* `.dvxconfig` goes on as it was: when it was staged or committed as it is, the changed one is
 * staged, too. */
int remote_shared_begin(const struct repo *repo, int *restage);
int remote_shared_end(const struct repo *repo, int restage);

/* Keep a blob store inside the worktree out of commits: unless some rule ignores it already, a line
 * goes to ".git/info/exclude".  1 and the line in `line` if it was added, 0 if not needed. */
int remote_exclude(const struct repo *repo, const char *path, struct buf *line);

#endif
