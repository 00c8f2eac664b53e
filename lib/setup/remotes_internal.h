/*
 * What the parts of remotes.h share.
 */
#ifndef LIB_SETUP_REMOTES_INTERNAL_H
#define LIB_SETUP_REMOTES_INTERNAL_H

#include "lib/base/buf.h"
#include "lib/setup/gitdir.h"
#include "lib/setup/remotes.h"

/* A URL goes to other programs and into line-based protocols: no options in disguise, no control
 * bytes.  0 or ERR_INVALID. */
int remotes_check_url(const char *url);
/* Git's rule: a path, unless there is a colon before the first slash. */
int remotes_is_local_path(const char *url);
/* Append the path of a file:// URL, percent-decoded.  1, 0 if it is no such URL, negative. */
int remotes_path_of_file_url(struct buf *out, const char *url);
/* Append the absolute path of a local URL.  1, 0 if the URL is not local, negative.  *relative: it
 * was below the worktree. */
int remotes_path_of_url(struct buf *out, const struct gitdir *g, const char *url, int *relative);

#endif
