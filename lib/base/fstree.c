/*
 * Removing, copying and searching trees (see fstree.h).  Names are built in one buffer that grows
 * and shrinks with the depth; a directory is read whole before anything in it is touched, so that
 * no descriptor stays open while its subdirectories are visited and depth costs memory only.
 */
#include "lib/base/fstree.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strvec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_LIMIT = 4096 };

/* The names in a directory.  0, ERR_NOTFOUND… */
static int names_in(const char *path, struct strvec *out)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int rc = 0;

	if (!dir)
		return err_sys("cannot read directory '%s'", path);
	while (rc == 0 && (errno = 0, d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			rc = strvec_push(out, d->d_name);
	if (rc == 0 && errno)
		rc = err_sys("cannot read directory '%s'", path);
	closedir(dir);
	return rc;
}

/* ---- removing ---- */

static int remove_at(struct buf *path, int depth);

static int remove_directory(struct buf *path, int depth)
{
	struct strvec names = STRVEC_INIT;
	size_t len = path->len;
	int rc;

	if (depth > DEPTH_LIMIT)
		return err_set(ERR_LIMIT, "'%s' is nested too deeply", path->p);
	/* what cannot be written or searched cannot be emptied; who may not change it is told so by
	 * the removal */
	if (access(path->p, R_OK | W_OK | X_OK) < 0)
		(void)chmod(path->p, 0700);
	rc = names_in(path->p, &names);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		if ((rc = buf_addf(path, "/%s", names.v[i])) == 0)
			rc = remove_at(path, depth + 1);
		buf_truncate(path, len);
	}
	strvec_release(&names);
	if (rc == 0 && rmdir(path->p) < 0 && errno != ENOENT)
		rc = err_sys("cannot remove directory '%s'", path->p);
	return rc;
}

static int remove_at(struct buf *path, int depth)
{
	if (unlink(path->p) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	/* Linux says EISDIR of a directory, POSIX EPERM */
	if (errno == EISDIR || errno == EPERM) {
		struct stat st;

		if (lstat(path->p, &st) == 0 && S_ISDIR(st.st_mode))
			return remove_directory(path, depth);
		errno = EPERM;
	}
	return err_sys("cannot remove '%s'", path->p);
}

int fstree_remove(const char *path)
{
	struct buf b = BUF_INIT;
	int rc = buf_addstr(&b, path);

	if (rc == 0)
		rc = remove_at(&b, 0);
	buf_release(&b);
	return rc;
}

/* ---- copying ---- */

static int copy_file(const char *from, const char *to, const struct stat *st)
{
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), out = -1, rc = 0;

	if (in < 0)
		return err_sys("cannot open '%s'", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		rc = err_sys("cannot create '%s'", to);
	if (rc == 0 && st->st_size > 0)
		rc = fs_clone_or_copy(out, in, 0, (uint64_t)st->st_size);
	if (rc >= 0 && (fchmod(out, st->st_mode & 07777) < 0 || futimens(out, times) < 0))
		rc = err_sys("cannot set mode and time of '%s'", to);
	close(in);
	if (out >= 0) {
		int closed = fs_close(&out, to);

		if (rc >= 0)
			rc = closed;
	}
	return rc < 0 ? rc : 0;
}

static int copy_link(const char *from, const char *to)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof target - 1);

	if (n < 0)
		return err_sys("cannot read link '%s'", from);
	target[n] = '\0';
	return symlink(target, to) < 0 ? err_sys("cannot create link '%s'", to) : 0;
}

static int copy_at(struct buf *from, struct buf *to, int depth);

static int copy_directory(struct buf *from, struct buf *to, const struct stat *st, int depth)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	struct strvec names = STRVEC_INIT;
	size_t from_len = from->len, to_len = to->len;
	int rc;

	if (depth > DEPTH_LIMIT)
		return err_set(ERR_LIMIT, "'%s' is nested too deeply", from->p);
	if (mkdir(to->p, 0700) < 0)
		return err_sys("cannot make directory '%s'", to->p);
	rc = names_in(from->p, &names);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		if ((rc = buf_addf(from, "/%s", names.v[i])) == 0 &&
			(rc = buf_addf(to, "/%s", names.v[i])) == 0)
			rc = copy_at(from, to, depth + 1);
		buf_truncate(from, from_len);
		buf_truncate(to, to_len);
	}
	strvec_release(&names);
	if (rc == 0 && (chmod(to->p, st->st_mode & 07777) < 0 ||
			       utimensat(AT_FDCWD, to->p, times, AT_SYMLINK_NOFOLLOW) < 0))
		rc = err_sys("cannot set mode and time of '%s'", to->p);
	return rc;
}

static int copy_at(struct buf *from, struct buf *to, int depth)
{
	struct stat st;

	if (lstat(from->p, &st) < 0)
		return err_sys("cannot look at '%s'", from->p);
	if (S_ISDIR(st.st_mode))
		return copy_directory(from, to, &st, depth);
	if (S_ISLNK(st.st_mode))
		return copy_link(from->p, to->p);
	if (S_ISREG(st.st_mode))
		return copy_file(from->p, to->p, &st);
	return err_set(ERR_UNSUPPORTED, "'%s' is neither a file nor a directory", from->p);
}

int fstree_copy(const char *from, const char *to)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	int rc = buf_addstr(&a, from);

	if (rc == 0 && (rc = buf_addstr(&b, to)) == 0)
		rc = copy_at(&a, &b, 0);
	buf_release(&a);
	buf_release(&b);
	return rc;
}

/* ---- searching ---- */

static int newest_at(struct buf *path, int64_t *newest, int depth)
{
	struct strvec names = STRVEC_INIT;
	size_t len = path->len;
	struct stat st;
	int rc = 0;

	if (lstat(path->p, &st) < 0)
		return err_sys("cannot look at '%s'", path->p);
	if (fs_ctime_ns(&st) > *newest)
		*newest = fs_ctime_ns(&st);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth > DEPTH_LIMIT)
		return err_set(ERR_LIMIT, "'%s' is nested too deeply", path->p);
	rc = names_in(path->p, &names);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		if ((rc = buf_addf(path, "/%s", names.v[i])) == 0)
			rc = newest_at(path, newest, depth + 1);
		buf_truncate(path, len);
	}
	strvec_release(&names);
	return rc;
}

int fstree_newest(const char *path, int64_t *ctime_ns)
{
	struct buf b = BUF_INIT;
	int rc = buf_addstr(&b, path);

	*ctime_ns = INT64_MIN;
	if (rc == 0)
		rc = newest_at(&b, ctime_ns, 0);
	buf_release(&b);
	return rc;
}

static int contains_at(struct buf *path, const char *name, int depth)
{
	struct strvec names = STRVEC_INIT;
	size_t len = path->len;
	struct stat st;
	int rc;

	if (lstat(path->p, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (depth > DEPTH_LIMIT)
		return err_set(ERR_LIMIT, "'%s' is nested too deeply", path->p);
	rc = names_in(path->p, &names);
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		rc = strcmp(names.v[i], name) == 0;
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		if ((rc = buf_addf(path, "/%s", names.v[i])) == 0)
			rc = contains_at(path, name, depth + 1);
		buf_truncate(path, len);
	}
	strvec_release(&names);
	return rc;
}

int fstree_contains(const char *path, const char *name)
{
	struct buf b = BUF_INIT;
	int rc = buf_addstr(&b, path);

	if (rc == 0)
		rc = contains_at(&b, name, 0);
	buf_release(&b);
	return rc;
}
