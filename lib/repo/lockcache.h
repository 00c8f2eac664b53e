/*
 * What this repository knows about locks without asking (docs/locks.md, "What is known here"):
 * files in "<dvx_dir>/locks/<remote>/", shared by all worktrees, replaced in one rename.
 *
 *   own        our locks: which lockable files are writable
 *   listed     the last whole list from the remote, for `git dvx locks --cached`
 *   verified   the last whole verification: ours and theirs
 */
#ifndef LIB_REPO_LOCKCACHE_H
#define LIB_REPO_LOCKCACHE_H

#include "lib/repo/repo.h"
#include "lib/wire/lfsjson.h"

enum lockcache_kind { LOCKCACHE_OWN, LOCKCACHE_LISTED, LOCKCACHE_VERIFIED };

/* Load (`out` zeroed).  0, also when nothing is known; ERR_CORRUPT for a damaged file, with what to
 * do; ERR_IO. */
int lockcache_load(struct lfs_lock_page *out, const struct repo *repo, const char *remote,
	enum lockcache_kind kind);
/* Our locks on all remotes. */
int lockcache_load_own(struct lfs_lock_list *out, const struct repo *repo);

/* We have this lock (in place of another one of the same path). */
int lockcache_add(const struct repo *repo, const char *remote, const struct lfs_lock *lock);
/* We have it no longer: by id. */
int lockcache_forget(const struct repo *repo, const char *remote, const char *id);
/* Keep what a remote said: LOCKCACHE_LISTED, or LOCKCACHE_VERIFIED, whose `ours` is LOCKCACHE_OWN
 * from now on. */
int lockcache_save(const struct repo *repo, const char *remote, enum lockcache_kind kind,
	const struct lfs_lock_page *page);

#endif
