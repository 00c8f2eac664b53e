/*
 * Content that comes as a stream or lies in memory.  What stays small goes to the session's pack;
 * the rest goes to a temporary file block by block while a second thread hashes, and is put in
 * place when its id is known.  Where the file system can share blocks and the caller has a file
 * that seems to be the same, the blocks are compared instead of written.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct store_writer {
	struct store *s;
	struct buf small; /* while it is small */
	uint64_t size;
	int failed; /* the first error: what came after it is missing */
	int lost;   /* the error that stopped writing; hashing goes on, for the store may have it
		       already */
	char lost_why[512];
	/* from here on when it is large */
	struct hasher *hasher;
	struct flusher *flusher;
	uint8_t *block; /* the hasher's, `fill` bytes used */
	size_t fill;
	uint64_t written; /* bytes of complete blocks */
	int fd;
	struct buf temp;
	int keep; /* the temporary file is one of store_partial.c, and stays for the next writer */
	/* comparing with a clone */
	int clone_fd;
	int cloned; /* the temporary file is a clone of it, equal up to `written` */
	struct stat clone_stat;
	uint8_t *compare; /* STORE_BLOCK bytes */
};

/* ---- small ---- */

struct found {
	const struct store *s;
	struct buf *bytes;
};

static int copy_is_intact(
	const struct packs *p, const struct pack_file *f, const struct pack_entry *e, void *data)
{
	struct found *found = data;

	buf_reset(found->bytes);
	return pack_file_read(p, f, e, found->bytes) == 0 && store_renew(found->s, f->fd, NULL);
}

/* 1 if it is stored already and those bytes are whole: after a power failure an index may know more
 * than the disk. */
static int has_good_small(struct store *s, const struct oid *oid, size_t len, struct buf *work)
{
	struct found found = {s, work};
	struct stat st;
	int fd, rc;

	if (!s->small_whole) {
		pthread_mutex_lock(&s->lock);
		rc = store_packed_copies(s, oid, len, copy_is_intact, &found);
		pthread_mutex_unlock(&s->lock);
		if (rc)
			return rc;
	}
	buf_reset(work);
	if (!store_whole_path(s, oid, len, work))
		return 0;
	fd = store_open_whole(s, oid, len, work, &st);
	if (fd < 0)
		return 0;
	rc = store_verify(s, oid, len) == 0 && store_renew(s, fd, oid);
	close(fd);
	return rc;
}

static int put_small_whole(struct store *s, const void *data, size_t len, const struct oid *oid)
{
	static const struct sums none;
	struct buf temp = BUF_INIT;
	int fd = whole_temp(s, &temp);
	int rc = fd < 0 ? fd : fs_write_full(fd, data, len);

	if (rc == 0)
		rc = whole_commit(s, &temp, &fd, oid, len, &none);
	whole_abort(&temp, &fd);
	buf_release(&temp);
	return rc;
}

int store_put_small(struct store *s, const void *data, size_t len, const struct oid *oid)
{
	struct pack_codec_ctx *codec = NULL;
	struct buf work = BUF_INIT;
	int rc = len ? store_hold(s, 0) : 1;

	if (rc == 0)
		rc = has_good_small(s, oid, len, &work);
	if (rc > 0 && len)
		rc = store_hold(s, 1) < 0 ? ERR_IO : 1;
	if (rc)
		goto done;
	if (s->small_whole) {
		rc = put_small_whole(s, data, len, oid);
		goto done;
	}
	buf_reset(&work);
	rc = store_codec_take(s, &codec);
	if (rc == 0)
		rc = pack_entry_encode(codec, &work, oid, data, len);
	if (rc == 0)
		rc = store_append(s, work.p, work.len);
done:
	store_codec_give(s, codec);
	buf_release(&work);
	return rc < 0 ? rc : 0;
}

int store_put(struct store *s, const void *data, size_t len, struct oid *oid)
{
	struct store_writer *w;
	uint64_t size;
	int rc;

	if (len <= STORE_SMALL_MAX) {
		oid_of(oid, data, len);
		return store_put_small(s, data, len, oid);
	}
	rc = store_writer_new(&w, s, -1);
	if (rc == 0)
		rc = store_writer_add(w, data, len);
	if (rc == 0)
		rc = store_writer_finish(w, NULL, oid, &size);
	store_writer_free(w);
	return rc;
}

