/*
 * What install, init and update say about hooks.
 */
#ifndef COMMANDS_HOOKS_TEXT_H
#define COMMANDS_HOOKS_TEXT_H

#include "lib/repo/repo.h"

/* Install the hooks (`flags`: enum hooks_flags) and tell the user what was done: on stdout (unless
 * `quiet`), about foreign ones on stderr with the lines that chain ours to them.  0 (also with
 * foreign hooks) or a negative error. */
int hooks_text_install(const struct repo *repo, int flags, int quiet);
/* Print what to write into hooks of one's own.  0 or a negative error. */
int hooks_text_manual(void);

#endif
