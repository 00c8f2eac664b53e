/*
 * Stand-ins for what is not linked yet; each gives way to the real one (weak).  To be removed.
 */
#include "lib/base/err.h"
#include "transfer/remote.h"
#include "transfer/subcommands.h"

#include <stdio.h>

#define WEAK __attribute__((weak))

static int not_yet(const struct remote_spec *spec)
{
	return err_set(ERR_UNSUPPORTED, "remote '%s' (%s) is of a kind that this build has not",
		spec->name, spec->url);
}

WEAK int remote_s3_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	(void)context;
	*out = NULL;
	return not_yet(spec);
}

WEAK int remote_ssh_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	(void)context;
	*out = NULL;
	return not_yet(spec);
}

WEAK int remote_rclone_open(
	struct remote **out, const struct remote_spec *spec, const struct remote_context *context)
{
	(void)context;
	*out = NULL;
	return not_yet(spec);
}

static int no_command(const char *name)
{
	fprintf(stderr, "error: this build has no '%s'\n", name);
	return 128;
}

#define NO_COMMAND(name)                                                                           \
	WEAK int name##_main(int argc, char **argv)                                                \
	{                                                                                          \
		(void)argc;                                                                        \
		(void)argv;                                                                        \
		return no_command(#name);                                                          \
	}

NO_COMMAND(serve)
NO_COMMAND(probe)
NO_COMMAND(gc)
NO_COMMAND(fsck)
NO_COMMAND(du)
