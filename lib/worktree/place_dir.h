/*
 * Opening below a directory without following any link: openat2(2), or one component at a time
 * where the kernel (or a sandbox) does not have it.
 */
#ifndef LIB_WORKTREE_PLACE_DIR_H
#define LIB_WORKTREE_PLACE_DIR_H

#include <stdatomic.h>
#include <stddef.h>

struct place_dir {
	int fd;		       /* O_PATH of the directory */
	atomic_int by_walking; /* openat2 was refused: walk */
};

/* Open `path` (relative, place_path_ok) with these flags, O_NOFOLLOW and O_CLOEXEC added.
 * Descriptor or -1 with errno; ELOOP: there is a symbolic link on the way or at its end. */
int place_dir_open(struct place_dir *d, const char *path, int flags);
/* Open the directory that holds `path`, for *at() calls only (O_PATH). */
int place_dir_open_parent(struct place_dir *d, const char *path);
/* What follows the last slash. */
const char *place_dir_base(const char *path);

#endif
