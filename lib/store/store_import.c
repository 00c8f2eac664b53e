/*
 * Content that lies in a file: from the worktree, or an object file of another store.  The file
 * system's own means first (a link, shared blocks), then a copy; hashed in any case, in the same
 * pass when there is one.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Sharing blocks and then hashing the original relies on the original's timestamps telling of any
 * change: that needs the last change to be older than a tick of the clock they are taken from. */
int store_settle(int fd, struct stat *st)
{
	for (int tries = 0; tries < 3; tries++) {
		int64_t age;
		struct timespec wait = {0};

		if (fstat(fd, st) < 0)
			return err_sys("cannot stat the file");
		if (!S_ISREG(st->st_mode))
			return err_set(ERR_INVALID, "not a regular file");
		age = fs_now_ns() - fs_ctime_ns(st);
		if (age < 0 || age >= STORE_SETTLE_NS)
			return 0;
		wait.tv_nsec = STORE_SETTLE_NS - age;
		nanosleep(&wait, NULL);
	}
	return err_set(ERR_CHANGED, "the file is being written");
}

static int put_small_file(
	struct store *s, int fd, const struct stat *st, const struct oid *expect, struct oid *oid)
{
	size_t len = (size_t)st->st_size;
	struct buf content = BUF_INIT;
	ssize_t n;
	int rc = buf_grow(&content, len + 1);

	if (rc < 0)
		return rc;
	n = fs_pread_full(fd, content.p, len + 1, 0);
	if (n < 0)
		rc = (int)n;
	else if ((size_t)n != len || !store_same_stat(st, fd))
		rc = err_set(ERR_CHANGED, "the file changed while it was read");
	if (rc == 0) {
		oid_of(oid, content.p, len);
		rc = store_expected(expect, oid);
	}
	if (rc == 0)
		rc = store_put_small(s, content.p, len, oid);
	buf_release(&content);
	return rc;
}

/* Clone or copy `fd` to a temporary file and hash it; then put that in place. */
static int put_large_file(struct store *s, int fd, const struct stat *before,
	const struct oid *expect, struct oid *oid)
{
	struct whole_pass pass = {.dst_fd = -1};
	struct stat st = *before;
	struct buf temp = BUF_INIT;
	struct sums sums = {0};
	int to = whole_temp(s, &temp), rc = to;

	if (to < 0)
		goto done;
	if (fs_reflink(to, fd) < 0) {
		pass.dst_fd = to;
		pass.to_store = 1;
		rc = 0;
	} else {
		rc = store_settle(fd, &st);
		if (rc == 0 && fs_reflink(to, fd) < 0) /* again: what was settled */
			rc = err_sys("cannot clone the file");
	}
	if (rc == 0)
		rc = whole_read(fd, (uint64_t)st.st_size, &pass, oid, &sums);
	if (rc == 0 && !store_same_stat(&st, fd))
		rc = err_set(ERR_CHANGED, "the file changed while it was read");
	if (rc == 0)
		rc = store_expected(expect, oid);
	if (rc == 0)
		rc = whole_commit(s, &temp, &to, oid, (uint64_t)st.st_size, &sums);
done:
	whole_abort(&temp, &to);
	buf_release(&temp);
	sums_release(&sums);
	return rc < 0 ? rc : 0;
}

int store_put_file(
	struct store *s, int fd, const struct oid *expect, struct oid *oid, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys("cannot stat the file");
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_INVALID, "not a regular file");
	*size = (uint64_t)st.st_size;
	if (*size <= STORE_SMALL_MAX)
		return put_small_file(s, fd, &st, expect, oid);
	return put_large_file(s, fd, &st, expect, oid);
}

/* ---- from another store ---- */

/* A second name for the file: 0, or ERR_UNSUPPORTED when there must be a copy. */
static int import_link(
	struct store *s, const char *path, int fd, const struct stat *st, const struct oid *oid)
{
	struct whole_pass pass = {.dst_fd = -1};
	struct buf temp = BUF_INIT;
	struct sums sums = {0};
	struct stat linked;
	struct oid found;
	int unused = whole_temp(s, &temp), mine = -1, rc;

	if (unused < 0) {
		rc = unused;
		goto done;
	}
	close(unused); /* its name is what we want */
	unlink(temp.p);
	if (linkat(AT_FDCWD, path, AT_FDCWD, temp.p, 0) < 0) {
		rc = err_set(ERR_UNSUPPORTED, "no link possible");
		buf_reset(&temp);
		goto done;
	}
	mine = dup(fd);
	if (lstat(temp.p, &linked) < 0 || linked.st_ino != st->st_ino || mine < 0) {
		rc = err_set(ERR_CHANGED, "'%s' changed while it was linked", path);
		goto done;
	}
	rc = whole_read(fd, (uint64_t)st->st_size, &pass, &found, &sums);
	if (rc == 0)
		rc = store_expected(oid, &found);
	if (rc == 0)
		rc = whole_commit(s, &temp, &mine, oid, (uint64_t)st->st_size, &sums);
done:
	whole_abort(&temp, &mine);
	buf_release(&temp);
	sums_release(&sums);
	return rc;
}

/* 1 if it is here and good already. */
static int have_it(struct store *s, const struct oid *oid, uint64_t size)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = store_hold(s, 0) == 0 ? store_open_whole(s, oid, size, &path, &st) : -1;
	int good = 0;

	if (fd >= 0) {
		good = whole_check(s, oid, fd, &st, -1, path.p) == 0 && store_hold(s, 1) == 0 &&
		       store_renew(s, fd, oid);
		close(fd);
	}
	buf_release(&path);
	return good;
}

int store_import_whole(
	struct store *s, const char *path, int link_ok, const struct oid *oid, uint64_t size)
{
	struct oid found;
	struct stat st;
	int fd = -1, rc;

	if (size == 0 || have_it(s, oid, size))
		return size ? 0 : store_expected(oid, &oid_of_empty);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	if (fstat(fd, &st) < 0)
		rc = err_sys("cannot stat '%s'", path);
	else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		rc = err_set(ERR_CORRUPT, "it has %lld bytes instead of %llu",
			(long long)st.st_size, (unsigned long long)size);
	else if (size <= STORE_SMALL_MAX)
		rc = put_small_file(s, fd, &st, oid, &found);
	else
		rc = link_ok ? import_link(s, path, fd, &st, oid) : ERR_UNSUPPORTED;
	if (rc == ERR_UNSUPPORTED)
		rc = put_large_file(s, fd, &st, oid, &found);
	close(fd);
	return rc < 0 ? err_prefix(rc, "'%s'", path) : 0;
}
