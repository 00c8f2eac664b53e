/*
 * What a running Git was started for, by its command line.  Pure.
 */
#ifndef LIB_BASE_GITCOMMAND_H
#define LIB_BASE_GITCOMMAND_H

#include <stddef.h>

enum gitcommand {
	GITCOMMAND_OTHER = 0,
	GITCOMMAND_SHOWS, /* shows differences or text, and never writes content anywhere else */
	GITCOMMAND_BLAMES /* the same, and cleans what it has converted to text */
};

/* `cmdline`: arguments ended by NUL each, as in /proc/PID/cmdline.  What cannot be understood, or
 * is cut, is GITCOMMAND_OTHER. */
enum gitcommand gitcommand_of(const char *cmdline, size_t len);

/* 1 if it is one that merges into the worktree (merge, rebase, cherry-pick…), else 0: also for
 * `git merge-tree`. */
int gitcommand_merges(const char *cmdline, size_t len);

#endif
