/*
 * An object comes in: a temporary file, hashed while it is written; it gets its name when it is
 * what was announced and on the disk.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "transfer/depot/depot_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct depot_writer {
	struct depot *depot;
	struct oid oid;
	uint64_t size, have;
	struct oid_ctx hash;
	struct buf temp;
	int fd; /* -1: the empty object, or finished */
};

/* A full disk is something that the client should hear as such. */
static int write_error(int rc)
{
	return rc < 0 && (errno == ENOSPC || errno == EDQUOT) ? ERR_LIMIT : rc;
}

int depot_put_begin(
	struct depot_writer **out, struct depot *d, const struct oid *oid, uint64_t size)
{
	struct depot_writer *w;
	int rc = 0;

	*out = NULL;
	if (size > INT64_MAX)
		return err_set(ERR_INVALID, "no object is that large");
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(ERR_NOMEM, "out of memory");
	w->depot = d;
	w->oid = *oid;
	w->size = size;
	w->fd = -1;
	oid_init(&w->hash);
	if (size) {
		rc = w->fd = spool_tempfile(d->spool, &w->temp);
		rc = write_error(rc);
	}
	if (rc < 0)
		depot_put_free(w);
	else
		*out = w;
	return rc < 0 ? rc : 0;
}

int depot_put_data(struct depot_writer *w, const void *p, size_t len)
{
	if (len == 0)
		return 0;
	if (len > w->size - w->have)
		return err_set(ERR_CORRUPT, "more than the %llu bytes that were announced",
			(unsigned long long)w->size);
	w->have += len;
	oid_update(&w->hash, p, len);
	return write_error(fs_write_full(w->fd, p, len));
}

static int check(struct depot_writer *w)
{
	struct oid oid;

	if (w->have != w->size)
		return err_set(ERR_CORRUPT, "%llu bytes instead of the %llu that were announced",
			(unsigned long long)w->have, (unsigned long long)w->size);
	oid_final(&w->hash, &oid);
	return oid_eq(&oid, &w->oid)
		       ? 0
		       : err_set(ERR_CORRUPT, "the bytes do not hash to the object's id");
}

int depot_put_finish(struct depot_writer *w)
{
	int rc = check(w);

	if (rc < 0 || w->size == 0)
		return rc;
	rc = write_error(fs_fsync(w->fd, w->temp.p));
	if (rc == 0)
		rc = write_error(spool_keep(w->depot->spool, w->temp.p, &w->oid));
	if (rc == 0) {
		buf_reset(&w->temp);
		depot_note_put(w->depot, w->size);
	}
	return rc;
}

void depot_put_free(struct depot_writer *w)
{
	if (!w)
		return;
	if (w->temp.len)
		unlink(w->temp.p);
	if (w->fd >= 0)
		close(w->fd);
	buf_release(&w->temp);
	free(w);
}

int depot_open_incoming(struct depot *d, const struct oid *oid, uint64_t *size)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = -1;

	if (spool_path(d->spool, oid, &path) == 0)
		fd = open(path.p, O_RDONLY | O_CLOEXEC);
	buf_release(&path);
	if (fd < 0)
		return ERR_NOTFOUND;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return ERR_NOTFOUND;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}
