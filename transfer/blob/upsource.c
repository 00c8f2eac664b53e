/*
 * Reading for uploads.  The store checks what it reads; for a file named by the client we do it
 * here.
 */
#include "transfer/blob/upsource.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1024 * 1024 };

static int stream_file(const struct transfer_object *o, upsource_sink_fn *sink, void *data)
{
	struct oid_ctx hash;
	struct oid oid;
	uint64_t size = 0;
	ssize_t n;
	int rc = 0;
	int fd = open(o->file, O_RDONLY | O_CLOEXEC);
	char *piece = malloc(PIECE);

	if (fd < 0 || !piece) {
		rc = fd < 0 ? err_sys("cannot open '%s'", o->file)
			    : err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	oid_init(&hash);
	while ((n = fs_read_full(fd, piece, PIECE)) > 0) {
		size += (uint64_t)n;
		oid_update(&hash, piece, (size_t)n);
		rc = sink(piece, (size_t)n, data);
		if (rc < 0)
			goto done;
	}
	if (n < 0) {
		rc = err_prefix((int)n, "%s", o->file);
		goto done;
	}
	oid_final(&hash, &oid);
	if (size != o->size || !oid_eq(&oid, &o->oid))
		rc = err_set(
			ERR_CORRUPT, "the content of '%s' is not that of its object id", o->file);
done:
	if (fd >= 0)
		close(fd);
	free(piece);
	return rc;
}

/* Name the object, unless it is us who stopped. */
static int name_object(int rc, const struct transfer_object *o)
{
	struct buf who = BUF_INIT;

	if (rc >= 0 || rc == ERR_INTERRUPTED)
		return rc;
	if (engine_describe(o, &who) == 0)
		rc = err_prefix(rc, "object %s", who.p);
	buf_release(&who);
	return rc;
}

int upsource_stream(
	struct engine *e, const struct transfer_object *o, upsource_sink_fn *sink, void *data)
{
	int rc = o->file ? stream_file(o, sink, data)
			 : store_stream(e->store, &o->oid, o->size, sink, data);

	return name_object(rc, o);
}

static int append(const void *p, size_t len, void *data)
{
	return buf_add(data, p, len);
}

int upsource_read(struct engine *e, const struct transfer_object *o, struct buf *out)
{
	int rc =
		o->file ? stream_file(o, append, out) : store_read(e->store, &o->oid, o->size, out);

	return name_object(rc, o);
}
