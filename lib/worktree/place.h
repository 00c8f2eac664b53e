/*
 * Writing below the worktree, safely: no step through a symbolic link, nothing outside, nothing
 * inside ".git", no truncation in place.  A file is replaced only if it still is what the caller
 * says it is, and the check and the replacement are one step (renameat2 RENAME_EXCHANGE, looked at
 * afterwards, undone if somebody was faster).
 */
#ifndef LIB_WORKTREE_PLACE_H
#define LIB_WORKTREE_PLACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/base/buf.h"

struct place;

/* `worktree` is its top; temporary files lie in `staging` (made if needed; "<git_dir>/dvx/tmp")
 * when that is on the same file system, else beside the target; what killed processes left there is
 * removed.  Thread-safe after opening. */
int place_open(struct place **out, const char *worktree, const char *staging);
void place_close(struct place *p);

/* For tests: do as if the system could not do this. */
enum {
	PLACE_NO_OPENAT2 = 1,
	PLACE_NO_EXCHANGE = 2, /* RENAME_EXCHANGE */
	PLACE_NO_CROSSING = 4, /* renames out of the staging directory (another mount) */
	PLACE_NO_STAGING = 8   /* staging on this file system */
};
void place_pretend(struct place *p, int lacks);

/* 1 if `path` may be written: relative, no empty, "." or ".." component, no component that is
 * ".git" (in any case, nor its HFS+/NTFS disguises). */
int place_path_ok(const char *path);

/* A new file that will replace `path`. */
struct place_file {
	int fd; /* to be filled by the caller, who may close it (and set it to -1) before the swap
		 */
	struct buf temp; /* its name for now */
	int beside; /* temp is a path below the worktree, not a name in the staging directory */
	int linked; /* a hard link: its mode is not touched, its time only where it is too young */
};
#define PLACE_FILE_INIT                                                                            \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Create the temporary file for `path`.  0; ERR_DENIED: not place_path_ok; ERR_NOTFOUND: its
 * directory is gone; ERR_CHANGED: a symbolic link is on the way; ERR_IO… */
int place_begin(struct place *p, const char *path, struct place_file *f);
/* The same, but `make` creates the file: it is called with the directory and the name, which is
 * free.  Its mode is then left alone, and its time where it is older (it may be a link).  0 or what
 * `make` returned. */
int place_begin_with(struct place *p, const char *path, struct place_file *f,
	int (*make)(int dir_fd, const char *name, void *data), void *data);
/* Swap it in if the file at `path` is a regular file whose whole content is `expect` (then its
 * permission bits are taken over and the old file is removed). `mtime_ns` >= 0 sets the
 * modification time first.  *st is the lstat of the new file in place.  0; ERR_CHANGED: the file is
 * something else now, left untouched; ERR_NOTFOUND: it is gone (with its directory, perhaps). In
 * every case f is finished. */
int place_swap(struct place *p, const char *path, struct place_file *f, const void *expect,
	size_t expect_len, int64_t mtime_ns, struct stat *st);
/* Give up. */
void place_abort(struct place *p, struct place_file *f);

/* ---- files that are the program's own: outputs of stages ---- */

/* Make the directories above `path`, through no link.  0; ERR_CHANGED: a link or a file is in the
 * way; ERR_DENIED, ERR_IO… */
int place_parents(struct place *p, const char *path);
/* Put the file at `path`, whatever file or link is there; its modes are those of a new
 * file.  *st is the lstat of the new file.  0; ERR_CHANGED: a directory is in the way; ERR_IO…  In
 * every case f is finished. */
int place_put(
	struct place *p, const char *path, struct place_file *f, int executable, struct stat *st);
/* Make `path` a symbolic link, whatever file or link is there; *st is its lstat. */
int place_put_link(struct place *p, const char *path, const char *target, struct stat *st);
/* Remove the file, link or empty directory at `path`; 0 also when there is none.  ERR_CHANGED: a
 * directory that is not empty. */
int place_remove(struct place *p, const char *path);

/* Open a file below the worktree for reading, following no link.  Descriptor or negative error
 * (ERR_CHANGED: there is a link). */
int place_open_read(struct place *p, const char *path);
/* lstat below the worktree, following no link on the way.  0 or negative error. */
int place_lstat(struct place *p, const char *path, struct stat *st);

/* Remove what killed processes left in a staging directory (files whose owner's lock is free).  A
 * missing directory is fine. */
int place_sweep(const char *staging);

#endif
