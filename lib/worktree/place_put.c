/*
 * Files that the program made itself, put back: outputs of a stage out of the local store.  What is
 * in their place is no business of the user's any more (the caller has seen to that), so one rename
 * replaces it; but no step goes through a symbolic link, and nothing is written in pieces.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/worktree/place_internal.h"

/* Make the directory `path`, whose parent is there. */
static int make_dir(struct place *p, const char *path)
{
	struct stat st;
	int dir = place_parent(p, path), rc = 0;

	if (dir < 0)
		return dir;
	if (mkdirat(dir, place_dir_base(path), 0777) < 0) {
		if (errno != EEXIST)
			rc = err_sys("cannot make the directory '%s'", path);
		else if (fstatat(dir, place_dir_base(path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 !S_ISDIR(st.st_mode))
			rc = err_set(ERR_CHANGED, "'%s' is in the way of a directory", path);
	}
	close(dir);
	return rc;
}

int place_parents(struct place *p, const char *path)
{
	struct buf part = BUF_INIT;
	int fd, rc = 0;

	if (!place_path_ok(path))
		return err_set(ERR_DENIED, "'%s' is not a path that may be written", path);
	fd = place_dir_open_parent(&p->top, path);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	for (const char *slash = path; rc == 0 && (slash = strchr(slash, '/')) != NULL; slash++) {
		buf_reset(&part);
		rc = buf_add(&part, path, (size_t)(slash - path));
		if (rc == 0)
			rc = make_dir(p, part.p);
	}
	buf_release(&part);
	return rc;
}

static int in_the_way(const char *path)
{
	return errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST
		       ? err_set(ERR_CHANGED, "a directory is in the way of '%s'", path)
		       : err_sys("cannot rename to '%s'", path);
}

static int rename_to(struct place *p, const char *path, int dir, const struct place_file *f)
{
	if ((p->lacks & PLACE_NO_CROSSING) && !f->beside) {
		errno = EXDEV;
		return -1;
	}
	return renameat(f->beside ? dir : p->staging_fd, place_dir_base(f->temp.p), dir,
		place_dir_base(path));
}

/* The temporary file has the mode of a new one; see to the execute bits, where reading is allowed.
 */
static int dress(struct place_file *f, int executable, uint64_t *size)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return place_temp_error(f, "stat");
	*size = (uint64_t)st.st_size;
	if (executable && fchmod(f->fd, (st.st_mode | ((st.st_mode & 0444) >> 2)) & 0777) < 0)
		return place_temp_error(f, "set the mode of");
	return 0;
}

enum { ELSEWHERE = 1 }; /* the temporary file is on another mount */

static int put_once(struct place *p, const char *path, int dir, struct place_file *f,
	int executable, uint64_t *size)
{
	int rc = dress(f, executable, size);

	if (rc == 0)
		rc = fs_close(&f->fd, f->temp.p);
	if (rc < 0)
		return rc;
	if (rename_to(p, path, dir, f) < 0)
		return errno == EXDEV && !f->beside ? ELSEWHERE : in_the_way(path);
	buf_reset(&f->temp); /* it has another name now */
	return 0;
}

int place_put(
	struct place *p, const char *path, struct place_file *f, int executable, struct stat *st)
{
	int dir = place_parent(p, path), rc = dir < 0 ? dir : 0;
	uint64_t size = 0;

	if (rc == 0)
		rc = put_once(p, path, dir, f, executable, &size);
	if (rc == ELSEWHERE) {
		rc = place_move_beside(p, path, dir, f, size);
		if (rc == 0)
			rc = put_once(p, path, dir, f, executable, &size);
	}
	if (rc == 0 && fstatat(dir, place_dir_base(path), st, AT_SYMLINK_NOFOLLOW) < 0)
		rc = err_sys("cannot look at '%s'", path);
	place_abort(p, f);
	if (dir >= 0)
		close(dir);
	return rc;
}

int place_put_link(struct place *p, const char *path, const char *target, struct stat *st)
{
	struct place_file f = PLACE_FILE_INIT;
	int dir = place_parent(p, path), rc;

	if (dir < 0)
		return dir;
	f.beside = 1; /* a link is made where it will be: it has no content to be seen half of */
	rc = place_create_temp(p, path, dir, &f);
	if (rc == 0 && (unlinkat(dir, place_dir_base(f.temp.p), 0) < 0 ||
			       symlinkat(target, dir, place_dir_base(f.temp.p)) < 0))
		rc = place_temp_error(&f, "replace");
	if (rc == 0 && rename_to(p, path, dir, &f) < 0)
		rc = in_the_way(path);
	if (rc == 0)
		buf_reset(&f.temp);
	if (rc == 0 && fstatat(dir, place_dir_base(path), st, AT_SYMLINK_NOFOLLOW) < 0)
		rc = err_sys("cannot look at '%s'", path);
	place_abort(p, &f);
	close(dir);
	return rc;
}

int place_remove(struct place *p, const char *path)
{
	int dir = place_parent(p, path), rc = 0;

	if (dir == ERR_NOTFOUND)
		return 0;
	if (dir < 0)
		return dir;
	if (unlinkat(dir, place_dir_base(path), 0) < 0 && errno != ENOENT) {
		if (errno != EISDIR)
			rc = err_sys("cannot remove '%s'", path);
		else if (unlinkat(dir, place_dir_base(path), AT_REMOVEDIR) < 0)
			rc = in_the_way(path);
	}
	close(dir);
	return rc;
}
