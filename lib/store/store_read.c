/*
 * Reading for use: nothing leaves here unchecked.  Packed objects are decoded and hashed; whole
 * ones are checked in the same pass that copies them, by SHA-256 or by the recorded sums
 * (store_sums.c).  Of several copies of a packed object a damaged one is passed over.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- packed objects ---- */

struct packed {
	struct buf stored; /* header and payload */
	int error;	   /* of the last damaged copy */
	char message[512];
};

static int fetch_copy(
	const struct packs *p, const struct pack_file *f, const struct pack_entry *e, void *data)
{
	struct packed *x = data;
	int rc = pack_file_read(p, f, e, &x->stored);

	if (rc == 0)
		return 1;
	x->error = rc;
	snprintf(x->message, sizeof x->message, "%s", err_msg());
	buf_reset(&x->stored);
	return 0;
}

/* 1 and the content appended, 0 when no pack has it, or a negative error. */
static int read_packed(struct store *s, const struct oid *oid, uint64_t size, struct buf *out)
{
	struct packed x = {.stored = BUF_INIT};
	struct pack_codec_ctx *codec = NULL;
	struct pack_entry e;
	int rc;

	if (store_large_is_whole(s, oid, size))
		return 0;
	pthread_mutex_lock(&s->lock);
	rc = store_packed_copies(s, oid, size, fetch_copy, &x);
	pthread_mutex_unlock(&s->lock);
	if (rc == 0 && x.error)
		rc = err_set(x.error, "%s", x.message);
	if (rc <= 0)
		goto done;
	rc = pack_entry_parse(&e, x.stored.p, x.stored.len);
	if (rc == 0)
		rc = buf_grow(out, e.raw_len);
	if (rc == 0)
		rc = store_codec_take(s, &codec);
	if (rc == 0)
		rc = pack_entry_decode(
			codec, &e, x.stored.p + PACK_ENTRY_HEADER_LEN, out->p + out->len, 1);
	if (rc == 0) {
		out->len += e.raw_len;
		rc = 1;
	}
	if (out->p)
		out->p[out->len] = '\0';
done:
	store_codec_give(s, codec);
	buf_release(&x.stored);
	return rc;
}

/* ---- whole objects ---- */

int whole_read(
	int fd, uint64_t size, const struct whole_pass *pass, struct oid *oid, struct sums *sums)
{
	struct flusher *flusher = pass->to_store ? flusher_new(pass->dst_fd) : NULL;
	struct hasher *h;
	uint64_t at = 0;
	int rc = hasher_new(&h);

	while (rc == 0 && at < size) {
		uint8_t *block = hasher_block(h);
		size_t want = size - at < STORE_BLOCK ? (size_t)(size - at) : STORE_BLOCK;
		ssize_t n = fs_pread_full(fd, block, want, at);

		if (n < 0)
			rc = (int)n;
		else if ((size_t)n < want)
			rc = err_set(ERR_CHANGED, "the file became shorter while it was read");
		if (rc == 0 && pass->dst_fd >= 0)
			rc = fs_pwrite_full(pass->dst_fd, block, want, at);
		if (rc == 0 && pass->sink)
			rc = pass->sink(block, want, pass->data);
		if (rc == 0)
			rc = hasher_push(h, want);
		at += want;
		flusher_written(flusher, at);
	}
	if (rc == 0)
		rc = hasher_finish(h, oid, sums);
	flusher_free(flusher);
	hasher_free(h);
	return rc;
}

/* By SHA-256, and take down the sums for the next time. */
static int check_slowly(struct store *s, const struct oid *oid, int fd, const struct stat *st,
	const struct whole_pass *pass, const char *path)
{
	struct sums sums = {0};
	struct oid found;
	int rc = whole_read(fd, (uint64_t)st->st_size, pass, &found, &sums);

	if (rc == 0 && !oid_eq(oid, &found))
		rc = err_set(ERR_CORRUPT, "its content has another SHA-256");
	if (rc == 0 && store_same_stat(st, fd))
		sums_record(s, oid, fd, &sums);
	sums_release(&sums);
	if (rc == ERR_CORRUPT)
		return err_prefix(rc, "'%s' is damaged", path);
	return rc < 0 ? err_prefix(rc, "cannot %s '%s'", pass->dst_fd >= 0 ? "copy" : "read", path)
		      : rc;
}

int whole_check(struct store *s, const struct oid *oid, int fd, const struct stat *st, int dst_fd,
	const char *path)
{
	struct whole_pass pass = {.dst_fd = dst_fd};
	struct sums sums;
	int rc;

	if (!sums_load(s, oid, st, &sums))
		return check_slowly(s, oid, fd, st, &pass, path);
	rc = sums_check(&sums, fd, (uint64_t)st->st_size, dst_fd, path);
	sums_release(&sums);
	return rc;
}

/* After cloning: check the original, which is in the page cache where the clone is not; it must not
 * have changed meanwhile. */
static int check_cloned(
	struct store *s, const struct oid *oid, int fd, const struct stat *st, const char *path)
{
	int rc = whole_check(s, oid, fd, st, -1, path);

