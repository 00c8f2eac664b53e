/*
 * What keeps a clean-up (store_gc.c) and the processes that store things apart.  The danger is not
 * the new object, which is young, but the old one: a process finds it stored already, relies on it,
 * and tells Git only later, while a clean-up that has asked Git before calls it needless.
 *
 * So everybody who stores holds a shared lock on ".git/dvx/store.lock" to the end of its session,
 * when Git's index has been written; a clean-up takes it exclusively before it looks at Git and
 * again before it removes.  Who relied on something old in between has changed the file's time,
 * which tells the clean-up to look once more.  The protocol is in docs/local-store.md.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* Renewing what is younger than this would change nothing: no clean-up counts in hours. */
static const int64_t renew_after_ns = INT64_C(24) * 3600 * 1000 * 1000 * 1000;

int store_open_lock(const struct store *s)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = -1, rc = fs_join(&path, s->dvx_dir, "store.lock");

	if (rc < 0)
		return rc;
	fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0 && errno == ENOENT) {
		rc = store_mkdirs(s, s->dvx_dir);
		if (rc == 0)
			fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	}
	if (fd < 0 && rc == 0 && (errno == EACCES || errno == EROFS)) /* another user's */
		fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && rc == 0)
		rc = err_sys("cannot open '%s'", path.p);
	if (fd >= 0 && s->shared && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
		store_share_file(s, fd, path.p) < 0)
		err_clear(); /* others cannot tell us then; their own lock is as good */
	buf_release(&path);
	return fd >= 0 ? fd : rc;
}

/* Where nothing can be written, nothing can be removed either. */
static int cannot_write(int error)
{
	return error == EACCES || error == EPERM || error == EROFS || error == ENOSPC ||
	       error == EDQUOT || error == ENOENT || error == ENOTDIR;
}

static int take(struct store *s)
{
	int fd, rc;

	errno = 0;
	fd = store_open_lock(s);
	if (fd < 0) {
		s->held = cannot_write(errno);
		return s->held ? 0 : fd;
	}
	do
		rc = flock(fd, LOCK_SH);
	while (rc < 0 && errno == EINTR);
	if (rc < 0 && errno != ENOLCK && errno != EOPNOTSUPP) {
		rc = err_sys("cannot lock '%s/store.lock'", s->dvx_dir);
		close(fd);
		return rc;
	}
	s->hold_fd = fd;
	s->held = 1;
	return 0;
}

int store_hold(struct store *s, int reused)
{
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	if (!s->held)
		rc = take(s);
	if (rc == 0 && reused && !s->reused) {
		s->reused = 1;
		if (s->hold_fd >= 0)
			(void)futimens(s->hold_fd, NULL);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int store_renew(const struct store *s, int fd, const struct oid *oid)
{
	struct sums sums = {0};
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return 0;
	if (st.st_nlink > 1 || fs_now_ns() - fs_mtime_ns(&st) < renew_after_ns)
		return 1;
	if (oid && sums_load(s, oid, &st, &sums)) {
		if (futimens(fd, NULL) == 0)
			sums_record(s, oid, fd, &sums);
		sums_release(&sums);
	} else {
		(void)futimens(fd, NULL);
	}
	return 1;
}
