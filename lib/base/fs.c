/*
 * File helpers of fs.h.  The order write - fsync - rename - fsync(dir) stands in one place,
 * fs_replace_file, and whoever needs it in steps uses the pieces.
 */
#include "lib/base/fs.h"
#include "lib/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

/* After a failed read or write: 1 to try again.  A descriptor that somebody made non-blocking (they
 * are shared with other processes) is waited for, as Git does. */
static int try_again(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (errno == EINTR)
		return 1;
	if (errno != EAGAIN)
		return 0;
	poll(&p, 1, -1);
	return 1;
}

ssize_t fs_read_full(int fd, void *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, (char *)data + got, len - got);

		if (n < 0 && try_again(fd, POLLIN))
			continue;
		if (n < 0)
			return err_sys("read failed");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

ssize_t fs_pread_full(int fd, void *data, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)data + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys("read failed");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int fs_write_full(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && try_again(fd, POLLOUT))
			continue;
		if (n < 0)
			return err_sys("write failed");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fs_pwrite_full(int fd, const void *data, size_t len, uint64_t offset)
{
	const char *p = data;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys("write failed");
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* What is made in a directory that a group shares (group-writable and set-group-ID, as with
 * core.sharedRepository) is shared with the group too, whatever the umask says.  Best effort. */
static void share_directory(const char *path)
{
	const mode_t shared = S_ISGID | S_IWGRP;
	struct buf parent = BUF_INIT;
	struct stat own, above;

	if (fs_dirname(&parent, path) == 0 && stat(parent.p, &above) == 0 &&
		(above.st_mode & shared) == shared && stat(path, &own) == 0 &&
		own.st_gid == above.st_gid)
		(void)!chmod(path, (own.st_mode & 07777) | (above.st_mode & (S_ISGID | S_IRWXG)));
	buf_release(&parent);
}

/* mkdir where an existing directory (or a link to one) is fine and anything else is not. */
static int make_directory(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) == 0) {
		share_directory(path);
		return 0;
	}
	if (errno == EEXIST) {
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	return err_sys("cannot create directory '%s'", path);
}

int fs_mkdirs(const char *path)
{
	char *copy, *p;
	struct stat st;
	int rc = 0;

	if (!*path)
		return err_set(ERR_INVALID, "cannot create a directory without a name");
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	copy = strdup(path);
	if (!copy)
		return err_set(ERR_NOMEM, "out of memory");
	for (p = copy + 1; *p && rc == 0; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		rc = make_directory(copy);
		*p = '/';
	}
	if (rc == 0)
		rc = make_directory(copy);
	free(copy);
	return rc;
}

int fs_mkdirs_parent(const char *path)
{
	struct buf dir = BUF_INIT;
	int rc = fs_dirname(&dir, path);

	if (rc == 0)
		rc = fs_mkdirs(dir.p);
	buf_release(&dir);
	return rc;
}

int fs_fsync(int fd, const char *name)
{
	while (fsync(fd) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EINVAL || errno == ENOTSUP)
			return 0;
		return err_sys("cannot flush '%s' to disk", name);
	}
	return 0;
}

int fs_fsync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_sys("cannot open directory '%s'", path);
	rc = fs_fsync(fd, path);
	close(fd);
	return rc;
}

int fs_fsync_parent(const char *path)
{
	struct buf dir = BUF_INIT;
	int rc = fs_dirname(&dir, path);

	if (rc == 0)
		rc = fs_fsync_dir(dir.p);
	buf_release(&dir);
	return rc;
}

int fs_close(int *fd, const char *name)
{
	int rc = 0;

	if (*fd >= 0 && close(*fd) < 0 && errno != EINTR)
		rc = err_sys("cannot close '%s'", name);
	*fd = -1;
	return rc;
}

