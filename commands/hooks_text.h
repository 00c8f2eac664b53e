/*
 * What install, init and update say about hooks.
 */
#ifndef COMMANDS_HOOKS_TEXT_H
#define COMMANDS_HOOKS_TEXT_H

#include "lib/repo/repo.h"

/* Install the hooks and tell the user what was done: on stdout (unless `quiet`), about foreign ones
 * on stderr with the lines that chain ours to them.  0 (also with foreign hooks) or a negative
 * error. */
int hooks_text_install(const struct repo *repo, int force, int quiet);

#endif
