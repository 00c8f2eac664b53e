/*
 * Git's lock files and the kernel's flock (see lockfile.h).  Nothing is registered for exit:
 * whoever takes a lock has a `done:` label that rolls it back, and a stale lock after a crash is
 * what Git's users know.
 */
#include "lib/base/lockfile.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BACKOFF_MAX_MS = 50, LINKS_MAX = 5 };

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Sleep for 1 to 50 ms, at random so that several waiters do not meet again. */
static void back_off(void)
{
	struct timespec now, pause = {0, 0};
	uint32_t x;

	clock_gettime(CLOCK_MONOTONIC, &now);
	x = (uint32_t)now.tv_nsec ^ (uint32_t)getpid() * 2654435761u;
	x = (x ^ x >> 16) * 0x45d9f3bu;
	pause.tv_nsec = (1 + (x >> 8) % BACKOFF_MAX_MS) * 1000000L;
	nanosleep(&pause, NULL);
}

/* Follow `path` while it is a symbolic link, as Git does: the lock belongs beside the file itself,
 * and the rename must not replace the link. */
static int follow_links(struct buf *path)
{
	char target[PATH_MAX];
	int rc;

	for (int i = 0; i < LINKS_MAX; i++) {
		ssize_t n = readlink(path->p, target, sizeof target - 1);
		const char *slash;

		if (n < 0)
			return 0; /* no link, or nothing there */
		target[n] = '\0';
		slash = strrchr(path->p, '/');
		buf_truncate(path, target[0] != '/' && slash ? (size_t)(slash - path->p) + 1 : 0);
		if ((rc = buf_addstr(path, target)) < 0)
			return rc;
	}
	return err_set(ERR_INVALID, "too many symbolic links at '%s'", path->p);
}

int lockfile_take(struct lockfile *l, const char *path, int mode, int timeout_ms)
{
	int64_t deadline = timeout_ms > 0 ? monotonic_ms() + timeout_ms : 0;
	int rc;

	l->fd = -1;
	buf_reset(&l->path);
	if ((rc = buf_addstr(&l->path, path)) < 0 || (rc = follow_links(&l->path)) < 0)
		return rc;
	l->file_len = l->path.len;
	if ((rc = buf_addstr(&l->path, ".lock")) < 0)
		return rc;
	for (;;) {
		l->fd = open(l->path.p, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
		if (l->fd >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EEXIST)
			return err_sys("cannot create '%s'", l->path.p);
		if (timeout_ms <= 0 || monotonic_ms() >= deadline)
			return err_set(ERR_LOCKED,
				"'%s' exists: another Git process seems to be running; if none is, "
				"remove that file",
				l->path.p);
		back_off();
	}
}

int lockfile_commit(struct lockfile *l)
{
	struct buf file = BUF_INIT;
	int rc;

	if (l->fd < 0)
		return err_set(ERR_INVALID, "the lock is not held");
	rc = buf_add(&file, l->path.p, l->file_len);
	if (rc < 0)
		goto done;
	/* a failed close leaves no descriptor, but the file must go */
	if (close(l->fd) < 0 && errno != EINTR)
		rc = err_sys("cannot close '%s'", l->path.p);
	l->fd = -1;
	if (rc == 0 && rename(l->path.p, file.p) < 0)
		rc = err_sys("cannot rename '%s' to '%s'", l->path.p, file.p);
	if (rc < 0)
		unlink(l->path.p);
done:
	if (rc < 0)
		lockfile_rollback(l);
	else
		buf_release(&l->path);
	buf_release(&file);
	return rc;
}

void lockfile_rollback(struct lockfile *l)
{
	if (l->fd >= 0) {
		close(l->fd);
		unlink(l->path.p);
	}
	l->fd = -1;
	buf_release(&l->path);
}

/* flock() within the time: 0, ERR_LOCKED, ERR_IO. */
static int flock_within(int fd, const char *path, int timeout_ms)
{
	int64_t deadline = monotonic_ms() + (timeout_ms > 0 ? timeout_ms : 0);

	for (;;) {
		if (flock(fd, timeout_ms < 0 ? LOCK_EX : LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_sys("cannot lock '%s'", path);
		if (timeout_ms == 0 || monotonic_ms() >= deadline)
			return err_set(ERR_LOCKED, "'%s' is locked by another process", path);
		back_off();
	}
}

int flock_take(const char *path, int timeout_ms)
{
	for (;;) {
		struct stat mine, there;
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		int rc;

		if (fd < 0)
			return err_sys("cannot open '%s'", path);
		rc = flock_within(fd, path, timeout_ms);
		if (rc < 0) {
			close(fd);
			return rc;
		}
		/* whoever held it may have removed the file: then this lock excludes nobody */
		if (fstat(fd, &mine) == 0 && stat(path, &there) == 0 &&
			mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
			return fd;
		close(fd);
	}
}

int flock_take_mkdirs(const char *path, int timeout_ms)
{
	int rc = fs_mkdirs_parent(path);

	return rc < 0 ? rc : flock_take(path, timeout_ms);
}
