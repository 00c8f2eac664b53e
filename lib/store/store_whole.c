/*
 * Whole objects in Git LFS's place: a temporary file in "<lfs>/tmp", renamed to
 * "<lfs>/objects/aa/bb/<oid>" when its content is known to be right.  An object that is there
 * already is kept if it is good, and replaced if it is not.  The first writer of a process looks
 * for temporary files that nobody will come back for.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STALE_SECONDS = 24 * 3600 };

/* What killed processes left is old, and has no other name (a link is as old as its original). */
void whole_sweep(const char *path, int64_t seconds)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		struct stat st;

		if (strncmp(d->d_name, WHOLE_TEMP_PREFIX, strlen(WHOLE_TEMP_PREFIX)) != 0 ||
			fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode) || st.st_nlink > 1 ||
			time(NULL) - st.st_mtime < seconds)
			continue;
		(void)unlinkat(dirfd(dir), d->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

int whole_temp(struct store *s, struct buf *path)
{
	struct buf prefix = BUF_INIT, dir = BUF_INIT;
	int rc = store_hold(s, 0); /* the file is as old as its last byte, not as its name */
	int fd;

	if (rc == 0)
		rc = fs_join(&dir, s->lfs_dir, "tmp");
	if (rc == 0 && !atomic_exchange(&s->swept, 1))
		whole_sweep(dir.p, STALE_SECONDS);
	if (rc == 0)
		rc = buf_addf(&prefix, "%s/%s", dir.p, WHOLE_TEMP_PREFIX);
	fd = rc;
	if (rc == 0) {
		fd = fs_tempfile(path, prefix.p);
		if (fd == ERR_NOTFOUND) { /* the first one makes the directory */
			rc = store_mkdirs(s, dir.p);
			fd = rc < 0 ? rc : fs_tempfile(path, prefix.p);
		}
	}
	if (fd >= 0) {
		rc = store_share_file(s, fd, path->p);
		if (rc < 0) {
			close(fd);
			unlink(path->p);
			fd = rc;
		}
	}
	buf_release(&prefix);
	buf_release(&dir);
	return fd;
}

/* 1 if a good copy is in our own place already. */
static int is_there(struct store *s, const char *path, const struct oid *oid, uint64_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), good = 0;
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size)
		good = whole_check(s, oid, fd, &st, -1, path) == 0 && store_hold(s, 1) == 0 &&
		       store_renew(s, fd, oid);
	close(fd);
	return good;
}

static int rename_into_place(struct store *s, const char *temp, const char *path)
{
	struct buf dir = BUF_INIT;
	int rc;

	if (rename(temp, path) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys("cannot rename '%s' to '%s'", temp, path);
	rc = fs_dirname(&dir, path);
	if (rc == 0)
		rc = store_mkdirs(s, dir.p);
	buf_release(&dir);
	if (rc == 0 && rename(temp, path) < 0)
		rc = err_sys("cannot rename '%s' to '%s'", temp, path);
	return rc;
}

int whole_commit(struct store *s, struct buf *temp, int *fd, const struct oid *oid, uint64_t size,
	const struct sums *sums)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = store_ready(s);
	pthread_mutex_unlock(&s->lock);
	if (rc == 0) /* a second name for an old file is as old as that */
		rc = store_hold(s, fstat(*fd, &st) == 0 && st.st_nlink > 1);
	if (rc == 0)
		rc = store_object_path(&s->roots[0], oid, &path);
	if (rc < 0)
		goto done;
	if (is_there(s, path.p, oid, size))
		goto done;
	rc = rename_into_place(s, temp->p, path.p);
	if (rc < 0)
		goto done;
	buf_reset(temp);
	sums_record(s, oid, *fd, sums); /* after the rename, which changes the ctime */
	rc = fs_close(fd, path.p);
	if (rc < 0)
		unlink(path.p); /* a write error that showed itself late */
done:
	whole_abort(temp, fd);
	buf_release(&path);
	return rc;
}

void whole_abort(struct buf *temp, int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	if (temp->len)
		unlink(temp->p);
	buf_reset(temp);
}