int fs_tempfile(struct buf *path, const char *prefix)
{
	static _Atomic unsigned counter;
	unsigned seed = (unsigned)getpid();

	for (int tries = 0; tries < 1000; tries++) {
		struct timespec now;
		int fd, rc;

		clock_gettime(CLOCK_MONOTONIC, &now);
		buf_reset(path);
		rc = buf_addf(path, "%s%u-%x-%x", prefix, seed, (unsigned)now.tv_nsec, counter++);
		if (rc < 0)
			return rc;
		fd = open(path->p, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return err_sys("cannot create '%s'", path->p);
	}
	return err_set(ERR_IO, "cannot find a free temporary name '%s…'", prefix);
}

int fs_unnamed_file(const char *dir)
{
	struct buf prefix = BUF_INIT, path = BUF_INIT;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	fd = buf_addf(&prefix, "%s/dvx-", dir);
	if (fd == 0)
		fd = fs_tempfile(&path, prefix.p);
	if (fd >= 0)
		unlink(path.p);
	buf_release(&prefix);
	buf_release(&path);
	return fd;
}

int fs_replace_file(const char *path, const void *data, size_t len, int durable)
{
	struct buf temp = BUF_INIT, prefix = BUF_INIT;
	int fd = -1, made = 0;
	int rc = buf_addf(&prefix, "%s.tmp-", path);

	if (rc < 0)
		goto done;
	fd = fs_tempfile(&temp, prefix.p);
	if (fd < 0) {
		rc = fd;
		goto done;
	}
	made = 1;
	rc = fs_write_full(fd, data, len);
	if (rc < 0) {
		err_prefix(rc, "cannot write '%s'", path);
		goto done;
	}
	if (durable && (rc = fs_fsync(fd, path)) < 0)
		goto done;
	if ((rc = fs_close(&fd, path)) < 0)
		goto done;
	if (rename(temp.p, path) < 0) {
		rc = err_sys("cannot rename to '%s'", path);
		goto done;
	}
	made = 0;
	if (durable)
		rc = fs_fsync_parent(path);
done:
	if (fd >= 0)
		close(fd);
	if (made)
		unlink(temp.p);
	buf_release(&temp);
	buf_release(&prefix);
	return rc;
}

int fs_reflink(int dst_fd, int src_fd)
{
	if (ioctl(dst_fd, FICLONE, src_fd) == 0)
		return 0;
	return ERR_UNSUPPORTED; /* without a message: an answer, not a failure (see fs.h) */
}

static int copy_by_write(int dst_fd, int src_fd, uint64_t offset, uint64_t done, uint64_t len)
{
	enum { CHUNK = 1 << 20 };
	char *data = malloc(CHUNK);
	int rc = 0;

	if (!data)
		return err_set(ERR_NOMEM, "out of memory");
	while (done < len && rc == 0) {
		size_t want = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
		ssize_t n = fs_pread_full(src_fd, data, want, offset + done);

		if (n < 0)
			rc = (int)n;
		else if (n == 0)
			rc = err_set(ERR_CORRUPT, "source ends after %llu of %llu bytes",
				(unsigned long long)done, (unsigned long long)len);
		else
			rc = fs_pwrite_full(dst_fd, data, (size_t)n, done);
		done += n > 0 ? (uint64_t)n : 0;
	}
	free(data);
	return rc < 0 ? rc : FS_COPY_WRITE;
}

int fs_clone_or_copy(int dst_fd, int src_fd, uint64_t offset, uint64_t len)
{
	struct file_clone_range range = {.src_fd = src_fd, .src_offset = offset, .src_length = len};
	uint64_t done = 0;
	struct stat st;

	if (fstat(src_fd, &st) < 0)
		return err_sys("cannot stat the source");
	if ((uint64_t)st.st_size < offset || (uint64_t)st.st_size - offset < len)
		return err_set(ERR_CORRUPT, "source ends before byte %llu",
			(unsigned long long)(offset + len));
	if (len == 0)
		return FS_COPY_WRITE;
	/* by range also for a whole file: one that grows meanwhile must not bring its new end along
	 */
	if (ioctl(dst_fd, FICLONERANGE, &range) == 0)
		return FS_COPY_REFLINK;
	while (done < len) {
		off64_t in = (off64_t)(offset + done), out = (off64_t)done;
		size_t want =
			len - done < ((uint64_t)1 << 30) ? (size_t)(len - done) : (size_t)1 << 30;
		ssize_t n = copy_file_range(src_fd, &in, dst_fd, &out, want, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
			return err_sys("copy failed");
		if (n <= 0)
			return copy_by_write(dst_fd, src_fd, offset, done, len);
		done += (uint64_t)n;
	}
	return FS_COPY_RANGE;
}

int fs_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int64_t fs_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t fs_mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int64_t fs_ctime_ns(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
}

int fs_dirname(struct buf *out, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return buf_addstr(out, ".");
	return buf_add(out, path, slash == path ? 1 : (size_t)(slash - path));
}

int fs_join(struct buf *out, const char *a, const char *b)
{
	size_t n = strlen(a);

	if (b[0] == '/' || n == 0)
		return buf_addstr(out, b);
	return buf_addf(out, "%s%s%s", a, a[n - 1] == '/' ? "" : "/", b);
}
