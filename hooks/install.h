/*
 * Putting Git hooks in place: small sh stubs that call `git-dvx hook <name>`.  What a hook does is
 * in the other files of this folder.  A hook that somebody else put there is never overwritten.
 */
#ifndef HOOKS_INSTALL_H
#define HOOKS_INSTALL_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/repo/repo.h"

/* Outcome, in words for the user. */
struct hooks_result {
	int installed; /* hooks written (0: all were up to date) */
	int removed;
	struct strvec foreign; /* paths of hooks that belong to somebody else, left alone */
};
#define HOOKS_RESULT_INIT                                                                          \
	{                                                                                          \
		0, 0, STRVEC_INIT                                                                  \
	}
void hooks_result_release(struct hooks_result *r);

/* The names, NULL-terminated: pre-commit, pre-push, post-checkout, post-commit, post-merge. */
extern const char *const hooks_names[];

/* Append the directory Git takes the hooks from: core.hooksPath (a relative one from the top of the
 * worktree), else "<common_dir>/hooks". */
int hooks_dir(struct buf *out, const struct repo *repo);
/* Append the stub of a hook. */
int hooks_stub(struct buf *out, const char *name);
enum hooks_flags {
	HOOKS_FORCE = 1,      /* foreign hooks are replaced; the old one is kept as "<name>.old" */
	HOOKS_REPLACE_LFS = 2 /* hooks just as Git LFS writes them are no foreign ones */
};
/* Install all. */
int hooks_install(const struct repo *repo, int flags, struct hooks_result *r);
/* Remove ours. */
int hooks_uninstall(const struct repo *repo, int flags, struct hooks_result *r);
/* Append, for the hook at `path`, what to put into it so that ours runs, too. */
int hooks_chain_text(struct buf *out, const char *path);

#endif
