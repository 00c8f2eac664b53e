/*
 * Durability, asked for when it matters (before a commit, after a transfer): the objects' bytes,
 * then the directories that name them.  A few files are flushed one by one; for many, one flush of
 * the file system is cheaper.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SYNC_ONE_BY_ONE = 64 };

struct sync {
	struct store *s;
	struct strmap files; /* paths; a pack has a descriptor (+ 1) too, for it may be renamed
				meanwhile */
	struct strmap dirs;
	dev_t last_dev; /* the pack that was noted last (and is held open, so its number is not
			   given away) */
	ino_t last_ino;
};

static void close_value(void *value)
{
	if (value)
		close((int)(intptr_t)value - 1);
}

/* ---- which files ---- */

static int note_pack(
	const struct packs *p, const struct pack_file *f, const struct pack_entry *e, void *data)
{
	struct sync *y = data;
	struct buf path = BUF_INIT;
	int rc;

	if (!pack_file_confirms(f, e))
		return 0;
	if (f->ino == y->last_ino && f->dev == y->last_dev)
		return 1;
	rc = buf_addf(&path, "%s/%s", p->dir, f->name);
	if (rc == 0 && !strmap_has(&y->files, path.p)) {
		int fd = dup(f->fd);

		rc = fd < 0 ? err_sys("cannot duplicate a descriptor")
			    : strmap_put(&y->files, path.p, (void *)(intptr_t)(fd + 1));
		if (rc < 0 && fd >= 0)
			close(fd);
		if (rc == 0)
			rc = strmap_put(&y->dirs, p->dir, NULL);
		y->last_dev = f->dev;
		y->last_ino = f->ino;
	}
	buf_release(&path);
	return rc < 0 ? rc : 1;
}

/* The file, and the directories down to it that may be new: aa/bb, aa, objects. */
static int note_whole(struct sync *y, const char *path)
{
	struct buf dir = BUF_INIT;
	int rc = strmap_put(&y->files, path, NULL);

	rc = rc < 0 ? rc : buf_addstr(&dir, path);
	for (int level = 0; rc == 0 && level < 3; level++) {
		const char *slash = strrchr(dir.p, '/');

		if (!slash)
			break;
		buf_truncate(&dir, (size_t)(slash - dir.p));
		rc = strmap_put(&y->dirs, dir.p, NULL);
	}
	buf_release(&dir);
	return rc;
}

static int note_object(struct sync *y, const struct oid *oid)
{
	char hex[OID_HEX_LEN + 1];
	struct buf path = BUF_INIT;
	int rc = 0;

	if (oid_eq(oid, &oid_of_empty))
		return 0;
	pthread_mutex_lock(&y->s->lock);
	rc = store_packed_copies(y->s, oid, STORE_SIZE_UNKNOWN, note_pack, y);
	pthread_mutex_unlock(&y->s->lock);
	if (rc)
		return rc < 0 ? rc : 0;
	if (store_whole_path(y->s, oid, STORE_SIZE_UNKNOWN, &path)) {
		rc = note_whole(y, path.p);
	} else {
		oid_to_hex(hex, oid);
		rc = err_set(ERR_NOTFOUND, "object %s is not in the store", hex);
	}
	buf_release(&path);
	return rc < 0 ? rc : 0;
}

/* ---- flushing ---- */

static int sync_path(const char *path, void *value, void *data)
{
	int fd, rc;

	(void)data;
	if (value)
		return fs_fsync((int)(intptr_t)value - 1, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	rc = fs_fsync(fd, path);
	close(fd);
	return rc;
}

static int sync_file_systems(const char *path, void *value, void *data)
{
	dev_t *done = data;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	struct stat st;

	(void)value;
	if (fd < 0)
		return err_sys("cannot open '%s'", path);
	if (fstat(fd, &st) == 0 && st.st_dev != *done) {
		if (syncfs(fd) < 0)
			rc = err_sys("cannot flush the file system of '%s'", path);
		*done = st.st_dev;
	}
	close(fd);
	return rc;
}

int store_sync(struct store *s, const struct oid *oids, size_t n)
{
	struct sync y = {.s = s, .files = STRMAP_INIT, .dirs = STRMAP_INIT};
	dev_t done = 0;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = note_object(&y, &oids[i]);
	if (rc < 0)
		goto done;
	if (strmap_count(&y.files) > SYNC_ONE_BY_ONE) {
		rc = strmap_each(&y.dirs, sync_file_systems, &done);
	} else {
		rc = strmap_each(&y.files, sync_path, NULL);
		if (rc == 0)
			rc = strmap_each(&y.dirs, sync_path, NULL);
	}
done:
	strmap_release(&y.files, close_value);
	strmap_release(&y.dirs, NULL);
	return rc;
}