	if (rc == 0 && !store_same_stat(st, fd))
		rc = err_set(ERR_CHANGED, "'%s' changed while it was read", path);
	return rc < 0 ? rc : FS_COPY_REFLINK;
}

static int place_whole(struct store *s, const struct oid *oid, uint64_t size, int dst_fd)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = store_open_whole(s, oid, size, &path, &st);
	int rc;

	if (fd < 0) {
		rc = fd;
	} else if (fs_reflink(dst_fd, fd) == 0) {
		rc = check_cloned(s, oid, fd, &st, path.p);
	} else {
		rc = whole_check(s, oid, fd, &st, dst_fd, path.p);
		rc = rc < 0 ? rc : FS_COPY_WRITE;
	}
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return rc;
}

static int stream_whole(
	struct store *s, const struct oid *oid, uint64_t size, const struct whole_pass *pass)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = store_open_whole(s, oid, size, &path, &st);
	int rc = fd < 0 ? fd : check_slowly(s, oid, fd, &st, pass, path.p);

	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return rc;
}

/* ---- both ---- */

/* A packed copy is damaged: a whole one may still be good; else the first trouble is the answer. */
static int or_whole(struct store *s, int packed, const struct oid *oid, uint64_t size)
{
	char message[512];
	struct buf path = BUF_INIT;
	int has;

	if (packed >= 0)
		return 1;
	snprintf(message, sizeof message, "%s", err_msg());
	has = store_whole_path(s, oid, size, &path);
	buf_release(&path);
	return has ? 1 : err_set(packed, "%s", message);
}

static int is_empty_object(const struct oid *oid)
{
	return oid_eq(oid, &oid_of_empty);
}

static int append_to_buf(const void *p, size_t len, void *data)
{
	return buf_add(data, p, len);
}

int store_read(struct store *s, const struct oid *oid, uint64_t size, struct buf *out)
{
	struct whole_pass pass = {.dst_fd = -1, .sink = append_to_buf, .data = out};
	size_t before = out->len;
	int rc;

	if (is_empty_object(oid))
		return buf_grow(out, 0);
	rc = read_packed(s, oid, size, out);
	if (rc == 1)
		return 0;
	rc = or_whole(s, rc, oid, size);
	if (rc == 1)
		rc = stream_whole(s, oid, size, &pass);
	if (rc < 0)
		buf_truncate(out, before);
	return rc;
}

int store_place(struct store *s, const struct oid *oid, uint64_t size, int dst_fd)
{
	struct buf content = BUF_INIT;
	int rc;

	if (is_empty_object(oid))
		return FS_COPY_WRITE;
	rc = read_packed(s, oid, size, &content);
	if (rc == 1) {
		rc = fs_pwrite_full(dst_fd, content.p, content.len, 0);
		rc = rc < 0 ? rc : FS_COPY_WRITE;
	} else {
		rc = or_whole(s, rc, oid, size);
		if (rc == 1)
			rc = place_whole(s, oid, size, dst_fd);
	}
	buf_release(&content);
	return rc;
}

int store_stream(struct store *s, const struct oid *oid, uint64_t size,
	int (*sink)(const void *p, size_t len, void *data), void *data)
{
	struct whole_pass pass = {.dst_fd = -1, .sink = sink, .data = data};
	struct buf content = BUF_INIT;
	int rc;

	if (is_empty_object(oid))
		return 0;
	rc = read_packed(s, oid, size, &content);
	if (rc == 1) {
		rc = sink(content.p, content.len, data);
	} else {
		rc = or_whole(s, rc, oid, size);
		if (rc == 1)
			rc = stream_whole(s, oid, size, &pass);
	}
	buf_release(&content);
	return rc;
}

int store_check(struct store *s, const struct oid *oid, uint64_t size)
{
	struct buf content = BUF_INIT, path = BUF_INIT;
	struct stat st;
	int fd, rc;

	if (is_empty_object(oid))
		return 0;
	rc = read_packed(s, oid, size, &content);
	rc = rc == 1 ? 0 : or_whole(s, rc, oid, size);
	if (rc == 1) {
		fd = store_open_whole(s, oid, size, &path, &st);
		rc = fd < 0 ? fd : whole_check(s, oid, fd, &st, -1, path.p);
		if (fd >= 0)
			close(fd);
	}
	buf_release(&content);
	buf_release(&path);
	return rc;
}

/* Every byte is read and hashed, also when the object is there twice and one copy is good. */
int store_verify(struct store *s, const struct oid *oid, uint64_t size)
{
	struct whole_pass pass = {.dst_fd = -1};
	struct buf content = BUF_INIT, path = BUF_INIT;
	int rc;

	if (is_empty_object(oid))
		return 0;
	rc = read_packed(s, oid, size, &content);
	if (rc == 0 || (rc == 1 && store_whole_path(s, oid, size, &path)))
		rc = stream_whole(s, oid, size, &pass);
	buf_release(&content);
	buf_release(&path);
	return rc < 0 ? rc : 0;
}
