/*
 * What a clean-up does with packs.  Every pack is a source: it stays as it is, or what is kept of
 * it is copied and it goes.  Small packs are copied together.  A pack with something that is
 * needless but too young is copied alone, if at all, so that its age is not lost; the age of an
 * entry is the time of its pack.  A pack that is damaged, or that somebody is writing, is left
 * alone.
 */
#include "lib/store/store_merge.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { SMALL_PACK = PACK_MAX / 4 }; /* smaller ones are merged */

/* ---- one source ---- */

static int is_open_pack(const char *name)
{
	return strncmp(name, "open-", 5) == 0;
}

static int pack_path(struct buf *out, const struct store *s, const char *name)
{
	return buf_addf(out, "%s/%s", s->roots[0].packs.dir, name);
}

/* An open pack belongs to whoever has its lock. */
static int lock_open(struct source *x, struct store *s)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc = pack_path(&path, s, x->name);

	if (rc == 0) {
		x->lock_fd = open(path.p, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (x->lock_fd < 0)
			rc = err_sys("cannot open pack '%s'", path.p);
	}
	if (rc == 0 && (flock(x->lock_fd, LOCK_EX | LOCK_NB) < 0 || stat(path.p, &st) < 0 ||
			       st.st_ino != x->file->ino))
		rc = err_set(ERR_LOCKED, "pack '%s' is being written", path.p);
	buf_release(&path);
	return rc == ERR_NOTFOUND || rc == ERR_DENIED ? ERR_LOCKED : rc;
}

/* Entry by entry, without a gap. */
static int is_complete(const struct source *x)
{
	const struct pack_file *f = x->file;
	uint64_t at = PACK_HEADER_LEN;

	if (f->map)
		return x->n == f->table.n;
	if (!is_open_pack(x->name))
		return 0;
	for (size_t i = 0; i < f->n; i++) {
		if (f->entries[i].offset != at)
			return 0;
		at += PACK_ENTRY_HEADER_LEN + f->entries[i].stored_len;
	}
	return 1;
}

int source_open(struct source *x, struct store *s, struct pack_file *f)
{
	struct stat st;
	int rc = 0;

	*x = (struct source){.file = f, .lock_fd = -1, .name = strdup(f->name)};
	if (!x->name)
		return err_set(ERR_NOMEM, "out of memory");
	if (is_open_pack(x->name))
		rc = lock_open(x, s);
	if (rc == 0 && !f->map)
		rc = pack_file_settle(f);
	if (rc == 0)
		rc = pack_file_entries(f, &x->v, &x->n);
	if (rc == 0 && fstat(f->fd, &st) < 0)
		rc = err_sys("cannot stat pack '%s'", x->name);
	if (rc < 0)
		return rc;
	x->size = (uint64_t)st.st_size;
	x->mtime = fs_mtime_ns(&st);
	if (st.st_nlink == 0)
		return err_set(ERR_LOCKED, "pack '%s' was removed", x->name);
	return is_complete(x) ? 0 : err_set(ERR_CORRUPT, "pack '%s' is damaged", x->name);
}

void source_close(struct source *x)
{
	if (x->lock_fd >= 0)
		close(x->lock_fd);
	free(x->name);
	free(x->v);
	*x = (struct source){.lock_fd = -1};
}

int source_remove(struct source *x, struct store *s, const char *to)
{
	struct buf path = BUF_INIT, log = BUF_INIT;
	int rc = pack_path(&path, s, x->name);

	if (rc == 0 && x->lock_fd >= 0) {
		rc = buf_addf(&log, "%s/", s->roots[0].packs.dir);
		if (rc == 0)
			rc = pack_log_name(&log, x->name);
		if (rc == 0) /* first, lest it should be taken for the next pack's */
			(void)unlink(log.p);
	}
	if (rc == 0 && (to ? rename(path.p, to) : unlink(path.p)) < 0 && errno != ENOENT)
		rc = err_sys("cannot %s '%s'", to ? "move" : "remove", path.p);
	if (rc == 0)
		packs_drop(&s->roots[0].packs, x->file);
	buf_release(&path);
	buf_release(&log);
	return rc;
}

/* ---- all of them ---- */

struct candidate {
	struct source x;
	size_t keep, young, drop;
	int rewrite;
};

struct merge {
	struct store *s;
	const struct store_gc_options *o;
	int64_t begun;
	struct repack *repack;
	struct candidate *v;
	size_t n;
};

enum verdict gc_judge(
	const struct store_gc_options *o, int64_t begun, const struct oid *oid, int64_t mtime)
{
	enum store_fate fate = o->fate(oid, o->data);

	if (fate == STORE_KEEP)
		return VERDICT_KEEP;
	if (mtime >= begun || (fate == STORE_DROP_OLD && mtime >= o->older_than))
		return VERDICT_YOUNG;
	return VERDICT_DROP;
}

static void judge(struct merge *m, struct candidate *c)
{
	for (size_t i = 0; i < c->x.n; i++) {
		enum verdict v = gc_judge(m->o, m->begun, &c->x.v[i].id, c->x.mtime);

		c->keep += v == VERDICT_KEEP;
		c->young += v == VERDICT_YOUNG;
		c->drop += v == VERDICT_DROP;
	}
}

