/*
 * Replacing files of the worktree: the new file is written elsewhere on the same file system and
 * exchanged with the old one in one step.  What came out is then looked at: if it is not what was
 * expected, somebody wrote meanwhile and the two are exchanged back, so no user's byte is ever
 * lost.  Nothing is opened through a symbolic link (place_dir.c), nothing in ".git" (place_path.c).
 *
 * Temporary files carry the name of their session; its lock file tells a later place_sweep()
 * whether that session lives.
 */
#include "lib/worktree/place.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/worktree/place_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	struct place_dir top;
	int staging_fd;
	dev_t staging_dev;
	struct buf session; /* "place-<pid>-<ns>-<n>": first part of the names of temporary files */
	struct buf lock;    /* path of its lock file */
	int lock_fd;
	atomic_uint counter;
	int lacks; /* PLACE_NO_… */
};

/* ---- opening ---- */

static int open_staging(struct place *p, const char *staging)
{
	static atomic_uint sessions;
	struct stat st;
	int rc = fs_mkdirs(staging);

	if (rc < 0)
		return rc;
	place_sweep(staging); /* what stays there is only wasted space */
	p->staging_fd = open(staging, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->staging_fd < 0 || fstat(p->staging_fd, &st) < 0)
		return err_sys("cannot open '%s'", staging);
	p->staging_dev = st.st_dev;
	rc = buf_addf(&p->session, "place-%ld-%lld-%u", (long)getpid(), (long long)fs_now_ns(),
		atomic_fetch_add(&sessions, 1));
	if (rc == 0)
		rc = buf_addf(&p->lock, "%s/%s.lock", staging, p->session.p);
	if (rc == 0)
		rc = p->lock_fd = flock_take(p->lock.p, 0);
	return rc < 0 ? rc : 0;
}

int place_open(struct place **out, const char *worktree, const char *staging)
{
	struct place *p = calloc(1, sizeof *p);
	int rc;

	*out = NULL;
	if (!p)
		return err_set(ERR_NOMEM, "out of memory");
	p->staging_fd = p->lock_fd = -1;
	p->top.fd = open(worktree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->top.fd < 0)
		rc = err_sys("cannot open worktree '%s'", worktree);
	else
		rc = open_staging(p, staging);
	if (rc < 0)
		place_close(p);
	else
		*out = p;
	return rc;
}

void place_close(struct place *p)
{
	if (!p)
		return;
	if (p->lock_fd >= 0) {
		unlink(p->lock.p);
		close(p->lock_fd);
	}
	if (p->staging_fd >= 0)
		close(p->staging_fd);
	if (p->top.fd >= 0)
		close(p->top.fd);
	buf_release(&p->session);
	buf_release(&p->lock);
	free(p);
}

void place_pretend(struct place *p, int lacks)
{
	p->lacks = lacks;
	atomic_store(&p->top.by_walking, lacks & PLACE_NO_OPENAT2);
}

static int path_error(const char *path)
{
	if (errno == ELOOP)
		return err_set(ERR_CHANGED, "'%s' is or lies behind a symbolic link", path);
	return err_sys("cannot open '%s'", path);
}

static int open_parent(struct place *p, const char *path)
{
	int fd;

	if (!place_path_ok(path))
		return err_set(ERR_DENIED, "'%s' is not a path that may be written", path);
	fd = place_dir_open_parent(&p->top, path);
	return fd < 0 ? path_error(path) : fd;
}

/* ---- the temporary file ---- */

/* ERR_NOTFOUND is for the target; that a temporary file or its directory is gone is another matter.
 */
static int temp_error(const struct place_file *f, const char *what)
{
	int rc = err_sys("cannot %s temporary file '%s'", what, f->temp.p);

	return rc == ERR_NOTFOUND ? ERR_IO : rc;
}

