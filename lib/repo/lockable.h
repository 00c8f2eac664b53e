/*
 * Lockable files: what the attribute `lockable` covers is read-only in the worktree unless we hold
 * its lock (docs/locks.md, "Lockable files").  The index learns the new stat data together with the
 * change of mode, so that Git does not look into the files again.
 */
#ifndef LIB_REPO_LOCKABLE_H
#define LIB_REPO_LOCKABLE_H

#include "lib/base/strvec.h"
#include "lib/repo/repo.h"

/* 1 unless lfs.setlockablereadonly or GIT_LFS_SET_LOCKABLE_READONLY says no. */
int lockable_enabled(const struct repo *repo);
/* 1 if lockable_enabled and some file of attributes has the word `lockable`; 0; negative error.
 * No process is started. */
int lockable_any(const struct repo *repo);

/* For each of these paths (from the top; NULL: all tracked files): read-only if lockable and not
 * locked by us, writable if lockable and locked.  What is no regular file, missing, or behind a
 * symbolic link is left alone.  Does nothing when not lockable_any().  The number of files that
 * changed, or a negative error. */
int lockable_apply(const struct repo *repo, const struct strvec *paths);
/* Make these files writable, lockable or not: they have been locked by us.  With dvx.link=hardlink
 * a file gets bytes of its own first.  As above. */
int lockable_release(const struct repo *repo, const struct strvec *paths);
/* Tracked files that match a pathspec: modes after the attribute was given (lockable_apply) or
 * taken away (those that are not lockable any more become writable). */
int lockable_pathspec(const struct repo *repo, const char *pathspec, int lockable);

#endif
