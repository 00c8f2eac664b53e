/*
 * The directory kind of blob store: a local disk, or whatever is mounted.  A blob is written in
 * tmp/ under a lock that dies with its writer, flushed, renamed to its name without replacing, and
 * the directory is flushed; so readers need no lock, and a crash leaves nothing but files in tmp/,
 * which the next writer clears away.
 */
#include "transfer/remote.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/dirlayout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct remote_dir {
	struct remote base;
	char *root;
	pthread_mutex_t lock;
	int format_checked;
	int writable;		  /* directories and format file were made or found */
	unsigned char known[256]; /* packs/<aa> was made durable by this process */
};

struct dir_put {
	struct remote_put base;
	enum remote_class class;
	char *temp;
};

static int blob_path(
	const struct remote_dir *d, enum remote_class c, const struct oid *name, struct buf *out)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, name);
	if (c == REMOTE_PACK)
		return buf_addf(out, "%s/packs/%.2s/%s.pack", d->root, hex, hex);
	return buf_addf(out, "%s/fragments/%s.idx", d->root, hex);
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

static int is_fragment_name(const char *file, struct oid *name)
{
	if (strlen(file) != OID_HEX_LEN + 4 || strcmp(file + OID_HEX_LEN, ".idx") != 0)
		return 0;
	if (oid_from_hex(name, file) == 0)
		return 1;
	err_clear();
	return 0;
}

static int dir_list(struct remote *r, remote_list_fn *fn, void *data)
{
	struct remote_dir *d = (struct remote_dir *)r;
	struct buf path = BUF_INIT;
	struct dirent *e;
	struct stat st;
	struct oid name;
	DIR *dir = NULL;
	int rc = ready_to_read(d);

	if (rc == 0)
		rc = buf_addf(&path, "%s/fragments", d->root);
	if (rc < 0)
		goto done;
	dir = opendir(path.p);
	if (!dir) {
		if (errno != ENOENT)
			rc = err_sys("cannot read directory '%s'", path.p);
		goto done;
	}
	while (rc == 0 && (errno = 0, e = readdir(dir))) {
		if (!is_fragment_name(e->d_name, &name))
			continue;
		if (fstatat(dirfd(dir), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			rc = fn(&name, (uint64_t)st.st_size, data);
		errno = 0;
	}
	if (rc == 0 && errno)
		rc = err_sys("cannot read directory '%s'", path.p);
done:
	if (dir)
		closedir(dir);
	buf_release(&path);
	return rc;
}

static int dir_size(struct remote *r, enum remote_class c, const struct oid *name, uint64_t *size)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc = blob_path((struct remote_dir *)r, c, name, &path);

	if (rc == 0 && stat(path.p, &st) < 0)
		rc = err_sys("cannot read '%s'", path.p);
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

	if (n == 0) {
		fd = open(path.p, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			n = err_sys("cannot open '%s'", path.p);
	}
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

static void dir_put_abort(struct remote_put *p)
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
	put->class = c;
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
		dir_put_abort(&put->base);
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
	enum { PIECE = 1024 * 1024 };
	struct oid_ctx hash;
	struct oid found;
	ssize_t n = -1;
	int rc = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *piece = malloc(PIECE);

	if (fd < 0 || !piece) {
		rc = fd < 0 ? err_sys("cannot open '%s'", path)
			    : err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	oid_init(&hash);
	while ((n = fs_read_full(fd, piece, PIECE)) > 0)
		oid_update(&hash, piece, (size_t)n);
	oid_final(&hash, &found);
	if (n < 0)
		rc = err_prefix((int)n, "%s", path);
	else if (oid_eq(&found, name))
		rc = fs_fsync(fd, path) < 0 ? ERR_IO : 1;
done:
	if (fd >= 0)
		close(fd);
	free(piece);
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

/* packs/<aa>, once for each process and <aa>. */
static int make_shard(struct remote_dir *d, const struct oid *name, const char *path)
{
	struct buf dir = BUF_INIT;
	int known, rc;

	pthread_mutex_lock(&d->lock);
	known = d->known[name->id[0]];
	pthread_mutex_unlock(&d->lock);
	if (known)
		return 0;
	rc = fs_dirname(&dir, path);
	if (rc == 0)
		rc = dirlayout_make_dir(dir.p);
	if (rc == 0) {
		pthread_mutex_lock(&d->lock);
		d->known[name->id[0]] = 1;
		pthread_mutex_unlock(&d->lock);
	}
	buf_release(&dir);
	return rc;
}

static int dir_put_commit(struct remote_put *p, const struct oid *name, uint64_t size)
{
	struct dir_put *put = (struct dir_put *)p;
	struct remote_dir *d = (struct remote_dir *)p->remote;
	struct buf path = BUF_INIT;
	int taken = 0;
	int rc = blob_path(d, put->class, name, &path);

	(void)size;
	if (rc == 0 && put->class == REMOTE_PACK)
		rc = make_shard(d, name, path.p);
	if (rc == 0 && fs_exists(path.p)) {
		taken = 1;
	} else if (rc == 0) {
		rc = fs_fsync(put->base.fd, put->temp);
		if (rc == 0)
			rc = taken = rename_new(put->temp, path.p);
	}
	if (rc >= 0 && taken)
		rc = taken = settle_taken(put, path.p, name);
	if (rc >= 0)
		rc = fs_fsync_parent(path.p);
	dir_put_abort(p);
	buf_release(&path);
	return rc < 0 ? err_prefix(rc, "cannot write to remote '%s'", d->base.name) : taken;
}

static int dir_remove(struct remote *r, enum remote_class c, const struct oid *name)
{
	struct buf path = BUF_INIT;
	int rc = blob_path((struct remote_dir *)r, c, name, &path);

	if (rc == 0 && unlink(path.p) < 0 && errno != ENOENT)
		rc = err_sys("cannot remove '%s'", path.p);
	if (rc == 0)
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
	.put_abort = dir_put_abort,
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
