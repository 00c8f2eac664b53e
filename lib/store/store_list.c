/*
 * Everything that our own part of the store has: whole objects by walking Git LFS's directories,
 * packed ones by the packs' indexes.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/store_gc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- whole objects ---- */

struct walk {
	struct buf path;
	store_whole_fn fn;
	void *data;
};

static int is_hex(const char *name, size_t len)
{
	return strlen(name) == len && strspn(name, "0123456789abcdef") == len;
}

static int visit_object(struct walk *w, const char *name)
{
	struct oid oid;
	struct stat st;

	if (oid_from_hex(&oid, name) < 0 || lstat(w->path.p, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return w->fn(w->path.p, &oid, &st, w->data);
}

/* Levels 0 and 1 are directories of two digits, level 2 holds the objects. */
static int visit_dir(struct walk *w, int level)
{
	size_t before = w->path.len;
	DIR *dir = opendir(w->path.p);
	struct dirent *d;
	int rc = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys("cannot open directory '%s'", w->path.p);
	while (rc == 0 && (d = readdir(dir))) {
		if (!is_hex(d->d_name, level == 2 ? OID_HEX_LEN : 2))
			continue;
		rc = buf_addf(&w->path, "/%s", d->d_name);
		if (rc == 0)
			rc = level == 2 ? visit_object(w, d->d_name) : visit_dir(w, level + 1);
		buf_truncate(&w->path, before);
	}
	closedir(dir);
	return rc;
}

int store_each_whole(struct store *s, store_whole_fn fn, void *data)
{
	struct walk w = {BUF_INIT, fn, data};
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = store_ready(s);
	pthread_mutex_unlock(&s->lock);
	if (rc == 0)
		rc = buf_addstr(&w.path, s->roots[0].objects);
	if (rc == 0)
		rc = visit_dir(&w, 0);
	buf_release(&w.path);
	return rc;
}

/* ---- packed objects ---- */

static int by_offset(const void *a, const void *b)
{
	const struct pack_entry *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

int pack_file_entries(const struct pack_file *f, struct pack_entry **out, size_t *n)
{
	size_t count = f->map ? f->table.n : f->n;
	struct pack_entry *v = malloc((count ? count : 1) * sizeof *v);
	uint32_t last;

	*n = 0;
	*out = v;
	if (!v)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		if (!f->map) { /* of several copies the last one counts */
			if (pack_file_place(f, &f->entries[i].id, &last) && last == i)
				v[(*n)++] = f->entries[i];
		} else if (pack_table_at(&f->table, i, &v[*n]) == 0) {
			++*n;
		}
	}
	qsort(v, *n, sizeof *v, by_offset);
	return 0;
}

/* ---- both ---- */

struct each {
	int (*fn)(const struct store_item *i, void *data);
	void *data;
};

static int pass_whole(const char *path, const struct oid *oid, const struct stat *st, void *data)
{
	const struct each *e = data;
	struct store_item i = {.oid = *oid,
		.size = (uint64_t)st->st_size,
		.stored = (uint64_t)st->st_size,
		.mtime = fs_mtime_ns(st)};

	(void)path;
	return e->fn(&i, e->data);
}

static int pass_pack(const struct pack_file *f, const struct each *e)
{
	struct pack_entry *v = NULL;
	struct stat st;
	size_t n = 0;
	int rc = fstat(f->fd, &st) < 0 ? err_sys("cannot stat pack '%s'", f->name)
				       : pack_file_entries(f, &v, &n);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct store_item item = {.oid = v[i].id,
			.size = v[i].raw_len,
			.stored = PACK_ENTRY_HEADER_LEN + (uint64_t)v[i].stored_len,
			.mtime = fs_mtime_ns(&st),
			.packed = 1};

		rc = e->fn(&item, e->data);
	}
	free(v);
	return rc;
}

int store_each(struct store *s, int (*fn)(const struct store_item *i, void *data), void *data)
{
	struct each e = {fn, data};
	int rc = store_each_whole(s, pass_whole, &e);

	pthread_mutex_lock(&s->lock);
	if (rc == 0)
		rc = packs_refresh(&s->roots[0].packs);
	for (size_t i = 0; rc >= 0 && i < s->roots[0].packs.n; i++) {
		rc = pass_pack(s->roots[0].packs.v[i], &e);
		if (rc)
			break;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int measure_whole(const char *path, const struct oid *oid, const struct stat *st, void *data)
{
	struct store_size *out = data;

	(void)path, (void)oid;
	out->whole++;
	out->whole_bytes += (uint64_t)st->st_size;
	return 0;
}

int store_measure(struct store *s, struct store_size *out)
{
	int rc;

	memset(out, 0, sizeof *out);
	rc = store_each_whole(s, measure_whole, out);
	pthread_mutex_lock(&s->lock);
	if (rc == 0)
		rc = packs_refresh(&s->roots[0].packs);
	for (size_t i = 0; rc >= 0 && i < s->roots[0].packs.n; i++) {
		struct stat st;

		if (fstat(s->roots[0].packs.v[i]->fd, &st) < 0)
			continue;
		out->packs++;
		out->pack_bytes += (uint64_t)st.st_size;
	}
	pthread_mutex_unlock(&s->lock);
	return rc < 0 ? rc : 0;
}
