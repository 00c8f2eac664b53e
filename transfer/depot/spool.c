/*
 * One run of the engine for all that waits.  Whoever gives the lock back looks once more: who came
 * while it was held was told that it is taken along.
 */
#include "transfer/depot/spool.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum {
	RUN_OBJECTS = 50 * 1000, /* of one run */
	TEMP_AGE = 60,		 /* seconds after which a temporary file is locked or dead */
	STEP_MS = 3		 /* nothing more in this time: no more company is coming */
};

struct spool {
	struct spool_options o;
	struct buf dir, lock, damaged;
};

/* One pass over what waits. */
struct run {
	struct spool *spool;
	struct transfer_object *objects;
	struct sketch *sketches; /* beside the objects; n of 0: none */
	size_t n, cap;
	size_t settled;
	uint64_t reported;
	int rc; /* the first object's that failed */
	char *message;
};

int spool_open(struct spool **out, const struct spool_options *o)
{
	struct spool *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	s->o = *o;
	rc = buf_addf(&s->dir, "%s/incoming", o->state);
	if (rc == 0)
		rc = buf_addf(&s->lock, "%s/settle.lock", o->state);
	if (rc == 0)
		rc = buf_addf(&s->damaged, "%s/damaged", o->state);
	if (rc == 0)
		rc = fs_mkdirs(s->dir.p);
	if (rc < 0)
		spool_close(s);
	else
		*out = s;
	return rc;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	buf_release(&s->dir);
	buf_release(&s->lock);
	buf_release(&s->damaged);
	free(s);
}

int spool_path(const struct spool *s, const struct oid *oid, struct buf *out)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	return buf_addf(out, "%s/%.2s/%s", s->dir.p, hex, hex);
}

int spool_tempfile(const struct spool *s, struct buf *path)
{
	struct buf prefix = BUF_INIT;
	int fd = buf_addf(&prefix, "%s/tmp-", s->dir.p);

	if (fd == 0)
		fd = fs_tempfile(path, prefix.p);
	if (fd >= 0)
		flock(fd, LOCK_SH);
	buf_release(&prefix);
	return fd;
}

/* A new <aa> must be durable as well as what is in it. */
static int make_folder(const struct spool *s, const char *path)
{
	struct buf dir = BUF_INIT;
	int rc = fs_dirname(&dir, path);

	if (rc == 0 && !fs_exists(dir.p)) {
		rc = fs_mkdirs(dir.p);
		if (rc == 0)
			rc = fs_fsync_dir(s->dir.p);
	}
	buf_release(&dir);
	return rc;
}

int spool_keep(const struct spool *s, const char *temp, const struct oid *oid)
{
	struct buf path = BUF_INIT;
	int rc = spool_path(s, oid, &path);

	if (rc == 0)
		rc = make_folder(s, path.p);
	if (rc == 0 && rename(temp, path.p) < 0)
		rc = err_sys("cannot rename to '%s'", path.p);
	if (rc == 0)
		rc = fs_fsync_parent(path.p);
	buf_release(&path);
	return rc;
}

/* ---- what waits ---- */

static void remove_dead(const struct spool *s, const char *name)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd;

	if (buf_addf(&path, "%s/%s", s->dir.p, name) == 0 && stat(path.p, &st) == 0 &&
		time(NULL) - st.st_mtime > TEMP_AGE &&
		(fd = open(path.p, O_RDONLY | O_CLOEXEC)) >= 0) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlink(path.p);
		close(fd);
	}
	buf_release(&path);
}

typedef int visit_fn(const struct oid *oid, const char *path, void *data);

