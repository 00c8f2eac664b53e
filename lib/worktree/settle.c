/*
 * See settle.h.  The order is what makes it safe: first the old time, then the look at the content,
 * then a last look at the time.  An edit before the first step is found by its content; one after
 * it gives the file a new time, which the last step or Git itself sees.
 */
#include "lib/worktree/settle.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

static int holds(int fd, const struct settle_expect *e, const struct stat *st)
{
	struct oid oid;
	char *data;
	ssize_t n;
	int same;

	if (st->st_size < 0 || (uint64_t)st->st_size != e->len || e->len > SETTLE_MAX)
		return 0;
	data = malloc((size_t)e->len + 1);
	if (!data)
		return err_set(ERR_NOMEM, "out of memory");
	n = fs_pread_full(fd, data, (size_t)e->len + 1, 0);
	same = n >= 0 && (uint64_t)n == e->len;
	if (same && e->text) {
		same = memcmp(data, e->text, (size_t)e->len) == 0;
	} else if (same) {
		oid_of(&oid, data, (size_t)e->len);
		same = oid_eq(&oid, &e->oid);
	}
	free(data);
	return n < 0 ? (int)n : same;
}

static int set_mtime(int fd, struct timespec mtime)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, mtime};

	return futimens(fd, times) < 0 ? err_sys("cannot set the time") : 0;
}

static int same_time(const struct stat *a, const struct stat *b)
{
	return fs_mtime_ns(a) == fs_mtime_ns(b) && fs_ctime_ns(a) == fs_ctime_ns(b) &&
	       a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size;
}

static int settle_open_file(struct place *p, const char *path, int fd, int64_t racy_second,
	const struct settle_expect *e, struct stat *st)
{
	const struct timespec before = {.tv_sec = racy_second - 1, .tv_nsec = 999999999};
	const struct timespec now = {.tv_nsec = UTIME_NOW};
	struct stat set, last;
	int rc;

	if (fstat(fd, st) < 0)
		return err_sys("cannot stat");
	if (!S_ISREG(st->st_mode))
		return err_set(ERR_CHANGED, "not a regular file");
	if (st->st_mtim.tv_sec < racy_second)
		return 0;
	if ((rc = set_mtime(fd, before)) < 0)
		return rc;
	if (fstat(fd, &set) < 0)
		return err_sys("cannot stat");
	rc = holds(fd, e, &set);
	if (rc == 1 && (rc = place_lstat(p, path, &last)) == 0)
		rc = same_time(&set, &last);
	if (rc == 1) {
		*st = last;
		return 1;
	}
	if (rc == 0)
		rc = err_set(ERR_CHANGED, "changed meanwhile");
	set_mtime(fd, now); /* never leave an edited file with an old time */
	return rc;
}

int settle_file(struct place *p, const char *path, int64_t racy_second,
	const struct settle_expect *e, struct stat *st)
{
	int fd = place_open_read(p, path);
	int rc;

	if (fd < 0)
		return fd;
	rc = settle_open_file(p, path, fd, racy_second, e, st);
	close(fd);
	return rc;
}