/* What is not ours to touch is counted and left out. */
static int note(struct merge *m, struct pack_file *f, struct store_gc_result *r)
{
	struct candidate *c = &m->v[m->n];
	int rc = source_open(&c->x, m->s, f);

	r->packs_before++;
	if (rc == 0 && c->x.n > 0) {
		judge(m, c);
		m->n++;
		return 0;
	}
	source_close(&c->x);
	r->busy_packs += rc == ERR_LOCKED;
	r->damaged_packs += rc == ERR_CORRUPT;
	if (rc == ERR_LOCKED || rc == ERR_CORRUPT)
		rc = 0;
	return rc;
}

static int older_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->x.mtime != y->x.mtime)
		return x->x.mtime < y->x.mtime ? -1 : 1;
	return strcmp(x->x.name, y->x.name);
}

static int is_mergeable(const struct candidate *c)
{
	return c->young == 0 && c->drop == 0 && c->x.size < SMALL_PACK;
}

static void choose(struct merge *m)
{
	size_t small = 0, opened = 0;

	for (size_t i = 0; i < m->n; i++) {
		m->v[i].rewrite = m->v[i].drop > 0;
		small += is_mergeable(&m->v[i]);
		opened += m->v[i].drop > 0 && m->v[i].young == 0;
	}
	for (size_t i = 0; i < m->n && small + opened > 1; i++)
		m->v[i].rewrite |= is_mergeable(&m->v[i]);
}

/* What is left of one source.  With damage found on the way it stays, after all. */
static int copy(struct merge *m, struct candidate *c, struct store_gc_result *r)
{
	int rc = 0;

	repack_age(m->repack, c->x.mtime);
	for (size_t i = 0; rc == 0 && i < c->x.n; i++) {
		if (m->o->stop && *m->o->stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		if (gc_judge(m->o, m->begun, &c->x.v[i].id, c->x.mtime) != VERDICT_DROP)
			rc = repack_add(m->repack, c->x.file, &c->x.v[i]);
	}
	if (rc == ERR_CORRUPT) {
		err_clear();
		c->rewrite = 0;
		r->damaged_packs++;
		rc = 0;
	}
	return rc;
}

static int copy_all(struct merge *m, struct store_gc_result *r)
{
	int rc = repack_new(&m->repack, m->s);

	for (size_t i = 0; rc == 0 && i < m->n; i++)
		if (m->v[i].rewrite && m->v[i].young == 0)
			rc = copy(m, &m->v[i], r);
	for (size_t i = m->n; rc == 0 && i-- > 0;) { /* of several copies the youngest counts */
		if (!m->v[i].rewrite || m->v[i].young == 0)
			continue;
		rc = repack_next(m->repack);
		if (rc == 0)
			rc = copy(m, &m->v[i], r);
	}
	return rc == 0 ? repack_next(m->repack) : rc;
}

static void count(struct merge *m, struct store_gc_result *r)
{
	for (size_t i = 0; i < m->n; i++) {
		struct candidate *c = &m->v[i];

		for (size_t k = 0; k < c->x.n; k++) {
			enum verdict v = gc_judge(m->o, m->begun, &c->x.v[k].id, c->x.mtime);

			r->young += v == VERDICT_YOUNG;
			r->young_bytes += v == VERDICT_YOUNG ? c->x.v[k].raw_len : 0;
			r->dropped += v == VERDICT_DROP && c->rewrite;
			r->dropped_bytes += v == VERDICT_DROP && c->rewrite ? c->x.v[k].raw_len : 0;
			if (m->o->dry_run && v == VERDICT_DROP)
				r->freed += PACK_ENTRY_HEADER_LEN + c->x.v[k].stored_len;
		}
	}
}

int merge_prepare(struct merge **out, struct store *s, const struct store_gc_options *o,
	int64_t begun, struct store_gc_result *r)
{
	struct merge *m = calloc(1, sizeof *m);
	struct packs *p = &s->roots[0].packs;
	int rc;

	*out = m;
	if (!m)
		return err_set(ERR_NOMEM, "out of memory");
	*m = (struct merge){.s = s, .o = o, .begun = begun};
	pthread_mutex_lock(&s->lock);
	rc = packs_refresh(p);
	if (rc >= 0) {
		m->v = calloc(p->n + 1, sizeof *m->v);
		rc = m->v ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	for (size_t i = 0; rc == 0 && i < p->n; i++)
		rc = note(m, p->v[i], r);
	if (rc == 0) {
		qsort(m->v, m->n, sizeof *m->v, older_first);
		choose(m);
		rc = o->dry_run ? 0 : copy_all(m, r);
	}
	if (rc == 0)
		count(m, r);
	r->packs_after = r->packs_before;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int merge_commit(struct merge *m, struct store_gc_result *r)
{
	uint64_t made, gone = 0;
	int rc = repack_commit(m->repack);

	pthread_mutex_lock(&m->s->lock);
	r->packs_after += repack_count(m->repack, &made);
	for (size_t i = 0; rc == 0 && i < m->n; i++) {
		struct candidate *c = &m->v[i];

		if (!c->rewrite)
			continue;
		gone += c->x.size;
		r->packs_after--;
		if (!repack_made(m->repack, c->x.name))
			rc = source_remove(&c->x, m->s, NULL);
	}
	pthread_mutex_unlock(&m->s->lock);
	r->freed += gone > made ? gone - made : 0;
	return rc;
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	repack_free(m->repack);
	for (size_t i = 0; i < m->n; i++)
		source_close(&m->v[i].x);
	free(m->v);
	free(m);
}
