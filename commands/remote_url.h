/*
 * URLs and paths of blob remotes, checked before they are written anywhere.
 */
#ifndef COMMANDS_REMOTE_URL_H
#define COMMANDS_REMOTE_URL_H

#include "lib/base/buf.h"
#include "lib/repo/repo.h"

/* Append the URL or path as it is to be written: a relative path is turned into one from the top of
 * the worktree.  Appended to `inside` (unless NULL) is the path below the worktree, if it lies
 * there.  0; ERR_INVALID for what can't be a remote. */
int remote_url_normalise(
	struct buf *out, struct buf *inside, const struct repo *repo, const char *typed);
/* Append the URL for people: a password in it is left out. */
int remote_url_masked(struct buf *out, const char *url);
/* NULL when this version can transfer to it; else the scheme ("https"). Borrowed, static. */
const char *remote_url_unsupported(const char *url);
/* Append `typed`, seen from directory `prefix` ("a/b/" or ""), as a path from the top: "." and ".."
 * resolved textually, "../x" stays when it leads out.  Pure. */
int remote_path_from_top(struct buf *out, const char *prefix, const char *typed);

#endif
