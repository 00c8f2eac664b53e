/*
 * Configuration that travels with the repository: ".dvxconfig" and ".lfsconfig".  Whoever can push
 * can write them, so only keys on an allow-list count (docs/config.md); the rest is named in a list
 * of refused keys.
 */
#ifndef LIB_SETUP_INTREE_H
#define LIB_SETUP_INTREE_H

#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"

/* A key of no file: set to the name of a key of ".dvxconfig" that holds a secret there, when one
 * does. */
#define INTREE_LEAK_KEY "dvx-intree.leak"

/* For whoever is going to use a remote: 0, or ERR_DENIED when a committed file holds a secret, with
 * what to do about it.  (remotes_resolve asks this itself.) */
int intree_check_leak(const struct config *c);

/* For a directory remote that a committed file may have named: ERR_DENIED if its path leads into a
 * '.git', with what to do. */
int intree_check_place(const char *name, const char *path);

/* The password in "scheme://user:password@host": its length, and *at where it begins; 0 if none. */
size_t intree_url_secret(const char *url, size_t *at);

/* Append the allowed settings to `pairs` (key, value, key, value…; no key is allowed in both files)
 * and
 * "<file>: <key>, …" of the others to `refused`.  A file comes from the worktree, else from the
 * index, else from HEAD.  0 when all that was found was in the worktree, 1 when something came from
 * the index or HEAD, ERR_INVALID for a file that cannot be parsed (file and line in the message).
 */
int intree_load(struct strvec *pairs, struct buf *refused, const struct gitdir *g);

/* Parse one such file's text; `name` is ".dvxconfig" or ".lfsconfig".  0 or negative. */
int intree_parse(
	struct strvec *pairs, struct buf *refused, const char *name, const char *text, size_t len);

#endif
