/*
 * The filters and the merge driver in Git's configuration: what `git dvx install` and `init` write.
 */
#ifndef COMMANDS_FILTER_CONFIG_H
#define COMMANDS_FILTER_CONFIG_H

#include "lib/base/buf.h"
#include "lib/setup/config.h"

enum filter_config_flags {
	FILTER_CONFIG_DVX = 1,	       /* filter.dvx, merge.dvx */
	FILTER_CONFIG_LFS = 2,	       /* filter.lfs, taken over from Git LFS */
	FILTER_CONFIG_SKIP_SMUDGE = 4, /* pointers stay in the work tree until they are asked for */
	FILTER_CONFIG_FORCE = 8	       /* whatever is set is replaced */
};

/* 1 if this configuration routes filter=dvx to us just as we would write it. */
int filter_config_is_set(const struct config *c);
/* 1 if filter=lfs is routed to us. */
int filter_config_owns_lfs(const struct config *c);
/* Append git config's option for the scope that the options --local, --system, --worktree and
 * --file choose; none: "--global".  0, or COMMAND_USAGE for more than one. */
int filter_config_scope(struct buf *scope, int local, int system, int worktree, const char *file);
/* Write it there.  Values that are neither ours nor Git LFS's are left, and ERR_EXISTS names them,
 * unless FILTER_CONFIG_FORCE. */
int filter_config_set(const char *scope, int flags);
/* Bring up to date what an earlier version wrote there; `c` saves looking when there is nothing. */
int filter_config_renew(const char *scope, const struct config *c);
/* Remove the sections of FILTER_CONFIG_DVX and FILTER_CONFIG_LFS; of the latter only if it is ours,
 * or with FILTER_CONFIG_FORCE.  1, or 0 when there was nothing. */
int filter_config_unset(const char *scope, int flags);
/* Warn on stderr when git-dvx-filter could not be started from PATH. */
void filter_config_check_path(void);

#endif
