/*
 * The version of the programs.
 */
#ifndef COMMANDS_VERSION_H
#define COMMANDS_VERSION_H

#include "lib/base/buf.h"

/* Append "git-dvx 0.1.0 (git 2.39.5, linux x86_64)".  0 or a negative error. */
int version_line(struct buf *out);
/* Append Git's: "2.39.5" out of "git version 2.39.5 (…)"; "not found" when there is no Git. */
int version_git(struct buf *out);

#endif
