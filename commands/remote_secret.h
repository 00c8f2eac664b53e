/*
 * Writing a secret into `.git/config`, so that nobody else on the machine sees it.
 */
#ifndef COMMANDS_REMOTE_SECRET_H
#define COMMANDS_REMOTE_SECRET_H

#include "lib/repo/repo.h"
#include "lib/setup/config.h"

/* Set `key` ("dvx-remote.<name>.<variable>") to `value`, which never is in a command line.  The
 * file is for its owner alone afterwards, unless core.sharedRepository shares it: then that is said
 * on stderr.  0; ERR_LOCKED (another Git writes it), ERR_IO, ERR_REMOTE… */
int remote_secret_set(
	const struct repo *repo, const struct config *c, const char *key, const char *value);

#endif