static int visit_folder(const char *folder, visit_fn *fn, void *data)
{
	struct buf path = BUF_INIT;
	struct dirent *e;
	struct oid oid;
	DIR *dir = opendir(folder);
	int rc = 0;

	while (rc == 0 && dir && (e = readdir(dir))) {
		if (strlen(e->d_name) != OID_HEX_LEN || oid_from_hex(&oid, e->d_name) < 0)
			continue;
		buf_reset(&path);
		rc = buf_addf(&path, "%s/%s", folder, e->d_name);
		if (rc == 0)
			rc = fn(&oid, path.p, data);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return rc;
}

/* Until fn returns non-zero, which is returned. */
static int visit(const struct spool *s, visit_fn *fn, void *data)
{
	struct buf folder = BUF_INIT;
	struct dirent *e;
	DIR *dir = opendir(s->dir.p);
	int rc = 0;

	if (!dir)
		return err_sys("cannot open directory '%s'", s->dir.p);
	while (rc == 0 && (e = readdir(dir))) {
		if (strncmp(e->d_name, "tmp-", 4) == 0)
			remove_dead(s, e->d_name);
		if (strlen(e->d_name) != 2 || e->d_name[0] == '.')
			continue;
		buf_reset(&folder);
		rc = buf_addf(&folder, "%s/%s", s->dir.p, e->d_name);
		if (rc == 0)
			rc = visit_folder(folder.p, fn, data);
	}
	closedir(dir);
	buf_release(&folder);
	return rc;
}

/* A link whose file is gone, of somebody who was killed long ago. */
static void remove_dangling(const struct spool *s, const char *path)
{
	struct stat st;

	if (s->o.borrowed && lstat(path, &st) == 0 && S_ISLNK(st.st_mode) &&
		time(NULL) - st.st_mtime > TEMP_AGE)
		unlink(path);
}

static int found_one(const struct oid *oid, const char *path, void *data)
{
	struct stat st;

	(void)oid;
	(void)data;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int spool_waits(const struct spool *s)
{
	return visit(s, found_one, NULL) == 1;
}

static int collect(const struct oid *oid, const char *path, void *data)
{
	struct run *r = data;
	struct stat st;

	if (r->n == RUN_OBJECTS)
		return 1;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		remove_dangling(r->spool, path);
		return 0;
	}
	if (array_room(&r->objects, r->n, &r->cap, sizeof(*r->objects)) < 0)
		return ERR_NOMEM;
	r->objects[r->n] = (struct transfer_object){
		.oid = *oid, .size = (uint64_t)st.st_size, .file = strdup(path)};
	return r->objects[r->n++].file ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* ---- taking it there ---- */

static int find_bases(struct run *r)
{
	r->sketches = calloc(r->n, sizeof(*r->sketches));
	if (!r->sketches)
		return err_set(ERR_NOMEM, "out of memory");
	if (!r->spool->o.similar)
		return 0;
	similar_refresh(r->spool->o.similar);
	for (size_t i = 0; i < r->n; i++) {
		if (r->spool->o.stop && *r->spool->o.stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		if (r->objects[i].size > STORE_SMALL_MAX)
			similar_base(r->spool->o.similar, r->objects[i].file, &r->objects[i].oid,
				&r->sketches[i], &r->objects[i].base);
	}
	return 0;
}

static void note_failure(struct run *r, int rc)
{
	if (r->rc < 0)
		return;
	r->rc = rc;
	r->message = strdup(err_msg());
}

/* Other bytes than were acknowledged: nobody shall be given these, and nothing is thrown away. */
static void put_aside(struct spool *s, const struct transfer_object *o)
{
	struct buf to = BUF_INIT;
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &o->oid);
	if (fs_mkdirs(s->damaged.p) == 0 && buf_addf(&to, "%s/%s", s->damaged.p, hex) == 0 &&
		rename(o->file, to.p) == 0)
		err_prefix(ERR_CORRUPT, "damaged, put aside to '%s'", to.p);
	buf_release(&to);
}

static int answer(struct transfer_object *o, uint64_t bytes, void *data)
{
	struct run *r = data;
	struct spool *s = r->spool;
	const struct sketch *k = &r->sketches[o - r->objects];

	(void)bytes;
	if (o->state < 0 && access(o->file, F_OK) < 0)
		return 0; /* whoever put it has taken it back */
	if (o->state == ERR_CORRUPT && !s->o.borrowed)
		put_aside(s, o);
	if (o->state < 0) {
		note_failure(r, o->state);
		return 0;
	}
	r->settled++;
	if (s->o.similar && similar_add(s->o.similar, &o->oid, k) < 0)
		err_clear(); /* a hint less */
	if (s->o.settled)
		s->o.settled(&o->oid, o->size, o->file, s->o.data);
	else
		unlink(o->file);
	return 0;
}

static int progress(uint64_t objects, uint64_t bytes, void *data)
{
	struct run *r = data;

	(void)objects;
	if (r->spool->o.progress && bytes > r->reported)
		r->spool->o.progress(bytes - r->reported, r->spool->o.data);
	r->reported = bytes > r->reported ? bytes : r->reported;
	return 0;
}

static void warn(const char *message, void *data)
{
	struct run *r = data;

	if (r->spool->o.warn)
		r->spool->o.warn(message, r->spool->o.data);
}

static int send_all(struct run *r)
{
	const struct spool_options *o = &r->spool->o;
	struct engine e;
	int rc;

	engine_init(&e);
	e.git = o->git;
	e.config = o->config;
	e.spec = o->spec;
	e.remote = o->remote;
	e.jobs = o->jobs;
	e.stop = o->stop;
	e.answer = answer;
	e.progress = progress;
	e.warn = warn;
	e.data = r;
	rc = find_bases(r);
	if (rc == 0)
		rc = engine_run(&e, ENGINE_UPLOAD, r->objects, r->n);
	engine_release(&e);
	return rc < 0 ? rc : r->rc < 0 ? err_set(r->rc, "%s", r->message ? r->message : "") : 0;
}

/* 0: nothing waits any more; 1: there may be more; or why something stays. */
static int run_once(struct spool *s)
{
	struct run r = {.spool = s};
	int rc = visit(s, collect, &r);

	if (rc >= 0)
		rc = r.n ? send_all(&r) : 0;
	if (rc == 0)
		rc = r.settled > 0;
	for (size_t i = 0; i < r.n; i++)
		transfer_object_release(&r.objects[i]);
	free(r.objects);
	free(r.sketches);
	free(r.message);
	return rc;
}

static int count_one(const struct oid *oid, const char *path, void *data)
{
	(void)oid;
	(void)path;
	++*(size_t *)data;
	return 0;
}

/* Others are about to put something in as well. */
static void wait_for_company(const struct spool *s)
{
	const struct timespec step = {0, STEP_MS * 1000000L};
	size_t before = 0, now;

	for (unsigned ms = 0; ms < s->o.company_ms; ms += STEP_MS) {
		now = 0;
		if (visit(s, count_one, &now) < 0 || (now == before && ms > STEP_MS))
			return;
		before = now;
		nanosleep(&step, NULL);
	}
}

int spool_settle(struct spool *s)
{
	int lock, rc;

	do {
		lock = flock_take(s->lock.p, 0);
		if (lock < 0)
			return lock;
		wait_for_company(s);
		while ((rc = run_once(s)) > 0)
			;
		close(lock);
	} while (rc == 0 && spool_waits(s));
	return rc;
}