/* Name and create it; `dir` is the target's directory. */
static int create_temp(struct place *p, const char *path, int dir, struct place_file *f)
{
	unsigned n = atomic_fetch_add(&p->counter, 1);
	int at = f->beside ? dir : p->staging_fd, rc;
	size_t parent_len = (size_t)(place_dir_base(path) - path);

	buf_reset(&f->temp);
	if (f->beside)
		rc = buf_addf(
			&f->temp, "%.*s.dvx-tmp-%s-%u", (int)parent_len, path, p->session.p, n);
	else
		rc = buf_addf(&f->temp, "%s-%u", p->session.p, n);
	if (rc < 0)
		return rc;
	f->fd = openat(at, place_dir_base(f->temp.p),
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return f->fd < 0 ? temp_error(f, "create") : 0;
}

int place_begin(struct place *p, const char *path, struct place_file *f)
{
	struct stat st;
	int dir = open_parent(p, path), rc;

	f->fd = -1;
	if (dir < 0)
		return dir;
	if (fstat(dir, &st) < 0) {
		rc = err_sys("cannot stat the directory of '%s'", path);
	} else {
		f->beside = st.st_dev != p->staging_dev || (p->lacks & PLACE_NO_STAGING);
		rc = create_temp(p, path, dir, f);
	}
	close(dir);
	if (rc < 0)
		buf_release(&f->temp);
	return rc;
}

int place_begin_with(struct place *p, const char *path, struct place_file *f,
	int (*make)(int dir_fd, const char *name, void *data), void *data)
{
	int rc = place_begin(p, path, f);

	if (rc < 0)
		return rc;
	if (f->beside) /* another file system: no link can come from there */
		rc = err_set(ERR_UNSUPPORTED, "'%s' lies on another file system", path);
	else if (unlinkat(p->staging_fd, f->temp.p, 0) < 0)
		rc = temp_error(f, "replace");
	else
		rc = make(p->staging_fd, f->temp.p, data);
	close(f->fd);
	f->fd = -1;
	f->linked = 1;
	if (rc < 0)
		place_abort(p, f);
	return rc;
}

/* Forget the file; its name is gone or somebody else's business. */
static void finish(struct place_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	buf_release(&f->temp);
}

void place_abort(struct place *p, struct place_file *f)
{
	if (f->temp.len && !f->beside) {
		unlinkat(p->staging_fd, f->temp.p, 0);
	} else if (f->temp.len) {
		int dir = place_dir_open_parent(&p->top, f->temp.p);

		if (dir >= 0) {
			unlinkat(dir, place_dir_base(f->temp.p), 0);
			close(dir);
		}
	}
	finish(f);
}

/* ---- the swap ---- */

/* One replacement under way. */
struct swap {
	struct place *p;
	const char *path;
	struct place_file *f;
	const void *expect;
	size_t expect_len;
	int64_t mtime_ns;
	int dir;	/* of the target */
	mode_t mode;	/* of the old file */
	struct stat st; /* of the new file */
};

static const char *base(const struct swap *s)
{
	return place_dir_base(s->path);
}

static const char *temp_name(const struct swap *s)
{
	return place_dir_base(s->f->temp.p);
}

static int temp_dir(const struct swap *s)
{
	return s->f->beside ? s->dir : s->p->staging_fd;
}

static int changed(const struct swap *s, const char *how)
{
	return err_set(ERR_CHANGED, "'%s' %s; it was left alone", s->path, how);
}

static int content_is(int fd, const void *expect, size_t len)
{
	char chunk[4096];
	size_t at = 0;

	for (;;) {
		/* One byte more than expected must not be there. */
		size_t want = len - at < sizeof chunk ? len - at + 1 : sizeof chunk;
		ssize_t got;

		if (want > sizeof chunk)
			want = sizeof chunk;
		got = fs_pread_full(fd, chunk, want, at);
		if (got < 0)
			return (int)got;
		if ((size_t)got > len - at ||
			memcmp(chunk, (const char *)expect + at, (size_t)got) != 0)
			return 0;
		at += (size_t)got;
		if ((size_t)got < want)
			return at == len;
	}
}

/* Is this a regular file with exactly the expected bytes?  0 and its mode; ERR_CHANGED,
 * ERR_NOTFOUND, ERR_IO… */
static int check_expected(const struct swap *s, int dir, const char *name, mode_t *mode)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO
			       ? changed(s, "is not a regular file any more")
			       : err_sys("cannot open '%s'", s->path);
	if (fstat(fd, &st) < 0)
		rc = err_sys("cannot stat '%s'", s->path);
	else if (!S_ISREG(st.st_mode))
		rc = changed(s, "is not a regular file any more");
	else if (st.st_size < 0 || (uint64_t)st.st_size != s->expect_len)
		rc = changed(s, "has other content by now");
	else if ((rc = content_is(fd, s->expect, s->expect_len)) == 0)
		rc = changed(s, "has other content by now");
	close(fd);
	*mode = st.st_mode;
	return rc < 0 ? rc : 0;
}

