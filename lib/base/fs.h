/*
 * Files: whole reads and writes, durable replacement, copies at the speed of the file system.
 * Everything returns 0 or a negative enum err with the path in the message, unless said otherwise.
 */
#ifndef LIB_BASE_FS_H
#define LIB_BASE_FS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/buf.h"

/* Read up to `len` bytes, retrying on EINTR and short reads.  The count (less than len only at end
 * of file), or ERR_IO. */
ssize_t fs_read_full(int fd, void *data, size_t len);
ssize_t fs_pread_full(int fd, void *data, size_t len, uint64_t offset);
/* Write all.  0 or ERR_IO (ENOSPC, EDQUOT… are in the message). */
int fs_write_full(int fd, const void *data, size_t len);
int fs_pwrite_full(int fd, const void *data, size_t len, uint64_t offset);

/* mkdir -p; existing directories are fine.  Modes by umask, and what a directory shares with its
 * group (group-writable, set-group-ID) is passed on. */
int fs_mkdirs(const char *path);
/* mkdir -p of everything before the last '/'. */
int fs_mkdirs_parent(const char *path);

/* fsync an open file, or a directory by path.  EINVAL of odd file systems on directories is not an
 * error. */
int fs_fsync(int fd, const char *name_for_error);
int fs_fsync_dir(const char *path);
int fs_fsync_parent(const char *path);

/* close() whose failure counts (delayed write errors).  Sets *fd = -1. */
int fs_close(int *fd, const char *name_for_error);

/* Create a unique file "<prefix>XXXXXX" O_EXCL|O_CLOEXEC with mode 0666 & ~umask.  `path` receives
 * the name.  The descriptor, or a negative error. */
int fs_tempfile(struct buf *path, const char *prefix);

/* A new file in `dir`, to read and to write, that goes with its descriptor: without a name where
 * the file system can, else one whose name is taken away at once.  The descriptor, or a negative
 * error.
 */
int fs_unnamed_file(const char *dir);

/* Replace `path` with these bytes: temp file beside it, write, (fsync,) rename, (fsync of the
 * directory).  With `durable` 0 the fsyncs are left out. */
int fs_replace_file(const char *path, const void *data, size_t len, int durable);

/* How fs_clone_or_copy got the bytes there. */
enum fs_copy_method { FS_COPY_REFLINK = 1, FS_COPY_RANGE = 2, FS_COPY_WRITE = 3 };

/* Make `dst_fd` (empty, writable) hold the `len` bytes that start at `offset` of src_fd:
 * FICLONE(RANGE), else copy_file_range, else read and write.  A source shorter than that is
 * ERR_CORRUPT. The enum fs_copy_method used, or a negative error. */
int fs_clone_or_copy(int dst_fd, int src_fd, uint64_t offset, uint64_t len);

/* FICLONE of the whole file.  0, or ERR_UNSUPPORTED when the file system cannot (no message cost).
 */
int fs_reflink(int dst_fd, int src_fd);

/* 1 if it exists (lstat), 0 if not. */
int fs_exists(const char *path);
/* Current time of the realtime clock in nanoseconds since 1970. */
int64_t fs_now_ns(void);
/* st_mtim / st_ctim in nanoseconds. */
int64_t fs_mtime_ns(const struct stat *st);
int64_t fs_ctime_ns(const struct stat *st);

/* dirname/basename without modifying: appends the directory part of path to `out` ("." if none). */
int fs_dirname(struct buf *out, const char *path);
/* Append "a/b" (one slash between; b alone if absolute). */
int fs_join(struct buf *out, const char *a, const char *b);

#endif
