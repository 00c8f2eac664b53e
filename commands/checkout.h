/*
 * Placing data in the work tree, for `checkout` and the second half of `pull`.
 */
#ifndef COMMANDS_CHECKOUT_H
#define COMMANDS_CHECKOUT_H

#include "commands/command.h"
#include "commands/select.h"
#include "lib/repo/restore.h"

enum checkout_report { CHECKOUT_TEXT, CHECKOUT_JSON, CHECKOUT_SILENT };

/* Restore what `select` chooses of the index, print the summary.  0; COMMAND_NO when some files
 * still are pointers; or a negative error. */
int checkout_run(struct command_ctx *ctx, const struct select *select,
	const struct restore_options *o, enum checkout_report report);

#endif