/* ---- the writer ---- */

int store_writer_new(struct store_writer **out, struct store *s, int clone_fd)
{
	struct store_writer *w = calloc(1, sizeof *w);

	*out = w;
	if (!w)
		return err_set(ERR_NOMEM, "out of memory");
	w->s = s;
	w->fd = -1;
	w->clone_fd = clone_fd;
	return 0;
}

void store_writer_free(struct store_writer *w)
{
	struct stat st;

	if (!w)
		return;
	flusher_free(w->flusher);
	hasher_free(w->hasher);
	if (w->keep && w->fd >= 0 && fstat(w->fd, &st) == 0 && st.st_size > 0) {
		close(w->fd);
		w->fd = -1;
		buf_reset(&w->temp);
	}
	whole_abort(&w->temp, &w->fd);
	buf_release(&w->temp);
	buf_release(&w->small);
	free(w->compare);
	free(w);
}

/* Make the temporary file a clone, if that works and pays. */
static void try_clone(struct store_writer *w)
{
	if (w->clone_fd < 0 || store_settle(w->clone_fd, &w->clone_stat) < 0 ||
		fs_reflink(w->fd, w->clone_fd) < 0)
		return;
	w->compare = malloc(STORE_BLOCK);
	w->cloned = w->compare != NULL;
	if (!w->cloned)
		(void)!ftruncate(w->fd, 0);
}

/* Nothing can be written (a read-only store, a full disk).  `git status` cleans files that the
 * store has: those need not be. */
static void lose(struct store_writer *w, int error)
{
	w->lost = error;
	w->cloned = 0;
	w->keep = 0;
	snprintf(w->lost_why, sizeof w->lost_why, "%s", err_msg());
}

static int begin_large(struct store_writer *w)
{
	int rc = hasher_new(&w->hasher);

	if (rc < 0)
		return rc;
	if (w->fd < 0)
		w->fd = whole_temp(w->s, &w->temp);
	if (w->fd < 0) {
		lose(w, w->fd);
	} else {
		try_clone(w);
		w->flusher = flusher_new(w->fd);
	}
	w->block = hasher_block(w->hasher);
	if (w->small.len)
		memcpy(w->block, w->small.p, w->small.len);
	w->fill = w->small.len;
	buf_release(&w->small);
	return 0;
}

/* 1 if the clone's original has the same bytes here (the original: it is in the page cache, the
 * clone is not). */
static int equals_clone(struct store_writer *w)
{
	ssize_t n = fs_pread_full(w->clone_fd, w->compare, w->fill, w->written);

	return n == (ssize_t)w->fill && memcmp(w->compare, w->block, w->fill) == 0;
}

static int flush_block(struct store_writer *w)
{
	int rc = 0;

	if (w->cloned && !equals_clone(w)) {
		w->cloned = 0;
		if (ftruncate(w->fd, (off_t)w->written) < 0)
			return err_sys("cannot shorten '%s'", w->temp.p);
	}
	if (!w->cloned && !w->lost)
		rc = fs_pwrite_full(w->fd, w->block, w->fill, w->written);
	if (rc < 0)
		lose(w, err_prefix(rc, "'%s'", w->temp.p));
	w->written += w->fill;
	if (!w->cloned && !w->lost)
		flusher_written(w->flusher, w->written);
	rc = hasher_push(w->hasher, w->fill);
	w->fill = 0;
	return rc;
}

static int add(struct store_writer *w, const void *data, size_t len)
{
	const uint8_t *p = data;
	int rc = 0;

	w->size += len;
	if (!w->hasher && w->size <= STORE_SMALL_MAX)
		return buf_add(&w->small, data, len);
	if (!w->hasher)
		rc = begin_large(w);
	while (len && rc == 0) {
		size_t n = STORE_BLOCK - w->fill;

		n = n < len ? n : len;
		memcpy(w->block + w->fill, p, n);
		w->fill += n;
		p += n;
		len -= n;
		if (w->fill < STORE_BLOCK)
			continue;
		rc = flush_block(w);
		if (rc == 0)
			w->block = hasher_block(w->hasher);
	}
	return rc;
}

