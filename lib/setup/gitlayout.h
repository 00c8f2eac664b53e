/*
 * What a repository's own configuration says about its worktree: core.bare, core.worktree,
 * extensions.worktreeConfig.  As in Git, includes are not followed.
 */
#ifndef LIB_SETUP_GITLAYOUT_H
#define LIB_SETUP_GITLAYOUT_H

struct gitlayout {
	int bare;	  /* -1: not said */
	int per_worktree; /* extensions.worktreeConfig */
	char *worktree;	  /* core.worktree, or NULL */
};

#define GITLAYOUT_INIT                                                                             \
	{                                                                                          \
		-1, 0, NULL                                                                        \
	}

/* Of the repository (in GITLAYOUT_INIT); no configuration is an empty one.  0 or a negative error.
 */
int gitlayout_read(struct gitlayout *l, const char *git_dir, const char *common_dir);
void gitlayout_release(struct gitlayout *l);

#endif
