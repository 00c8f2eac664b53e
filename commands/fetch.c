/*
 * `git dvx fetch`: bring objects from the blob remote into the local store; the work tree is not
 * touched.
 */
#include "commands/transfer.h"

int cmd_fetch(struct command_ctx *ctx, int argc, char **argv)
{
	return transfer_command(ctx, argc, argv, BATCH_DOWNLOAD,
		"git dvx fetch [<options>] [<revision>...] [<path>...]");
}