int store_writer_add(struct store_writer *w, const void *data, size_t len)
{
	if (!w->failed)
		w->failed = add(w, data, len);
	return w->failed;
}

/* ---- going on with what another writer has left ---- */

int store_writer_resume(struct store_writer **out, struct store *s, const struct oid *oid,
	uint64_t size, uint64_t *have)
{
	struct store_writer *w;
	struct stat st;
	int rc = store_writer_new(out, s, -1);

	*have = 0;
	if (rc < 0 || size <= STORE_SMALL_MAX)
		return rc;
	w = *out;
	w->fd = partial_open(s, oid, &w->temp);
	if (w->fd < 0) { /* as if there were nothing to go on with */
		w->fd = -1;
		err_clear();
		return 0;
	}
	w->keep = 1;
	if (fstat(w->fd, &st) == 0 && (uint64_t)st.st_size <= size)
		*have = (uint64_t)st.st_size;
	else if (ftruncate(w->fd, 0) < 0)
		return err_sys("cannot shorten '%s'", w->temp.p);
	return 0;
}

/* One block of what is there: hashed, and when it is whole, as good as written. */
static int keep_block(struct store_writer *w, size_t len)
{
	ssize_t n = fs_pread_full(w->fd, w->block, len, w->written);
	int rc;

	if (n != (ssize_t)len)
		return n < 0 ? (int)n : err_set(ERR_CHANGED, "'%s' became shorter", w->temp.p);
	w->size += len;
	w->fill = len;
	if (len < STORE_BLOCK)
		return 0;
	w->written += len;
	w->fill = 0;
	rc = hasher_push(w->hasher, len);
	if (rc == 0)
		w->block = hasher_block(w->hasher);
	return rc;
}

int store_writer_keep(struct store_writer *w, uint64_t len)
{
	int rc = ftruncate(w->fd, (off_t)len) < 0 ? err_sys("cannot shorten '%s'", w->temp.p) : 0;

	if (rc == 0 && len)
		rc = begin_large(w);
	while (rc == 0 && w->size < len)
		rc = keep_block(
			w, len - w->size < STORE_BLOCK ? (size_t)(len - w->size) : STORE_BLOCK);
	return w->failed = rc;
}

void store_writer_forget(struct store_writer *w)
{
	w->keep = 0;
}

/* The clone was compared with its original: good only if that stayed as it was. */
static int end_clone(struct store_writer *w)
{
	if (!w->cloned)
		return 0;
	if (!store_same_stat(&w->clone_stat, w->clone_fd))
		return err_set(ERR_CHANGED, "the file changed while it was read");
	if (ftruncate(w->fd, (off_t)w->size) < 0)
		return err_sys("cannot shorten '%s'", w->temp.p);
	return 0;
}

static int finish_lost(struct store_writer *w, const struct oid *oid)
{
	int rc = store_hold(w->s, 1);

	if (rc < 0)
		return rc;
	return store_check(w->s, oid, w->size) == 0 ? 0 : err_set(w->lost, "%s", w->lost_why);
}

static int finish_large(struct store_writer *w, const struct oid *expect, struct oid *oid)
{
	struct sums sums = {0};
	int rc = w->fill ? flush_block(w) : 0;

	flusher_free(w->flusher);
	w->flusher = NULL;
	if (rc == 0)
		rc = end_clone(w);
	if (rc == 0)
		rc = hasher_finish(w->hasher, oid, &sums);
	if (rc == 0)
		rc = store_expected(expect, oid);
	if (rc == ERR_CORRUPT)
		store_writer_forget(w);
	if (rc == 0)
		rc = w->lost ? finish_lost(w, oid)
			     : whole_commit(w->s, &w->temp, &w->fd, oid, w->size, &sums);
	sums_release(&sums);
	return rc;
}

int store_writer_finish(
	struct store_writer *w, const struct oid *expect, struct oid *oid, uint64_t *size)
{
	int rc;

	*size = w->size;
	if (w->failed)
		return w->failed;
	if (w->hasher)
		return finish_large(w, expect, oid);
	oid_of(oid, w->small.p, w->small.len);
	rc = store_expected(expect, oid);
	if (rc == 0)
		rc = store_put_small(w->s, w->small.p, w->small.len, oid);
	return rc;
}