static int set_temp_time(const struct swap *s)
{
	struct timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
		{.tv_sec = s->mtime_ns / 1000000000, .tv_nsec = s->mtime_ns % 1000000000}};

	if (utimensat(temp_dir(s), temp_name(s), times, AT_SYMLINK_NOFOLLOW) < 0)
		return temp_error(s->f, "set the time of");
	return 0;
}

/* Mode and times of the new file; close it, since only then delayed write errors are known.  A link
 * keeps its own, unless it is younger than it may be. */
static int dress_temp(struct swap *s)
{
	int rc;

	if (s->f->fd >= 0 && (rc = fs_close(&s->f->fd, s->f->temp.p)) < 0)
		return rc;
	if (!s->f->linked && fchmodat(temp_dir(s), temp_name(s), s->mode & 0777, 0) < 0)
		return temp_error(s->f, "set the mode of");
	if (!s->f->linked && s->mtime_ns >= 0 && (rc = set_temp_time(s)) < 0)
		return rc;
	if (fstatat(temp_dir(s), temp_name(s), &s->st, AT_SYMLINK_NOFOLLOW) < 0)
		return temp_error(s->f, "stat");
	if (s->f->linked && s->mtime_ns >= 0 && fs_mtime_ns(&s->st) > s->mtime_ns)
		return set_temp_time(s);
	return 0;
}

static int rename_temp(const struct swap *s, unsigned flags)
{
	if ((s->p->lacks & PLACE_NO_CROSSING) && !s->f->beside) {
		errno = EXDEV;
		return -1;
	}
	if ((s->p->lacks & PLACE_NO_EXCHANGE) && flags) {
		errno = EINVAL;
		return -1;
	}
	return renameat2(temp_dir(s), temp_name(s), s->dir, base(s), flags);
}

/* The same mount is needed for a rename, not only the same file system: write the new file once
 * more, beside its place. */
