/*
 * Looking for damage in our own part of the store, and setting damaged files aside: moved, never
 * deleted, because half of something may be worth more than nothing to the one who lost it.
 */
#include "lib/store/store_gc.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/store_merge.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { RECORD_MIN = 96 + 8, RECORD_MAX = 64 << 20 };

/* ---- packs ---- */

struct packcheck {
	struct store *s;
	const volatile int *stop;
	struct pack_codec_ctx *codec;
	uint8_t *raw;
	struct buf entry;
	int (*fn)(const char *pack, const char *message, void *data);
	void *data;
	int stopped; /* what fn returned */
};

static int tell(struct packcheck *c, const struct pack_file *f)
{
	c->stopped = c->fn(f->name, err_msg(), c->data);
	err_clear();
	return c->stopped;
}

/* A sealed pack is named by its bytes. */
static int check_name(struct packcheck *c, const struct pack_file *f)
{
	char hex[OID_HEX_LEN + 1];
	struct oid_ctx hash;
	struct oid name;
	uint64_t at = 0;
	ssize_t n;

	if (strncmp(f->name, "open-", 5) == 0)
		return 0;
	oid_init(&hash);
	while ((n = fs_pread_full(f->fd, c->raw, PACK_ENTRY_RAW_MAX, at)) > 0) {
		oid_update(&hash, c->raw, (size_t)n);
		at += (uint64_t)n;
	}
	if (n < 0)
		return (int)n;
	oid_final(&hash, &name);
	oid_to_hex(hex, &name);
	if (strncmp(hex, f->name, OID_HEX_LEN) == 0)
		return 0;
	err_set(ERR_CORRUPT, "pack '%s/%s': its bytes do not hash to its name",
		c->s->roots[0].packs.dir, f->name);
	return tell(c, f);
}

static int check_entry(struct packcheck *c, const struct pack_file *f, const struct pack_entry *e)
{
	const struct packs *p = &c->s->roots[0].packs;
	char hex[OID_HEX_LEN + 1];
	int rc;

	buf_reset(&c->entry);
	rc = pack_file_read(p, f, e, &c->entry);
	if (rc == 0) {
		rc = pack_entry_decode(c->codec, e, c->entry.p + PACK_ENTRY_HEADER_LEN, c->raw, 1);
		if (rc < 0)
			err_prefix(rc, "pack '%s/%s'", p->dir, f->name);
	}
	if (rc == 0)
		return 0;
	oid_to_hex(hex, &e->id);
	err_prefix(rc, "object %s", hex);
	return tell(c, f);
}

static int check_pack(struct packcheck *c, struct pack_file *f)
{
	struct source x;
	int rc = source_open(&x, c->s, f);

	if (rc ==
		ERR_LOCKED) { /* its writer lives: what it has finished can be read all the same */
		err_clear();
		rc = x.v ? 0 : pack_file_entries(f, &x.v, &x.n);
	} else if (rc == ERR_CORRUPT) {
		err_set(rc, "pack '%s/%s' has damaged parts", c->s->roots[0].packs.dir, f->name);
		rc = tell(c, f);
	}
	if (rc == 0)
		rc = check_name(c, f);
	for (size_t i = 0; rc == 0 && i < x.n; i++) {
		if (c->stop && *c->stop)
			rc = err_set(ERR_INTERRUPTED, "interrupted");
		if (rc == 0)
			rc = check_entry(c, f, &x.v[i]);
	}
	source_close(&x);
	return rc;
}

/* A file that could not be opened as a pack at all. */
static int check_trouble(struct packcheck *c)
{
	const struct buf *trouble = &c->s->roots[0].packs.trouble;

	if (trouble->len == 0)
		return 0;
	c->stopped = c->fn("", trouble->p, c->data);
	return c->stopped;
}

int store_check_packs(struct store *s, const volatile int *stop,
	int (*fn)(const char *pack, const char *message, void *data), void *data)
{
	struct packcheck c = {.s = s, .stop = stop, .fn = fn, .data = data};
	int rc = pack_codec_new(&c.codec);

	c.raw = malloc(PACK_ENTRY_RAW_MAX);
	if (rc == 0 && !c.raw)
		rc = err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_lock(&s->lock);
	if (rc == 0)
		rc = store_ready(s);
	if (rc == 0)
		rc = packs_refresh(&s->roots[0].packs);
	for (size_t i = 0; rc >= 0 && !c.stopped && i < s->roots[0].packs.n; i++)
		rc = check_pack(&c, s->roots[0].packs.v[i]);
	if (rc >= 0 && !c.stopped)
		rc = check_trouble(&c);
	pthread_mutex_unlock(&s->lock);
	pack_codec_free(c.codec);
	buf_release(&c.entry);
	free(c.raw);
	return rc;
}

