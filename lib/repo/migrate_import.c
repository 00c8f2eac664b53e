/*
 * Blobs become pointers: several `git cat-file` at once feed the store, and the pointers' text goes
 * to Git afterwards in one thread.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/workers.h"
#include "lib/repo/migrate_internal.h"

enum { JOB_BLOBS = 64, THREADS_MAX = 8, PIECE = 256 * 1024 };

struct result {
	struct oid oid;
	uint64_t size;
	int stored;
};

struct import {
	struct migrate *m;
	struct rewrite *r;
	struct rewrite_blob *b;
	size_t n;
	struct result *results;
	pthread_mutex_t lock; /* over the idle ones */
	struct catfile *idle[THREADS_MAX];
	size_t n_idle;
};

/* ---- a few blobs, in any thread ---- */

struct job {
	struct import *im;
	size_t first;
	struct buf data;
};

static const uint8_t *job_id(size_t i, void *data)
{
	const struct job *j = data;
	const struct rewrite_blob *b = &j->im->b[j->first + i];

	return b->tag & MIGRATE_SKIPPED ? NULL : b->id;
}

/* Content that is not kept in memory. */
static int store_pieces(struct job *j, struct catfile *c, struct result *out)
{
	struct store_writer *w = NULL;
	int rc = store_writer_new(&w, j->im->m->store, -1);

	while (rc == 0) {
		buf_reset(&j->data);
		rc = catfile_take(c, PIECE, &j->data);
		if (rc < 0 || !j->data.len)
			break;
		rc = store_writer_add(w, j->data.p, j->data.len);
	}
	if (rc == 0)
		rc = store_writer_finish(w, NULL, &out->oid, &out->size);
	store_writer_free(w);
	return rc;
}

static int store_blob(struct catfile *c, const struct catfile_head *head, void *data)
{
	struct job *j = data;
	struct rewrite_blob *b = &j->im->b[j->first + head->i];
	struct result *out = &j->im->results[j->first + head->i];
	struct pointer p;
	int rc;

	if (head->type != GIT_BLOB)
		return rewrite_lacks(j->im->r, b);
	b->size = out->size = head->size;
	if (!head->size) /* an empty file is its own pointer */
		return 0;
	if (head->size > MIGRATE_IN_MEMORY) {
		rc = store_pieces(j, c, out);
	} else {
		buf_reset(&j->data);
		rc = catfile_take(c, MIGRATE_IN_MEMORY, &j->data);
		if (rc == 0 && head->size < POINTER_MAX &&
			pointer_parse(&p, j->data.p, j->data.len) == 0)
			return 0;
		if (rc == 0)
			rc = store_put(j->im->m->store, j->data.p, j->data.len, &out->oid);
	}
	out->stored = rc == 0;
	return rc < 0 ? err_prefix(rc, "'%s'", b->path) : 0;
}

static int take_idle(struct import *im, struct catfile **c)
{
	int there;

	pthread_mutex_lock(&im->lock);
	there = im->n_idle > 0;
	if (there)
		*c = im->idle[--im->n_idle];
	pthread_mutex_unlock(&im->lock);
	return there ? 0 : catfile_open(c, im->m->repo);
}

static void give_idle(struct import *im, struct catfile *c)
{
	int kept;

	pthread_mutex_lock(&im->lock);
	kept = im->n_idle < THREADS_MAX;
	if (kept)
		im->idle[im->n_idle++] = c;
	pthread_mutex_unlock(&im->lock);
	if (!kept)
		catfile_close(c);
}

static int run_job(size_t i, void *data)
{
	struct import *im = data;
	struct job j = {.im = im, .first = i * JOB_BLOBS};
	size_t n = im->n - j.first < JOB_BLOBS ? im->n - j.first : JOB_BLOBS;
	struct catfile *c = NULL;
	int rc = take_idle(im, &c);

	if (rc == 0)
		rc = catfile_each(c, n, job_id, store_blob, &j);
	if (rc == 0)
		give_idle(im, c);
	else
		catfile_close(c);
	buf_release(&j.data);
	return rc;
}

/* ---- all that are new in a window ---- */

static int put_pointer(struct import *im, size_t i)
{
	struct migrate *m = im->m;
	const struct result *res = &im->results[i];
	char text[POINTER_CANONICAL_MAX];
	void *v = m->oids;
	int rc;

	if (!res->stored)
		return 0;
	rc = rewrite_put(
		im->r, GIT_BLOB, text, pointer_format(text, &res->oid, res->size), im->b[i].to);
	if (rc == 0 && m->n_oids == m->cap_oids) {
		m->cap_oids = m->cap_oids ? 2 * m->cap_oids : 256;
		v = reallocarray(m->oids, m->cap_oids, sizeof *m->oids);
		if (!v)
			return err_set(ERR_NOMEM, "out of memory");
		m->oids = v;
	}
	if (rc == 0)
		m->oids[m->n_oids++] = res->oid;
	return rc;
}

static int skip_small(struct migrate *m, struct rewrite *r, struct rewrite_blob *b, size_t n)
{
	size_t i;
	int rc;

	if (!m->o.above)
		return rewrite_need(r, b, n);
	rc = migrate_sizes(r, b, n);
	for (i = 0; rc == 0 && i < n; i++)
		if (b[i].size < m->o.above)
			b[i].tag |= MIGRATE_SKIPPED;
	return rc;
}

int migrate_import_blobs(struct rewrite *r, struct rewrite_blob *b, size_t n, void *data)
{
	struct migrate *m = data;
	struct import im = {.m = m, .r = r, .b = b, .n = n, .lock = PTHREAD_MUTEX_INITIALIZER};
	int threads = workers_default();
	size_t i;
	int rc = skip_small(m, r, b, n);

	im.results = calloc(n, sizeof *im.results);
	if (!im.results)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = workers_run(threads < THREADS_MAX ? threads : THREADS_MAX,
			(n + JOB_BLOBS - 1) / JOB_BLOBS, run_job, &im);
	for (i = 0; rc == 0 && i < n; i++)
		rc = put_pointer(&im, i);
	for (i = 0; i < im.n_idle; i++)
		catfile_close(im.idle[i]);
	free(im.results);
	return rc;
}
