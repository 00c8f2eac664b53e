/*
 * JSON output of the commands.
 */
#ifndef COMMANDS_JSON_H
#define COMMANDS_JSON_H

#include "lib/wire/json.h"

/* Print to stdout (in one line when called by the name git-lfs, as Git LFS does) and free.  0, or
 * ERR_NOMEM and nothing printed. */
int json_print(struct json *j);

#endif