/* ---- records of sums ---- */

static int is_good_record(const char *path)
{
	struct buf bytes = {.max = RECORD_MAX};
	int good = buf_read_file(&bytes, path) == 0 && bytes.len >= RECORD_MIN &&
		   memcmp(bytes.p, "DVXS", 4) == 0 &&
		   XXH3_64bits(bytes.p, bytes.len - 8) == be64_get(bytes.p + bytes.len - 8);

	err_clear();
	buf_release(&bytes);
	return good;
}

static int check_sums_in(
	struct buf *path, int remove, int (*fn)(const char *path, void *data), void *data)
{
	size_t before = path->len;
	DIR *dir = opendir(path->p);
	struct dirent *d;
	int rc = 0;

	while (dir && rc == 0 && (d = readdir(dir))) {
		if (strspn(d->d_name, "0123456789abcdef") != OID_HEX_LEN ||
			d->d_name[OID_HEX_LEN] != '\0')
			continue;
		rc = buf_addf(path, "/%s", d->d_name);
		if (rc == 0 && !is_good_record(path->p)) {
			rc = fn(path->p, data);
			if (remove)
				(void)unlink(path->p);
		}
		buf_truncate(path, before);
	}
	if (dir)
		closedir(dir);
	return rc;
}

int store_check_sums(
	struct store *s, int remove, int (*fn)(const char *path, void *data), void *data)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	for (int i = 0; rc == 0 && i < 256; i++) {
		buf_reset(&path);
		rc = buf_addf(&path, "%s/sums/%02x", s->dvx_dir, i);
		if (rc == 0)
			rc = check_sums_in(&path, remove, fn, data);
	}
	buf_release(&path);
	return rc;
}

/* ---- setting aside ---- */

static int bad_path(struct store *s, const char *name, struct buf *to)
{
	size_t before = to->len;
	int rc = buf_addf(to, "%s/bad", s->dvx_dir);

	if (rc == 0)
		rc = store_mkdirs(s, to->p + before);
	return rc == 0 ? buf_addf(to, "/%s", name) : rc;
}

int store_set_aside(struct store *s, const struct oid *oid, struct buf *to)
{
	char hex[OID_HEX_LEN + 1];
	struct buf path = BUF_INIT;
	size_t before = to->len;
	int rc;

	oid_to_hex(hex, oid);
	pthread_mutex_lock(&s->lock);
	rc = store_ready(s);
	pthread_mutex_unlock(&s->lock);
	if (rc == 0)
		rc = store_object_path(&s->roots[0], oid, &path);
	if (rc == 0)
		rc = bad_path(s, hex, to);
	if (rc == 0 && rename(path.p, to->p + before) < 0)
		rc = err_sys("cannot move '%s' to '%s'", path.p, to->p + before);
	if (rc == 0)
		sums_forget(s, oid);
	buf_release(&path);
	return rc;
}

static struct pack_file *pack_named(struct store *s, const char *name)
{
	struct packs *p = &s->roots[0].packs;

	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->v[i]->name, name))
			return p->v[i];
	return NULL;
}

/* Copy what can be read.  A damaged entry is what we are here for. */
static int save_good(struct repack *k, const struct source *x)
{
	int rc = 0;

	repack_age(k, x->mtime);
	for (size_t i = 0; rc == 0 && i < x->n; i++) {
		rc = repack_add(k, x->file, &x->v[i]);
		if (rc == ERR_CORRUPT || rc == ERR_UNSUPPORTED)
			rc = 0;
	}
	err_clear();
	return rc == 0 ? repack_commit(k) : rc;
}

int store_set_pack_aside(struct store *s, const char *name, struct buf *to)
{
	struct source x = {.lock_fd = -1};
	struct repack *k = NULL;
	struct pack_file *f;
	size_t before = to->len;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = store_ready(s);
	if (rc == 0)
		rc = packs_refresh(&s->roots[0].packs);
	f = rc >= 0 ? pack_named(s, name) : NULL;
	if (rc >= 0)
		rc = f ? source_open(&x, s, f) : err_set(ERR_NOTFOUND, "no pack '%s'", name);
	if (rc == ERR_CORRUPT)
		rc = 0;
	if (rc == 0)
		rc = repack_new(&k, s);
	if (rc == 0)
		rc = save_good(k, &x);
	if (rc == 0)
		rc = bad_path(s, name, to);
	if (rc == 0 && !repack_made(k, name))
		rc = source_remove(&x, s, to->p + before);
	pthread_mutex_unlock(&s->lock);
	repack_free(k);
	source_close(&x);
	return rc;
}
