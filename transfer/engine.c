/*
 * The frame around a transfer: what is trivially answered, which backend the rest goes to, and the
 * lock around what is reported.
 */
#include "transfer/engine.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "transfer/blob/blobstore.h"
#include "transfer/gitdir_remote.h"
#include "transfer/lfs/lfs_remote.h"
#include "transfer/remote/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_NS = 100 * 1000 * 1000 };

int transfer_object_base(struct transfer_object *o, const struct oid *base)
{
	if (o->size <= STORE_SMALL_MAX)
		return 0;
	free(o->base);
	o->base = malloc(sizeof(*o->base));
	if (!o->base)
		return err_set(ERR_NOMEM, "out of memory");
	*o->base = *base;
	return 0;
}

void transfer_object_release(struct transfer_object *o)
{
	free(o->base);
	free(o->file);
	memset(o, 0, sizeof(*o));
}

void engine_init(struct engine *e)
{
	memset(e, 0, sizeof(*e));
	pthread_mutex_init(&e->lock, NULL);
}

void engine_release(struct engine *e)
{
	pthread_mutex_destroy(&e->lock);
}

int engine_jobs(const struct engine *e)
{
	return e->jobs > 0 ? e->jobs : workers_default();
}

int engine_check_stop(const struct engine *e)
{
	if ((e->stop && *e->stop) || __atomic_load_n(&e->deaf, __ATOMIC_RELAXED))
		return err_set(ERR_INTERRUPTED, "interrupted");
	return 0;
}

int engine_describe(const struct transfer_object *o, struct buf *out)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &o->oid);
	return o->path ? buf_addf(out, "%s (%s)", hex, o->path) : buf_addstr(out, hex);
}

/* Under the lock: whoever asked cannot be told any more, for the reason in err_msg(). */
static void give_up(struct engine *e)
{
	if (!e->deaf)
		snprintf(e->why_deaf, sizeof(e->why_deaf), "%s", err_msg());
	__atomic_store_n(&e->deaf, 1, __ATOMIC_RELAXED);
}

/* Under the lock. */
static void report_progress(struct engine *e)
{
	if (e->progress && e->progress(e->objects_done, e->bytes_done, e->data) < 0)
		give_up(e);
}

/* Under the lock: at most ten lines a second. */
static void report_now_and_then(struct engine *e)
{
	int64_t now = fs_now_ns();

	if (now - e->last_progress < PROGRESS_NS)
		return;
	e->last_progress = now;
	report_progress(e);
}

/* What the last tenth of a second did is not left out. */
static void report_end(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	report_progress(e);
	pthread_mutex_unlock(&e->lock);
}

void engine_answer(struct engine *e, struct transfer_object *o, int state, uint64_t bytes)
{
	pthread_mutex_lock(&e->lock);
	o->state = state;
	e->objects_done++;
	if (e->answer(o, bytes, e->data) < 0)
		give_up(e);
	report_now_and_then(e);
	pthread_mutex_unlock(&e->lock);
}

void engine_progress(struct engine *e, uint64_t bytes)
{
	pthread_mutex_lock(&e->lock);
	e->bytes_done += bytes;
	report_now_and_then(e);
	pthread_mutex_unlock(&e->lock);
}

void engine_warn(struct engine *e, const char *message)
{
	pthread_mutex_lock(&e->lock);
	if (e->warn)
		e->warn(message, e->data);
	pthread_mutex_unlock(&e->lock);
}

/* Objects whose size the client does not know: what is here has one.  Others get theirs from the
 * remote, which keeps it with the id; a Git LFS server has to be told it. */
static void know_sizes(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct transfer_object *o = &objects[i];
		uint64_t size;

		if (o->size != STORE_SIZE_UNKNOWN)
			continue;
		if (e->store && store_find_size(e->store, &o->oid, &size))
			o->size = size;
		else if (d == ENGINE_UPLOAD)
			engine_answer(e, o,
				err_set(ERR_NOTFOUND, "the object is not in the local store"), 0);
		else if (e->spec->kind == REMOTE_LFS)
			engine_answer(e, o,
				err_set(ERR_UNSUPPORTED, "a Git LFS server cannot be asked for an "
							 "object without its "
							 "size"),
				0);
	}
}

/* The empty object needs no transfer, and a download that is here already neither. */
static void answer_trivial(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct transfer_object *o = &objects[i];

		if (o->state != TRANSFER_OPEN || o->size == STORE_SIZE_UNKNOWN)
			continue;
		if (o->size == 0 && !oid_eq(&o->oid, &oid_of_empty)) {
			engine_answer(e, o,
				err_set(ERR_INVALID, "an object of 0 bytes cannot have another id "
						     "than the empty one"),
				0);
		} else if (d == ENGINE_UPLOAD) {
			if (o->size == 0)
				engine_answer(e, o, TRANSFER_PRESENT, 0);
		} else if (!o->to_file &&
			   (o->size == 0 || (!e->check && store_has(e->store, &o->oid, o->size)))) {
			engine_progress(e, o->size);
			engine_answer(e, o, TRANSFER_OK, 0);
		}
	}
}

static int run_blobstore(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n)
{
	const struct remote_context context = {e->git, e->config, e->stop};
	struct remote *opened = NULL;
	struct blobstore *b = NULL;
	int rc = e->remote ? 0 : remote_open(&opened, e->spec, &context);

	if (rc == 0)
		rc = blobstore_open(&b, e, e->remote ? e->remote : opened);
	if (rc == 0 && d == ENGINE_UPLOAD)
		rc = blobstore_upload(b, objects, n);
	else if (rc == 0)
		rc = blobstore_download(b, objects, n);
	blobstore_close(b);
	remote_close(opened);
	return rc;
}

/* What no part of the remote had. */
static void answer_missing(struct engine *e, struct transfer_object *objects, size_t n)
{
	struct buf who = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (objects[i].state != TRANSFER_OPEN)
			continue;
		buf_reset(&who);
		engine_describe(&objects[i], &who);
		engine_answer(e, &objects[i],
			err_set(ERR_NOTFOUND,
				"remote '%s' has no object %s; run 'git dvx push' where it was "
				"committed",
				e->spec->name, buf_str(&who)),
			0);
	}
	buf_release(&who);
}

int engine_run(struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n)
{
	size_t open = 0;
	int rc = 0;

	know_sizes(e, d, objects, n);
	answer_trivial(e, d, objects, n);
	for (size_t i = 0; i < n; i++)
		open += objects[i].state == TRANSFER_OPEN;
	if (open && e->spec->kind == REMOTE_GITDIR)
		rc = gitdir_remote_run(e, d, objects, n);
	else if (open && e->spec->kind == REMOTE_LFS)
		rc = lfs_remote_run(e, d, objects, n);
	else if (open)
		rc = run_blobstore(e, d, objects, n);
	if (rc == 0)
		rc = engine_check_stop(e);
	if (rc == 0)
		answer_missing(e, objects, n);
	report_end(e);
	if (d == ENGINE_DOWNLOAD && e->store) {
		int flushed = store_flush(e->store);

		rc = rc < 0 ? rc : flushed;
	}
	if (rc == ERR_INTERRUPTED && e->deaf && !(e->stop && *e->stop))
		rc = err_set(ERR_IO, "an answer could not be delivered: %s", e->why_deaf);
	return rc;
}
