/*
 * The directory kind of blob store: a local disk, or whatever is mounted.  A blob is written in
 * tmp/ under a lock that dies with its writer, flushed, renamed to its name without replacing, and
 * the directory is flushed; so readers need no lock, and a crash leaves nothing but files in tmp/,
 * which the next writer clears away.
 */
#include "transfer/remote/remote.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/remote/dirlayout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct remote_dir {
	struct remote base;
	char *root;
	pthread_mutex_t lock;
	int format_checked;
	int writable;		  /* directories and format file were made or found */
	unsigned char known[256]; /* packs/<aa> was made durable by this process */
	unsigned char known_runs; /* and runs/ */
};

struct dir_put {
	struct remote_put base;
	char *temp;
};

static int blob_path(
	const struct remote_dir *d, enum remote_class c, const struct oid *name, struct buf *out)
{
	int rc = buf_addf(out, "%s/", d->root);

	return rc < 0 ? rc : remote_blob_path(out, c, name);
}

static int dir_describe(
	struct remote *r, enum remote_class c, const struct oid *name, struct buf *out)
{
	return blob_path((struct remote_dir *)r, c, name, out);
}

/* ---- the store as a whole ---- */

/* Before the first read: is there a store, and one that we understand? */
static int ready_to_read(struct remote_dir *d)
{
	struct stat st;
	int rc = 0;

	pthread_mutex_lock(&d->lock);
	if (d->format_checked)
		goto done;
	if (stat(d->root, &st) < 0 && errno == ENOENT) {
		rc = err_set(ERR_NOTFOUND,
			"remote '%s' does not exist yet: no directory '%s'; 'git dvx push' creates "
			"it, or correct it by 'git dvx remote modify %s url <directory>'",
			d->base.name, d->root, d->base.name);
		goto done;
	}
	rc = dirlayout_check(d->root);
	d->format_checked = rc == 0;
done:
	pthread_mutex_unlock(&d->lock);
	return rc;
}

static int ready_to_write(struct remote_dir *d)
{
	int rc = 0;

	pthread_mutex_lock(&d->lock);
	if (!d->writable) {
		rc = dirlayout_check(d->root);
		if (rc == 0)
			rc = dirlayout_make(d->root);
		d->writable = rc == 0;
	}
	pthread_mutex_unlock(&d->lock);
	return rc < 0 ? err_prefix(rc, "cannot write to remote '%s'", d->base.name) : 0;
}

/* ---- reading ---- */

struct listing {
	struct remote_dir *dir;
	remote_list_fn *fn;
	void *data;
};

/* All blobs of the folder `folder` ("fragments", "packs/ab"). */
static int list_folder(const struct listing *l, const char *folder)
{
	struct buf path = BUF_INIT, place = BUF_INIT;
	struct remote_entry entry;
	struct dirent *e;
	struct stat st;
	DIR *dir = NULL;
	int rc = buf_addf(&path, "%s/%s", l->dir->root, folder);

	if (rc < 0)
		goto done;
	dir = opendir(path.p);
	if (!dir) {
		if (errno != ENOENT)
			rc = err_sys("cannot read directory '%s'", path.p);
		goto done;
	}
	while (rc == 0 && (errno = 0, e = readdir(dir))) {
		buf_reset(&place);
		rc = buf_addf(&place, "%s/%s", folder, e->d_name);
		if (rc < 0 || !remote_blob_parse(place.p, &entry.class, &entry.name))
			continue;
		if (fstatat(dirfd(dir), e->d_name, &st, 0) < 0) {
			/* a blob that only seems to be missing would be taken for removed */
			if (errno != ENOENT && errno != ELOOP)
				rc = err_sys("cannot look at '%s/%s'", l->dir->root, place.p);
			continue;
		}
		if (!S_ISREG(st.st_mode))
			continue;
		entry.size = (uint64_t)st.st_size;
		entry.mtime = (int64_t)st.st_mtime;
		rc = l->fn(&entry, l->data);
	}
	if (rc == 0 && errno)
		rc = err_sys("cannot read directory '%s'", path.p);
done:
	if (dir)
		closedir(dir);
	buf_release(&path);
	buf_release(&place);
	return rc;
}

/* The clock that files here get their times from: a mounted directory has that of its server.  A
 * store that cannot be written has nobody who asks. */
