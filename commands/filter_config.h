/*
 * The filter and merge driver in Git's configuration: what `git dvx install` and `init` write.
 */
#ifndef COMMANDS_FILTER_CONFIG_H
#define COMMANDS_FILTER_CONFIG_H

#include "lib/setup/config.h"

/* 1 if this configuration routes filter=dvx to us just as we would write it. */
int filter_config_is_set(const struct config *c);
/* git config's option for the scope that the options --local, --system, --worktree choose; none:
 * "--global".  0, or COMMAND_USAGE for more than one. */
int filter_config_scope(const char **scope, int local, int system, int worktree);
/* Write it.  `scope` is git config's option: "--global", "--local", "--system", "--worktree". Other
 * values that are there already are left, and ERR_EXISTS names them, unless `force`. */
int filter_config_set(const char *scope, int force);
/* Remove it: the sections filter.dvx and merge.dvx.  1, or 0 when there was nothing. */
int filter_config_unset(const char *scope);
/* Warn on stderr when git-dvx-filter could not be started from PATH. */
void filter_config_check_path(void);

#endif
