/*
 * ~/.netrc: user names and passwords by host, as ftp(1), curl and Git know it.
 */
#ifndef TRANSFER_LFS_NETRC_H
#define TRANSFER_LFS_NETRC_H

#include <stddef.h>

#include "transfer/lfs/lfs_credential.h"

/* Find the entry of a host in a file's text; `user` (may be NULL): one for this login only.
 * `use_default`: the entry "default" counts as well.  Names compare without case; the first that
 * fits counts; an entry without login or password fits nobody.  1, 0 if there is none, ERR_INVALID
 * for a value with control bytes, ERR_NOMEM.  Pure. */
int lfs_netrc_find(struct lfs_credential *out, const char *text, size_t len, const char *host,
	const char *user, int use_default);

/* The same in $NETRC, else in ~/.netrc; a file that cannot be read is none. */
int lfs_netrc_lookup(
	struct lfs_credential *out, const char *host, const char *user, int use_default);

#endif
