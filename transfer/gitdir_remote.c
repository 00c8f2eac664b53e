/*
 * Exchange with a Git repository on the same machine.  Its own object store is opened like ours, so
 * whatever it keeps - whole objects, in Git LFS's place or where its lfs.storage says, or packs of
 * small ones - can be read; files are linked or cloned rather than copied where that is possible.
 * Which part is written to is decided in one place, writes_whole().
 */
#include "transfer/gitdir_remote.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"
#include "transfer/blob/blobstore.h"
#include "transfer/blob/deliver.h"
#include "transfer/remote/remote.h"
#include "lib/setup/lfs_use.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_MAX = 16 * 1024 * 1024 };

/* The other repository. */
struct peer {
	struct engine *engine;
	struct gitdir git; /* strings borrowed from the two below */
	struct buf dvx_dir, index;
	struct config *config;
	struct store *store;
	struct buf lfs_dir; /* its objects/ is what Git LFS reads and writes */
	struct transfer_object **todo;
	size_t n_todo;
	int last_try; /* an object that fails now has failed */
};

/* Its own configuration matters for lfs.storage and core.sharedRepository, so Git is asked only
 * when one of the words occurs. */
static int load_config(struct peer *p)
{
	struct buf path = BUF_INIT, text = {.max = CONFIG_MAX};
	int mentions = 0;

	if (buf_addf(&path, "%s/config", p->git.common_dir) == 0 &&
		buf_read_file(&text, path.p) == 0)
		mentions = strcasestr(buf_str(&text), "storage") != NULL ||
			   strcasestr(buf_str(&text), "shared") != NULL ||
			   strcasestr(buf_str(&text), "include") != NULL;
	err_clear();
	buf_release(&path);
	buf_release(&text);
	return mentions ? config_load(&p->config, &p->git) : config_load_global(&p->config);
}

static int find_lfs_dir(struct peer *p)
{
	const char *storage = config_get(p->config, "lfs.storage");

	return fs_join(&p->lfs_dir, p->git.common_dir, storage && *storage ? storage : "lfs");
}

static int peer_open(struct peer *p, struct engine *e)
{
	int rc;

	memset(p, 0, sizeof(*p));
	p->engine = e;
	p->git.git_dir = p->git.common_dir = e->spec->path;
	rc = buf_addf(&p->dvx_dir, "%s/dvx", e->spec->path);
	if (rc == 0)
		rc = buf_addf(&p->index, "%s/index", e->spec->path);
	p->git.dvx_dir = p->dvx_dir.p;
	p->git.index = p->index.p;
	if (rc == 0)
		rc = load_config(p);
	if (rc == 0)
		rc = find_lfs_dir(p);
	if (rc == 0)
		rc = store_open(&p->store, &p->git, p->config);
	return rc;
}

static void peer_close(struct peer *p)
{
	store_close(p->store);
	config_free(p->config);
	buf_release(&p->dvx_dir);
	buf_release(&p->index);
	buf_release(&p->lfs_dir);
	free(p->todo);
}

/* Linking makes two names of one file: fine where the file is ours, since no side ever writes an
 * object in place. */
static int may_link(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == geteuid();
}

/* ---- reading ---- */

static int deliver_piece(const void *p, size_t len, void *data)
{
	return deliver_data(data, p, len);
}

static int copy_from_peer(struct peer *p, struct transfer_object *o)
{
	struct deliver out;
	int rc = deliver_begin(&out, p->engine, o);

	if (rc == 0)
		rc = store_stream(p->store, &o->oid, o->size, deliver_piece, &out);
	if (rc == 0)
		rc = deliver_finish(&out);
	deliver_abort(&out);
	return rc;
}

static int fetch_one(size_t i, void *data)
{
	struct peer *p = data;
	struct engine *e = p->engine;
	struct transfer_object *o = p->todo[i];
	struct buf path = BUF_INIT, who = BUF_INIT;
	int rc = engine_check_stop(e);

	if (rc < 0)
		return rc;
	if (e->dry_run)
		rc = 0;
	else if (e->check)
		rc = store_verify(p->store, &o->oid, o->size);
	else if (!o->to_file && store_whole_path(p->store, &o->oid, o->size, &path))
		rc = store_import_whole(e->store, path.p, may_link(path.p), &o->oid, o->size);
	else
		rc = copy_from_peer(p, o);
	if (rc >= 0) {
		engine_progress(e, o->size);
		engine_answer(e, o, TRANSFER_OK, e->dry_run ? 0 : o->size);
	} else if (rc != ERR_INTERRUPTED && (p->last_try || rc != ERR_CORRUPT)) {
		engine_describe(o, &who);
		rc = err_prefix(rc, "cannot fetch object %s from remote '%s'", buf_str(&who),
			e->spec->name);
		engine_answer(e, o, rc, 0);
	}
	buf_release(&path);
	buf_release(&who);
	return rc == ERR_INTERRUPTED ? rc : 0;
}

