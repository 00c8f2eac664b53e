/*
 * `git dvx env diff`: environments of runs, side by side.
 */
#ifndef COMMANDS_ENV_DIFF_H
#define COMMANDS_ENV_DIFF_H

#include "commands/command.h"

#define ENV_DIFF_USAGE "git dvx env diff [<options>] [<revision> [<revision>]] [<stage>...]"

enum env_diff_format { ENV_DIFF_TEXT, ENV_DIFF_JSON, ENV_DIFF_MARKDOWN };

/* The operands behind "diff".  What a command returns. */
int env_diff(struct command_ctx *ctx, char *const *operands, int n, enum env_diff_format format);

#endif
