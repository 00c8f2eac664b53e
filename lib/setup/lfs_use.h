/*
 * Is Git LFS in use in this repository, beside us?  Then every object is kept where Git LFS looks
 * for it.
 */
#ifndef LIB_SETUP_LFS_USE_H
#define LIB_SETUP_LFS_USE_H

#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"

/* 1 if small objects are to be stored whole: dvx.smallObjects says so, or it is unset and Git LFS
 * has been here (lfs.repositoryformatversion is set) or may come (the top .gitattributes has
 * filter=lfs). */
int lfs_use_keeps_small_whole(const struct gitdir *g, const struct config *c);

#endif