/* The blob store in `<repo>/dvx`, if there is one; what it has not, stays open. */
static int fetch_from_blobs(struct peer *p, struct transfer_object *objects, size_t n)
{
	struct remote *remote = NULL;
	struct blobstore *b = NULL;
	struct buf format = BUF_INIT;
	int rc = buf_addf(&format, "%s/format", p->dvx_dir.p);

	if (rc < 0 || !fs_exists(format.p))
		goto done;
	rc = remote_dir_open(&remote, p->engine->spec->name, p->dvx_dir.p);
	if (rc == 0)
		rc = blobstore_open(&b, p->engine, remote);
	if (rc == 0)
		rc = blobstore_download(b, objects, n);
done:
	blobstore_close(b);
	remote_close(remote);
	buf_release(&format);
	return rc;
}

static int collect(struct peer *p, struct transfer_object *objects, size_t n,
	int (*wanted)(struct peer *p, const struct transfer_object *o))
{
	p->todo = calloc(n ? n : 1, sizeof(*p->todo));
	if (!p->todo)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (objects[i].state == TRANSFER_OPEN && wanted(p, &objects[i]))
			p->todo[p->n_todo++] = &objects[i];
	}
	return 0;
}

static int peer_has(struct peer *p, const struct transfer_object *o)
{
	return store_has(p->store, &o->oid, o->size);
}

static int fetch_own(struct peer *p, struct transfer_object *objects, size_t n, int last_try)
{
	int rc;

	free(p->todo);
	p->n_todo = 0;
	p->last_try = last_try;
	rc = collect(p, objects, n, peer_has);
	return rc == 0 ? workers_run(engine_jobs(p->engine), p->n_todo, fetch_one, p) : rc;
}

/* What the repository keeps for itself first: that can be linked.  What is damaged there may be
 * whole among the blobs; if not, the second try has the message. */
static int download(struct peer *p, struct transfer_object *objects, size_t n)
{
	int rc;

	for (size_t i = 0; i < n; i++) {
		uint64_t size;

		if (objects[i].size == STORE_SIZE_UNKNOWN &&
			store_find_size(p->store, &objects[i].oid, &size))
			objects[i].size = size;
	}
	rc = fetch_own(p, objects, n, 0);
	if (rc == 0)
		rc = fetch_from_blobs(p, objects, n);
	return rc == 0 ? fetch_own(p, objects, n, 1) : rc;
}

/* ---- writing ---- */

static int writes_whole(const struct peer *p)
{
	struct buf objects = BUF_INIT;
	int whole = lfs_use_keeps_small_whole(p->engine->git, p->engine->config);

	if (!whole && fs_join(&objects, p->lfs_dir.p, "objects") == 0)
		whole = fs_exists(objects.p);
	buf_release(&objects);
	return whole;
}

static int write_piece(const void *p, size_t len, void *data)
{
	return store_writer_add(data, p, len);
}

/* What we have no file of. */
static int send_bytes(struct peer *p, const struct transfer_object *o)
{
	struct store_writer *w = NULL;
	struct oid oid;
	uint64_t size;
	int rc = store_writer_new(&w, p->store, -1);

	if (rc == 0)
		rc = store_stream(p->engine->store, &o->oid, o->size, write_piece, w);
	if (rc == 0)
		rc = store_writer_finish(w, &o->oid, &oid, &size);
	store_writer_free(w);
	return rc;
}

static int send_one(size_t i, void *data)
{
	struct peer *p = data;
	struct engine *e = p->engine;
	struct transfer_object *o = p->todo[i];
	struct buf path = BUF_INIT, who = BUF_INIT;
	int rc = engine_check_stop(e);

	if (rc < 0)
		return rc;
	if (o->file)
		rc = store_import_whole(p->store, o->file, may_link(o->file), &o->oid, o->size);
	else if (store_whole_path(e->store, &o->oid, o->size, &path))
		rc = store_import_whole(p->store, path.p, may_link(path.p), &o->oid, o->size);
	else
		rc = send_bytes(p, o);
	if (rc >= 0) {
		engine_progress(e, o->size);
	} else if (rc != ERR_INTERRUPTED) {
		engine_describe(o, &who);
		engine_answer(e, o, err_prefix(rc, "object %s", buf_str(&who)), 0);
	}
	buf_release(&path);
	buf_release(&who);
	return rc == ERR_INTERRUPTED ? rc : 0;
}

/* Durable, then answered. */
static int sync_and_answer(struct peer *p)
{
	struct oid *oids = calloc(p->n_todo ? p->n_todo : 1, sizeof(*oids));
	size_t n = 0;
	int rc = oids ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < p->n_todo; i++) {
		if (p->todo[i]->state == TRANSFER_OPEN)
			oids[n++] = p->todo[i]->oid;
	}
	if (rc == 0 && n)
		rc = store_sync(p->store, oids, n);
	free(oids);
	if (rc < 0)
		return err_prefix(rc, "cannot write to remote '%s'", p->engine->spec->name);
	for (size_t i = 0; i < p->n_todo; i++) {
		if (p->todo[i]->state == TRANSFER_OPEN)
			engine_answer(p->engine, p->todo[i], TRANSFER_OK, p->todo[i]->size);
	}
	return 0;
}

