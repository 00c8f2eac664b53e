/*
 * Whole directories: removing, copying and searching whatever stands at a path, be it a file, a
 * link or a tree.  Links are never followed.
 */
#ifndef LIB_BASE_FSTREE_H
#define LIB_BASE_FSTREE_H

#include <stdint.h>

/* Remove what is at `path`, with all below it; directories that are not writable are made so.  0,
 * also when there is nothing, or a negative error that names the place. */
int fstree_remove(const char *path);

/* Make `to`, which must not exist, a copy of `from`: files by reflink or in the kernel, with modes
 * and times; symbolic links as links; directories whole.  0; ERR_UNSUPPORTED: a device, socket or
 * pipe; or a negative error.  On failure a part of the copy may be there. */
int fstree_copy(const char *from, const char *to);

/* The latest change (ctime, in nanoseconds) of `path` and of all below it.  0, ERR_NOTFOUND… */
int fstree_newest(const char *path, int64_t *ctime_ns);
/* 1 if anything in the directory at `path`, at whatever depth, has this name; 0, also when `path`
 * is no directory; or a negative error. */
int fstree_contains(const char *path, const char *name);

#endif