static int64_t clock_of(const struct remote_dir *d)
{
	struct buf prefix = BUF_INIT, path = BUF_INIT;
	int64_t now = (int64_t)time(NULL);
	struct stat st;
	int fd = buf_addf(&prefix, "%s/tmp/" DIRLAYOUT_TEMP_PREFIX, d->root);

	if (fd == 0)
		fd = fs_tempfile(&path, prefix.p);
	if (fd >= 0) {
		if (fstat(fd, &st) == 0)
			now = (int64_t)st.st_mtime;
		unlink(path.p);
		close(fd);
	}
	err_clear();
	buf_release(&prefix);
	buf_release(&path);
	return now;
}

static int dir_list(
	struct remote *r, enum remote_listing what, remote_list_fn *fn, void *data, int64_t *now)
{
	struct listing l = {(struct remote_dir *)r, fn, data};
	char shard[16];
	int rc = ready_to_read(l.dir);

	if (rc == 0 && now)
		*now = clock_of(l.dir);
	if (rc == 0 && what != REMOTE_LIST_PACKS)
		return list_folder(&l, remote_listing_folder(what));
	for (int i = 0; rc == 0 && i < 256; i++) {
		snprintf(shard, sizeof(shard), "packs/%02x", i);
		rc = list_folder(&l, shard);
	}
	return rc;
}

/* The descriptor, or an error.  Anything but a file in a blob's place is as good as none; a FIFO
 * would make us wait. */
static int open_blob(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(ERR_NOTFOUND, "'%s' is no regular file", path);
}

static int dir_size(struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc = blob_path((struct remote_dir *)r, c, name, &path);

	if (rc == 0 && stat(path.p, &st) < 0)
		rc = err_sys("cannot read '%s'", path.p);
	else if (rc == 0 && !S_ISREG(st.st_mode))
		rc = err_set(ERR_NOTFOUND, "'%s' is no regular file", path.p);
	else if (rc == 0)
		*size = (uint64_t)st.st_size;
	buf_release(&path);
	return rc;
}

static ssize_t dir_get(struct remote *r, enum remote_class c, const struct oid *name,
	uint64_t offset, void *into, size_t len)
{
	struct buf path = BUF_INIT;
	ssize_t n = blob_path((struct remote_dir *)r, c, name, &path);
	int fd = -1;

	if (n == 0)
		n = fd = open_blob(path.p);
	if (fd >= 0) {
		n = fs_pread_full(fd, into, len, offset);
		if (n < 0)
			err_prefix((int)n, "%s", path.p);
		close(fd);
	}
	buf_release(&path);
	return n;
}

/* ---- writing ---- */

static void dir_put_free(struct remote_put *p)
{
	struct dir_put *put = (struct dir_put *)p;

	if (!put)
		return;
	if (put->temp)
		unlink(put->temp);
	if (put->base.fd >= 0)
		close(put->base.fd);
	free(put->temp);
	free(put);
}

static int dir_put_begin(struct remote *r, enum remote_class c, struct remote_put **out)
{
	struct remote_dir *d = (struct remote_dir *)r;
	struct buf prefix = BUF_INIT, path = BUF_INIT;
	struct dir_put *put = NULL;
	int rc = ready_to_write(d);

	*out = NULL;
	if (rc < 0)
		return rc;
	put = calloc(1, sizeof(*put));
	if (!put)
		return err_set(ERR_NOMEM, "out of memory");
	put->base.remote = r;
	put->base.fd = -1;
	put->base.class = c;
	put->base.writeback = 1;
	rc = buf_addf(&prefix, "%s/tmp/" DIRLAYOUT_TEMP_PREFIX, d->root);
	if (rc == 0)
		rc = put->base.fd = fs_tempfile(&path, prefix.p);
	if (rc < 0)
		goto done;
	put->temp = buf_detach(&path);
	flock(put->base.fd, LOCK_EX | LOCK_NB); /* "its writer lives"; where there are no locks, its
						   age says it */
	*out = &put->base;
	put = NULL;
	rc = 0;
done:
	if (put)
		dir_put_free(&put->base);
	buf_release(&prefix);
	buf_release(&path);
	return rc;
}

/* Give `temp` the name `path` unless that is taken.  0 done, 1 taken, or an error. */
static int rename_new(const char *temp, const char *path)
{
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return 1;
	if (errno != EINVAL && errno != ENOSYS)
		return err_sys("cannot rename '%s' to '%s'", temp, path);
	if (link(temp, path) == 0) {
		unlink(temp);
		return 0;
	}
	if (errno == EEXIST)
		return 1;
	/* No way to rename without replacing: what would be replaced has the same name, hence the
	 * same bytes. */
	if (fs_exists(path))
		return 1;
	return rename(temp, path) == 0 ? 0 : err_sys("cannot rename '%s' to '%s'", temp, path);
}

