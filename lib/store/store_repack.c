/*
 * New packs out of entries of old ones.  Each is a temporary file beside the packs ("gc-…", locked
 * as long as its writer lives) until repack_commit; every entry is decoded and hashed when it is
 * copied, because the old copy is going to be removed.
 */
#include "lib/store/store_merge.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/oidmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct target {
	struct buf temp;
	int fd;
	int64_t mtime;
	struct oid name;
	uint64_t size;
};

struct repack {
	struct store *s;
	struct pack_codec_ctx *codec;
	struct oidmap copied;
	struct target *v;
	size_t n;
	struct pack_writer *writer; /* of the last target; NULL: the next entry begins another */
	int64_t mtime;
	struct buf entry;
	uint8_t *raw;
};

int repack_new(struct repack **out, struct store *s)
{
	struct repack *k = calloc(1, sizeof *k);
	int rc;

	*out = NULL;
	if (!k)
		return err_set(ERR_NOMEM, "out of memory");
	k->s = s;
	k->raw = malloc(PACK_ENTRY_RAW_MAX);
	rc = k->raw ? pack_codec_new(&k->codec) : err_set(ERR_NOMEM, "out of memory");
	if (rc < 0)
		repack_free(k);
	else
		*out = k;
	return rc;
}

void repack_free(struct repack *k)
{
	if (!k)
		return;
	pack_writer_free(k->writer);
	for (size_t i = 0; i < k->n; i++) {
		if (k->v[i].fd >= 0)
			close(k->v[i].fd);
		if (k->v[i].temp.len)
			unlink(k->v[i].temp.p);
		buf_release(&k->v[i].temp);
	}
	free(k->v);
	pack_codec_free(k->codec);
	oidmap_release(&k->copied);
	buf_release(&k->entry);
	free(k->raw);
	free(k);
}

static int begin(struct repack *k)
{
	struct target *v = realloc(k->v, (k->n + 1) * sizeof *v), *t;
	struct buf prefix = BUF_INIT;
	int rc;

	if (!v)
		return err_set(ERR_NOMEM, "out of memory");
	k->v = v;
	t = &v[k->n++];
	memset(t, 0, sizeof *t);
	t->fd = -1;
	rc = buf_addf(&prefix, "%s/gc-", k->s->roots[0].packs.dir);
	if (rc == 0)
		rc = t->fd = fs_tempfile(&t->temp, prefix.p);
	if (t->fd >= 0) {
		(void)flock(t->fd, LOCK_EX | LOCK_NB);
		rc = store_share_file(k->s, t->fd, t->temp.p);
	}
	if (rc == 0)
		rc = pack_writer_new(&k->writer, t->fd);
	buf_release(&prefix);
	return rc < 0 ? rc : 0;
}

int repack_next(struct repack *k)
{
	struct target *t = k->n ? &k->v[k->n - 1] : NULL;
	int rc = 0;

	if (k->writer)
		rc = pack_writer_finish(k->writer, &t->name, &t->size);
	if (k->writer)
		t->mtime = k->mtime;
	pack_writer_free(k->writer);
	k->writer = NULL;
	k->mtime = 0;
	return rc;
}

void repack_age(struct repack *k, int64_t mtime)
{
	if (mtime > k->mtime)
		k->mtime = mtime;
}

int repack_add(struct repack *k, const struct pack_file *f, const struct pack_entry *e)
{
	const struct packs *p = &k->s->roots[0].packs;
	int64_t mtime;
	int rc;

	if (oidmap_get(&k->copied, &e->id, NULL))
		return 0;
	buf_reset(&k->entry);
	rc = pack_file_read(p, f, e, &k->entry);
	if (rc == 0) {
		rc = pack_entry_decode(k->codec, e, k->entry.p + PACK_ENTRY_HEADER_LEN, k->raw, 1);
		if (rc < 0)
			err_prefix(rc, "pack '%s/%s'", p->dir, f->name);
	}
	if (rc == 0 && !k->writer)
		rc = begin(k);
	if (rc == 0)
		rc = pack_writer_add_encoded(k->writer, k->entry.p, k->entry.len, NULL);
	if (rc == ERR_LIMIT) {
		mtime = k->mtime;
		rc = repack_next(k);
		k->mtime = mtime;
		if (rc == 0)
			rc = begin(k);
		if (rc == 0)
			rc = pack_writer_add_encoded(k->writer, k->entry.p, k->entry.len, NULL);
	}
	if (rc == 0)
		rc = oidmap_add(&k->copied, &e->id, 0);
	return rc < 0 ? rc : 0;
}

static int place(struct repack *k, struct target *t)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
		{.tv_sec = t->mtime / 1000000000, .tv_nsec = t->mtime % 1000000000}};
	char hex[OID_HEX_LEN + 1];
	struct buf path = BUF_INIT;
	int rc;

	oid_to_hex(hex, &t->name);
	rc = buf_addf(&path, "%s/%s.pack", k->s->roots[0].packs.dir, hex);
	if (rc == 0 && futimens(t->fd, times) < 0)
		rc = err_sys("cannot set the time of '%s'", t->temp.p);
	if (rc == 0)
		rc = fs_fsync(t->fd, t->temp.p);
	if (rc == 0 && rename(t->temp.p, path.p) < 0)
		rc = err_sys("cannot rename '%s' to '%s'", t->temp.p, path.p);
	if (rc == 0) {
		buf_reset(&t->temp);
		rc = fs_close(&t->fd, path.p);
	}
	buf_release(&path);
	return rc;
}

int repack_commit(struct repack *k)
{
	int rc = repack_next(k);

	for (size_t i = 0; rc == 0 && i < k->n; i++)
		rc = place(k, &k->v[i]);
	return rc == 0 && k->n ? fs_fsync_dir(k->s->roots[0].packs.dir) : rc;
}

int repack_made(const struct repack *k, const char *name)
{
	char hex[OID_HEX_LEN + 1];

	for (size_t i = 0; i < k->n; i++) {
		oid_to_hex(hex, &k->v[i].name);
		if (strncmp(name, hex, OID_HEX_LEN) == 0 && !strcmp(name + OID_HEX_LEN, ".pack"))
			return 1;
	}
	return 0;
}

size_t repack_count(const struct repack *k, uint64_t *bytes)
{
	*bytes = 0;
	for (size_t i = 0; i < k->n; i++)
		*bytes += k->v[i].size;
	return k->n;
}
