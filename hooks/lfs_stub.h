/*
 * Git LFS's own hooks, told from what a user wrote around them.
 */
#ifndef HOOKS_LFS_STUB_H
#define HOOKS_LFS_STUB_H

/* 1 if the text is a hook exactly as some version of Git LFS wrote it: "#!/bin/sh", perhaps the
 * line that looks for git-lfs, and the call of `git lfs <name>`, nothing else.  Pure. */
int lfs_stub_is(const char *text, const char *name);

#endif
