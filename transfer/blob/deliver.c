/*
 * Two kinds of destination behind three calls; and none, when the remote is only checked.
 */
#include "transfer/blob/deliver.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <string.h>
#include <unistd.h>

static int begin_file(struct deliver *d)
{
	struct buf prefix = BUF_INIT;
	int rc = buf_addf(&prefix, "%s/lfs/tmp/", d->engine->git->common_dir);

	if (rc == 0)
		rc = fs_mkdirs_parent(prefix.p);
	if (rc == 0)
		rc = buf_addstr(&prefix, "dvx-");
	if (rc == 0)
		rc = d->fd = fs_tempfile(&d->temp, prefix.p);
	if (rc >= 0 && d->object->watch)
		d->object->watch->begun(d->object->watch, d->fd);
	buf_release(&prefix);
	return rc < 0 ? rc : 0;
}

int deliver_begin(struct deliver *d, struct engine *e, struct transfer_object *o)
{
	memset(d, 0, sizeof(*d));
	d->engine = e;
	d->object = o;
	d->fd = -1;
	oid_init(&d->hash);
	if (e->check)
		return 0;
	return o->to_file ? begin_file(d) : store_writer_new(&d->writer, e->store, -1);
}

int deliver_resume(struct deliver *d, struct engine *e, struct transfer_object *o, uint64_t *have)
{
	int rc = deliver_begin(d, e, o);

	*have = 0;
	if (rc < 0 || !d->writer)
		return rc;
	store_writer_free(d->writer);
	return store_writer_resume(&d->writer, e->store, &o->oid, o->size, have);
}

int deliver_keep(struct deliver *d, uint64_t len)
{
	d->size = len;
	return store_writer_keep(d->writer, len);
}

static int add_to_file(struct deliver *d, const void *p, size_t len)
{
	int rc = fs_write_full(d->fd, p, len);

	if (rc == 0 && d->object->watch)
		d->object->watch->grown(d->object->watch, d->size);
	return rc;
}

int deliver_data(struct deliver *d, const void *p, size_t len)
{
	d->size += len;
	if (d->size > d->object->size && d->writer)
		store_writer_forget(d->writer);
	if (d->size > d->object->size)
		return err_set(ERR_CORRUPT, "more bytes than the object has");
	if (d->writer)
		return store_writer_add(d->writer, p, len);
	oid_update(&d->hash, p, len);
	return d->fd >= 0 ? add_to_file(d, p, len) : 0;
}

static int finish_file(struct deliver *d)
{
	struct oid oid;
	int rc;

	oid_final(&d->hash, &oid);
	if (!oid_eq(&oid, &d->object->oid))
		return err_set(ERR_CORRUPT, "the bytes do not hash to the object's id");
	if (d->fd < 0)
		return 0;
	rc = fs_close(&d->fd, d->temp.p);
	if (rc == 0)
		d->object->file = buf_detach(&d->temp);
	return rc;
}

static int finish_store(struct deliver *d)
{
	struct oid oid;
	uint64_t size;

	return store_writer_finish(d->writer, &d->object->oid, &oid, &size);
}

int deliver_finish(struct deliver *d)
{
	int rc;

	if (d->size != d->object->size) {
		if (d->writer)
			store_writer_forget(d->writer);
		rc = err_set(ERR_CORRUPT, "%llu bytes instead of %llu", (unsigned long long)d->size,
			(unsigned long long)d->object->size);
	} else {
		rc = d->writer ? finish_store(d) : finish_file(d);
	}
	deliver_abort(d);
	return rc;
}

void deliver_abort(struct deliver *d)
{
	store_writer_free(d->writer);
	d->writer = NULL;
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	if (d->temp.len)
		unlink(d->temp.p);
	buf_release(&d->temp);
}
