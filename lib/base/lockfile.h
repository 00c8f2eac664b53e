/*
 * Two kinds of lock.  `lockfile` is Git's: "<path>.lock", created O_EXCL, written, and renamed over
 * <path>; it is respected by every Git program, and survives a crash as a stale file.  `flock` is
 * ours for our own files: the kernel drops it with the process, so it is never stale.
 */
#ifndef LIB_BASE_LOCKFILE_H
#define LIB_BASE_LOCKFILE_H

#include "lib/base/buf.h"

struct lockfile {
	struct buf path; /* "<file>.lock" */
	size_t file_len; /* path.p[0..file_len) is <file> */
	int fd;		 /* open for reading and writing while held, -1 otherwise */
};

#define LOCKFILE_INIT                                                                              \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Take "<path>.lock", trying again for up to `timeout_ms` milliseconds.  0; ERR_LOCKED when
 * somebody holds it to the end; ERR_IO…  The file is created with `mode` & ~umask. */
int lockfile_take(struct lockfile *l, const char *path, int mode, int timeout_ms);
/* Close and rename over <path>.  On failure the lock is rolled back and <path> is as before. */
int lockfile_commit(struct lockfile *l);
/* Remove the lock if held.  Fine at any time. */
void lockfile_rollback(struct lockfile *l);

/* Open (creating) `path` and flock it exclusively, waiting up to timeout_ms (-1: for ever, 0: try
 * once). The descriptor (close it to unlock), ERR_LOCKED, or ERR_IO. */
int flock_take(const char *path, int timeout_ms);
/* The same, making the directories above it first. */
int flock_take_mkdirs(const char *path, int timeout_ms);

#endif