/* Is the blob at `path` what its name says?  1 and flushed, 0, or an error. */
static int is_whole(const char *path, const struct oid *name)
{
	struct oid found;
	int fd = open_blob(path), rc;

	if (fd < 0)
		return fd;
	rc = oid_of_file(&found, fd);
	if (rc < 0)
		err_prefix(rc, "%s", path);
	else if (oid_eq(&found, name))
		rc = fs_fsync(fd, path) < 0 ? ERR_IO : 1;
	close(fd);
	return rc;
}

/* The name is taken: by the same bytes, or by a damaged blob, which ours then replaces.  1 or 0
 * accordingly, or an error. */
static int settle_taken(struct dir_put *put, const char *path, const struct oid *name)
{
	int rc = is_whole(path, name);

	if (rc != 0)
		return rc;
	rc = fs_fsync(put->base.fd, put->temp);
	if (rc == 0 && rename(put->temp, path) < 0)
		rc = err_sys("cannot replace the damaged '%s'", path);
	return rc;
}

/* packs/<aa> and runs/, once for each process; the other folders are part of every store. */
static int make_folder(
	struct remote_dir *d, enum remote_class c, const struct oid *name, const char *path)
{
	unsigned char *flag = c == REMOTE_PACK	 ? &d->known[name->id[0]]
			      : c == REMOTE_RUNS ? &d->known_runs
						 : NULL;
	struct buf dir = BUF_INIT;
	int known, rc;

	if (!flag)
		return 0;
	pthread_mutex_lock(&d->lock);
	known = *flag;
	pthread_mutex_unlock(&d->lock);
	if (known)
		return 0;
	rc = fs_dirname(&dir, path);
	if (rc == 0)
		rc = dirlayout_make_dir(dir.p);
	if (rc == 0) {
		pthread_mutex_lock(&d->lock);
		*flag = 1;
		pthread_mutex_unlock(&d->lock);
	}
	buf_release(&dir);
	return rc;
}

static int dir_put_commit(
	struct remote *r, struct remote_put *p, const struct oid *name, uint64_t size)
{
	struct dir_put *put = (struct dir_put *)p;
	struct remote_dir *d = (struct remote_dir *)r;
	struct buf path = BUF_INIT;
	int taken = 0;
	int rc = blob_path(d, p->class, name, &path);

	(void)size;
	if (rc == 0)
		rc = make_folder(d, p->class, name, path.p);
	if (rc == 0 && fs_exists(path.p)) {
		taken = 1;
	} else if (rc == 0) {
		rc = fs_fsync(p->fd, put->temp);
		if (rc == 0)
			rc = taken = rename_new(put->temp, path.p);
	}
	if (rc >= 0 && taken)
		rc = taken = settle_taken(put, path.p, name);
	if (rc >= 0)
		rc = fs_fsync_parent(path.p);
	buf_release(&path);
	return rc < 0 ? err_prefix(rc, "cannot write to remote '%s'", d->base.name) : taken;
}

static int dir_remove(struct remote *r, enum remote_class c, const struct oid *name)
{
	struct buf path = BUF_INIT;
	int rc = blob_path((struct remote_dir *)r, c, name, &path);

	if (rc == 0 && unlink(path.p) < 0) {
		if (errno != ENOENT)
			rc = err_sys("cannot remove '%s'", path.p);
	} else if (rc == 0)
		rc = fs_fsync_parent(path.p);
	buf_release(&path);
	return rc;
}

static void dir_close(struct remote *r)
{
	struct remote_dir *d = (struct remote_dir *)r;

	pthread_mutex_destroy(&d->lock);
	free(d->root);
	free(d);
}

static const struct remote_ops dir_ops = {
	.kind = "directory",
	.list = dir_list,
	.size = dir_size,
	.get = dir_get,
	.put_begin = dir_put_begin,
	.put_commit = dir_put_commit,
	.put_free = dir_put_free,
	.remove = dir_remove,
	.describe = dir_describe,
	.close = dir_close,
};

int remote_dir_open(struct remote **out, const char *name, const char *root)
{
	struct remote_dir *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (d) {
		pthread_mutex_init(&d->lock, NULL);
		d->base.ops = &dir_ops;
		d->base.name = strdup(name);
		d->base.url = strdup(root);
		d->base.near = 1;
		d->root = strdup(root);
	}
	if (!d || !d->base.name || !d->base.url || !d->root) {
		if (d)
			remote_close(&d->base);
		return err_set(ERR_NOMEM, "out of memory");
	}
	*out = &d->base;
	return 0;
}
