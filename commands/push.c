/*
 * `git dvx push`: bring objects to the blob remote.  (`git push` does it by itself,
 * hooks/pre_push.c.)
 */
#include "commands/transfer.h"

int cmd_push(struct command_ctx *ctx, int argc, char **argv)
{
	return transfer_command(ctx, argc, argv, BATCH_UPLOAD,
		"git dvx push [<options>] [<revision>...] [<path>...]");
}
