/*
 * What `git-lfs-authenticate PATH OPERATION` prints on a Git host (Git LFS's
 * docs/api/authentication.md): where the server's API is, and headers that open it for a while.
 */
#ifndef LIB_WIRE_LFSAUTH_H
#define LIB_WIRE_LFSAUTH_H

#include "lib/wire/lfsjson.h"

/* The href may be absent (NULL), with headers for the URL that is known anyway.  `now` is what
 * expires_in counts from.  0, ERR_INVALID, ERR_LIMIT, ERR_NOMEM.  Pure. */
int lfsauth_parse(struct lfs_action *out, const char *text, size_t len, int64_t now);
/* Fine on a zeroed struct. */
void lfsauth_release(struct lfs_action *a);

#endif
