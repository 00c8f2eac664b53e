/*
 * The swap: the new file and the old one trade places in one step, and what came out is looked at.
 * If it is not what was expected, somebody wrote meanwhile, and the two are exchanged back; so no
 * user's byte is ever lost.
 *
 * The content is read twice on purpose.  Before, so that a file which is the user's never leaves
 * its place even for a moment; after, because stat data cannot tell: the rename changes the ctime,
 * and two writes within one tick of the clock (4 ms) have one mtime.  The parent is opened anew for
 * each file: a directory that was kept open could have been moved out of the worktree.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/worktree/place_internal.h"

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

/* The caller has compared the size, so bytes that end where they should are the end: one call for
 * what a pointer can be.  Other short reads go on. */
static int content_is(int fd, const void *expect, size_t len)
{
	char chunk[4096];
	size_t at = 0;

	for (;;) {
		/* One byte more than expected must not be there. */
		size_t want = len - at < sizeof chunk ? len - at + 1 : sizeof chunk;
		ssize_t got;

		do
			got = pread(fd, chunk, want, (off_t)at);
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return err_sys("cannot read what is to be replaced");
		if ((size_t)got > len - at ||
			memcmp(chunk, (const char *)expect + at, (size_t)got) != 0)
			return 0;
		at += (size_t)got;
		if (got == 0 || (at == len && (size_t)got < want))
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
		return place_temp_error(s->f, "set the time of");
	return 0;
}

/* Mode and times of the new file; close it, since only then delayed write errors are known.  A link
 * keeps its own, unless it is younger than it may be. */
static int dress_temp(struct swap *s)
{
	mode_t mode = s->mode & 0777;
	int rc;

	if (s->f->fd >= 0 && (rc = fs_close(&s->f->fd, s->f->temp.p)) < 0)
		return rc;
	if (fstatat(temp_dir(s), temp_name(s), &s->st, AT_SYMLINK_NOFOLLOW) < 0)
		return place_temp_error(s->f, "stat");
	if (!s->f->linked && (s->st.st_mode & 07777) != mode &&
		fchmodat(temp_dir(s), temp_name(s), mode, 0) < 0)
		return place_temp_error(s->f, "set the mode of");
	if (s->mtime_ns >= 0 && (!s->f->linked || fs_mtime_ns(&s->st) > s->mtime_ns))
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

static int move_beside(struct swap *s)
{
	int rc = place_move_beside(s->p, s->path, s->dir, s->f, (uint64_t)s->st.st_size);

	return rc < 0 ? rc : dress_temp(s);
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

	rc = s.dir = place_parent(p, path);
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