static int move_beside(struct swap *s)
{
	struct place_file other = PLACE_FILE_INIT;
	int from = openat(temp_dir(s), temp_name(s), O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc;

	other.beside = 1;
	if (from < 0)
		return temp_error(s->f, "open");
	rc = create_temp(s->p, s->path, s->dir, &other);
	if (rc == 0)
		rc = fs_clone_or_copy(other.fd, from, 0, (uint64_t)s->st.st_size);
	close(from);
	if (rc < 0) {
		place_abort(s->p, &other);
		return rc;
	}
	place_abort(s->p, s->f);
	*s->f = other;
	return dress_temp(s);
}

/* Somebody's file lies under the temporary name and has no other: give it one that no sweep
 * removes. */
static int keep_temp(struct swap *s)
{
	struct buf name = BUF_INIT;
	int rc = buf_addf(&name, ".kept-%s", temp_name(s));

	if (rc == 0 && renameat(temp_dir(s), temp_name(s), temp_dir(s), name.p) < 0)
		rc = err_sys("cannot rename '%s'", s->f->temp.p);
	if (rc == 0)
		rc = err_set(ERR_CHANGED,
			"'%s' was written by another process again and again; an older state is "
			"kept as '%s' in %s",
			s->path, name.p, s->f->beside ? "its directory" : "the staging directory");
	buf_release(&name);
	buf_reset(&s->f->temp);
	return rc;
}

/* The file that came out is not what was expected: put it back.  Returns `rc`, or what went wrong
 * in turn. */
static int undo_exchange(struct swap *s, int rc)
{
	struct stat st;

	if (rename_temp(s, RENAME_EXCHANGE) == 0) {
		if (fstatat(temp_dir(s), temp_name(s), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			st.st_ino == s->st.st_ino && st.st_dev == s->st.st_dev)
			return rc;
		/* Ours was not there any more: somebody has written once more, and that newest one
		 * stays. */
		(void)!rename_temp(s, RENAME_EXCHANGE);
	} else if (rename_temp(s, RENAME_NOREPLACE) == 0) {
		buf_reset(&s->f->temp);
		return rc;
	}
	return keep_temp(s);
}

static int check_what_came_out(struct swap *s)
{
	mode_t mode;
	int rc = check_expected(s, temp_dir(s), temp_name(s), &mode);

	if (rc == 0 && mode != s->mode)
		rc = changed(s, "has another mode by now");
	return rc < 0 ? undo_exchange(s, rc) : 0;
}

/* Without the exchange there is a moment in which a write can be lost; looking once more makes it
 * short. */
static int replace_plainly(struct swap *s)
{
	mode_t mode;
	int rc = check_expected(s, s->dir, base(s), &mode);

	if (rc == 0 && rename_temp(s, 0) < 0)
		rc = err_sys("cannot replace '%s'", s->path);
	if (rc == 0)
		buf_reset(&s->f->temp); /* there is no such name any more */
	return rc;
}

static int replace(struct swap *s)
{
	int failed = rename_temp(s, RENAME_EXCHANGE) < 0 ? errno : 0;

	if (failed == EXDEV && !s->f->beside) {
		int rc = move_beside(s);

		if (rc < 0)
			return rc;
		failed = rename_temp(s, RENAME_EXCHANGE) < 0 ? errno : 0;
	}
	if (failed == EINVAL || failed == ENOSYS || failed == EOPNOTSUPP)
		return replace_plainly(s);
	if (failed) {
		errno = failed;
		return err_sys("cannot replace '%s'", s->path);
	}
	return check_what_came_out(s);
}

static int look_at_result(const struct swap *s, struct stat *st)
{
	if (fstatat(s->dir, base(s), st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys("cannot stat '%s'", s->path);
	if (st->st_ino != s->st.st_ino || st->st_dev != s->st.st_dev)
		return changed(s, "was replaced a moment ago");
	return 0;
}

int place_swap(struct place *p, const char *path, struct place_file *f, const void *expect,
	size_t expect_len, int64_t mtime_ns, struct stat *st)
{
	struct swap s = {.p = p,
		.path = path,
		.f = f,
		.expect = expect,
		.expect_len = expect_len,
		.mtime_ns = mtime_ns,
		.dir = -1};
	int rc;

	rc = s.dir = open_parent(p, path);
	if (rc >= 0)
		rc = check_expected(&s, s.dir, base(&s), &s.mode);
	if (rc == 0)
		rc = dress_temp(&s);
	if (rc == 0)
		rc = replace(&s);
	place_abort(p, f); /* after an exchange the old file has that name */
	if (rc == 0)
		rc = look_at_result(&s, st);
	if (s.dir >= 0)
		close(s.dir);
	return rc;
}

/* ---- reading ---- */

int place_open_read(struct place *p, const char *path)
{
	int fd;

	if (!place_path_ok(path))
		return err_set(ERR_DENIED, "'%s' is not a path of the worktree", path);
	fd = place_dir_open(&p->top, path, O_RDONLY | O_NONBLOCK);
	return fd < 0 ? path_error(path) : fd;
}

int place_lstat(struct place *p, const char *path, struct stat *st)
{
	int fd, rc = 0;

	if (!place_path_ok(path))
		return err_set(ERR_DENIED, "'%s' is not a path of the worktree", path);
	fd = place_dir_open(&p->top, path, O_PATH);
	if (fd < 0)
		return path_error(path);
	if (fstat(fd, st) < 0)
		rc = err_sys("cannot stat '%s'", path);
	close(fd);
	return rc;
}
