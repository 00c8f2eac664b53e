/*
 * Writing and reading below the worktree.  A new file is written elsewhere on the same file system
 * and exchanged with the old one in one step (place_swap.c).  Nothing is opened through a symbolic
 * link (place_dir.c), nothing in ".git" (place_path.c).
 *
 * Temporary files carry the name of their session; its lock file tells a later place_sweep()
 * whether that session lives.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/worktree/place_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	pthread_mutex_init(&p->mutex, NULL);
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
	buf_release(&p->near);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

void place_pretend(struct place *p, int lacks)
{
	p->lacks = lacks;
	buf_release(&p->near);
	atomic_store(&p->top.by_walking, lacks & PLACE_NO_OPENAT2);
}

static int path_error(const char *path)
{
	if (errno == ELOOP)
		return err_set(ERR_CHANGED, "'%s' is or lies behind a symbolic link", path);
	return err_sys("cannot open '%s'", path);
}

int place_parent(struct place *p, const char *path)
{
	int fd;

	if (!place_path_ok(path))
		return err_set(ERR_DENIED, "'%s' is not a path that may be written", path);
	fd = place_dir_open_parent(&p->top, path);
	return fd < 0 ? path_error(path) : fd;
}

/* ---- the temporary file ---- */

int place_temp_error(const struct place_file *f, const char *what)
{
	int rc = err_sys("cannot %s temporary file '%s'", what, f->temp.p);

	return rc == ERR_NOTFOUND ? ERR_IO : rc;
}

int place_create_temp(struct place *p, const char *path, int dir, struct place_file *f)
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
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	return f->fd < 0 ? place_temp_error(f, "create") : 0;
}

static int parent_len(const char *path)
{
	return (int)(place_dir_base(path) - path);
}

/* The directory of the file before, mostly: no need to ask again.  It only is about where the
 * temporary file goes, and were it wrong, the swap would notice. */
static int is_near(struct place *p, const char *path)
{
	int len = parent_len(path), same;

	pthread_mutex_lock(&p->mutex);
	same = p->near.p && p->near.len == (size_t)len && memcmp(p->near.p, path, p->near.len) == 0;
	pthread_mutex_unlock(&p->mutex);
	return same;
}

static void remember_near(struct place *p, const char *path)
{
	pthread_mutex_lock(&p->mutex);
	buf_reset(&p->near);
	if (buf_add(&p->near, path, (size_t)parent_len(path)) < 0)
		buf_release(&p->near);
	pthread_mutex_unlock(&p->mutex);
}

int place_begin(struct place *p, const char *path, struct place_file *f)
{
	struct stat st;
	int dir = -1, rc = 0;

	f->fd = -1;
	f->beside = 0;
	if (!place_path_ok(path) || !is_near(p, path)) {
		dir = place_parent(p, path);
		if (dir < 0)
			return dir;
		if (fstat(dir, &st) < 0)
			rc = err_sys("cannot stat the directory of '%s'", path);
		else if (st.st_dev != p->staging_dev || (p->lacks & PLACE_NO_STAGING))
			f->beside = 1;
		else
			remember_near(p, path);
	}
	if (rc == 0)
		rc = place_create_temp(p, path, dir, f);
	if (dir >= 0)
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
		rc = place_temp_error(f, "replace");
	else
		rc = make(p->staging_fd, f->temp.p, data);
	close(f->fd);
	f->fd = -1;
	f->linked = 1;
	if (rc < 0)
		place_abort(p, f);
	return rc;
}

int place_move_beside(
	struct place *p, const char *path, int dir, struct place_file *f, uint64_t size)
{
	struct place_file other = PLACE_FILE_INIT;
	int from = openat(f->beside ? dir : p->staging_fd, place_dir_base(f->temp.p),
		O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	other.beside = 1;
	if (from < 0)
		return place_temp_error(f, "open");
	rc = place_create_temp(p, path, dir, &other);
	if (rc == 0)
		rc = fs_clone_or_copy(other.fd, from, 0, size);
	close(from);
	if (rc < 0) {
		place_abort(p, &other);
		return rc;
	}
	place_abort(p, f);
	*f = other;
	return 0;
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