/* 1 if the peer's file is no copy but our own file: the remote is this repository, or borrows from
 * it.  (Several links to one file are copies: removing one of them removes nothing.) */
static int is_our_file(struct peer *p, const struct transfer_object *o, const char *theirs)
{
	struct buf path = BUF_INIT;
	char *a = realpath(theirs, NULL), *b = NULL;
	struct stat st_a, st_b;
	int same = 0;

	if (a && store_whole_path(p->engine->store, &o->oid, o->size, &path))
		b = realpath(path.p, NULL);
	if (b && stat(a, &st_a) == 0 && stat(b, &st_b) == 0)
		same = !strcmp(a, b) || (st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino &&
						st_a.st_nlink == 1);
	buf_release(&path);
	free(a);
	free(b);
	return same;
}

static int peer_lacks_whole(struct peer *p, const struct transfer_object *o)
{
	struct buf path = BUF_INIT;
	int has = !p->engine->anew && store_whole_path(p->store, &o->oid, o->size, &path);

	if (has && p->engine->verify) /* somebody is about to drop ours */
		has = !is_our_file(p, o, path.p);
	buf_release(&path);
	return !has;
}

static int upload_whole(struct peer *p, struct transfer_object *objects, size_t n)
{
	struct engine *e = p->engine;
	int rc;
	size_t next = 0;

	store_keep_small_whole(p->store);
	rc = collect(p, objects, n, peer_lacks_whole);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (next < p->n_todo && p->todo[next] == &objects[i]) {
			next++;
			if (e->dry_run)
				engine_answer(e, &objects[i], TRANSFER_OK, 0);
		} else if (objects[i].state == TRANSFER_OPEN) {
			engine_progress(e, objects[i].size);
			engine_answer(e, &objects[i], TRANSFER_PRESENT, 0);
		}
	}
	if (rc == 0 && !e->dry_run)
		rc = workers_run(engine_jobs(e), p->n_todo, send_one, p);
	return rc == 0 && !e->dry_run ? sync_and_answer(p) : rc;
}

static int upload_blobs(struct peer *p, struct transfer_object *objects, size_t n)
{
	struct remote *remote = NULL;
	struct blobstore *b = NULL;
	int rc = remote_dir_open(&remote, p->engine->spec->name, p->dvx_dir.p);

	if (rc == 0)
		rc = blobstore_open(&b, p->engine, remote);
	if (rc == 0)
		rc = blobstore_upload(b, objects, n);
	blobstore_close(b);
	remote_close(remote);
	return rc;
}

int gitdir_remote_run(
	struct engine *e, enum engine_direction d, struct transfer_object *objects, size_t n)
{
	struct peer p;
	int rc = peer_open(&p, e);

	if (rc < 0)
		rc = err_prefix(rc, "remote '%s'", e->spec->name);
	else if (d == ENGINE_DOWNLOAD)
		rc = download(&p, objects, n);
	else
		rc = writes_whole(&p) ? upload_whole(&p, objects, n) : upload_blobs(&p, objects, n);
	peer_close(&p);
	return rc;
}

int gitdir_remote_measure(struct engine *e, struct store_size *out)
{
	struct peer p;
	int rc = peer_open(&p, e);

	if (rc == 0)
		rc = store_measure(p.store, out);
	peer_close(&p);
	return rc < 0 ? err_prefix(rc, "remote '%s'", e->spec->name) : rc;
}

int gitdir_remote_blobs(struct engine *e, struct remote **out)
{
	struct buf root = BUF_INIT, format = BUF_INIT;
	int rc = buf_addf(&root, "%s/dvx", e->spec->path);

	if (rc == 0)
		rc = buf_addf(&format, "%s/format", root.p);
	if (rc == 0)
		rc = fs_exists(format.p) ? remote_dir_open(out, e->spec->name, root.p) : 1;
	buf_release(&root);
	buf_release(&format);
	return rc;
}

/* ---- asking often ---- */

struct gitdir_own {
	struct peer peer;
};

int gitdir_own_open(struct gitdir_own **out, struct engine *e)
{
	struct gitdir_own *o = malloc(sizeof(*o));
	int rc = o ? peer_open(&o->peer, e) : err_set(ERR_NOMEM, "out of memory");

	if (o && rc < 0) {
		gitdir_own_close(o);
		o = NULL;
	}
	*out = o;
	return rc;
}

void gitdir_own_close(struct gitdir_own *o)
{
	if (!o)
		return;
	peer_close(&o->peer);
	free(o);
}

int gitdir_own_find(struct gitdir_own *o, const struct oid *oid, uint64_t *size)
{
	return store_find_size(o->peer.store, oid, size);
}
