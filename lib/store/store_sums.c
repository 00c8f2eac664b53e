/*
 * The fast check of large objects (docs/local-store.md).  When an object was hashed with SHA-256,
 * the same bytes in memory were summed with XXH3 per segment; the sums are kept in
 * ".git/dvx/sums/aa/<oid>" with the file's stat data.  As long as the file is that file, reading it
 * and comparing the sums proves it whole at the speed of memory; several segments at once, and
 * copying at the same time what was just checked.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/workers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	RECORD_VERSION = 1,
	RECORD_HEADER_LEN = 96,
	RECORD_CHECK_LEN = 8,
	RECORD_LEN_MAX = 64 << 20,
	PIECE = 256 * 1024, /* stays in the cache between reading, summing and writing */
	PARALLEL_FROM = 8 * STORE_SEGMENT
};

static const char record_magic[4] = {'D', 'V', 'X', 'S'};

static int record_path(const struct store *s, const struct oid *oid, struct buf *path)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	return buf_addf(path, "%s/sums/%.2s/%s", s->dvx_dir, hex, hex);
}

void sums_forget(const struct store *s, const struct oid *oid)
{
	struct buf path = BUF_INIT;

	if (record_path(s, oid, &path) == 0)
		(void)unlink(path.p);
	buf_release(&path);
}

static size_t segments_of(uint64_t size)
{
	return (size_t)((size + STORE_SEGMENT - 1) / STORE_SEGMENT);
}

/* The part of a record that says which file it is about. */
static void put_header(
	uint8_t h[static RECORD_HEADER_LEN], const struct oid *oid, const struct stat *st)
{
	memset(h, 0, RECORD_HEADER_LEN);
	memcpy(h, record_magic, sizeof record_magic);
	be32_put(h + 4, RECORD_VERSION);
	memcpy(h + 8, oid->id, OID_LEN);
	be64_put(h + 40, (uint64_t)st->st_size);
	be64_put(h + 48, (uint64_t)fs_mtime_ns(st));
	be64_put(h + 56, (uint64_t)fs_ctime_ns(st));
	be64_put(h + 64, (uint64_t)st->st_ino);
	be64_put(h + 72, (uint64_t)st->st_dev);
	be32_put(h + 80, STORE_SEGMENT);
}

void sums_record(const struct store *s, const struct oid *oid, int fd, const struct sums *sums)
{
	struct buf path = BUF_INIT, bytes = BUF_INIT, dir = BUF_INIT;
	uint8_t header[RECORD_HEADER_LEN];
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < STORE_SUMS_MIN ||
		sums->n != segments_of((uint64_t)st.st_size))
		return;
	put_header(header, oid, &st);
	if (record_path(s, oid, &path) < 0 || fs_dirname(&dir, path.p) < 0 ||
		store_mkdirs(s, dir.p) < 0 || buf_add(&bytes, header, sizeof header) < 0 ||
		buf_add(&bytes, sums->digests, sums->n * sizeof sums->digests[0]) < 0 ||
		buf_add_be64(&bytes, XXH3_64bits(bytes.p, bytes.len)) < 0)
		goto done;
	(void)fs_replace_file(path.p, bytes.p, bytes.len, 0);
done:
	buf_release(&path);
	buf_release(&bytes);
	buf_release(&dir);
}

int sums_load(const struct store *s, const struct oid *oid, const struct stat *st, struct sums *out)
{
	struct buf path = BUF_INIT, bytes = {.max = RECORD_LEN_MAX};
	uint8_t header[RECORD_HEADER_LEN];
	size_t n = segments_of((uint64_t)st->st_size), body;
	int ok = 0;

	memset(out, 0, sizeof *out);
	if (st->st_size < STORE_SUMS_MIN)
		return 0;
	put_header(header, oid, st);
	if (record_path(s, oid, &path) < 0 || buf_read_file(&bytes, path.p) < 0)
		goto done;
	body = sizeof header + n * sizeof out->digests[0];
	if (bytes.len != body + RECORD_CHECK_LEN || memcmp(bytes.p, header, sizeof header) != 0 ||
		be64_get(bytes.p + body) != XXH3_64bits(bytes.p, body))
		goto done;
	out->digests = malloc(n * sizeof out->digests[0]);
	if (!out->digests)
		goto done;
	memcpy(out->digests, bytes.p + sizeof header, n * sizeof out->digests[0]);
	out->n = out->cap = n;
	ok = 1;
done:
	buf_release(&path);
	buf_release(&bytes);
	return ok;
}

/* ---- the check ---- */

struct check {
	const struct sums *sums;
	const char *path;
	uint64_t size;
	int src, dst;
};

static int check_segment(size_t i, void *data)
{
	const struct check *c = data;
	uint64_t at = (uint64_t)i * STORE_SEGMENT, end = at + STORE_SEGMENT;
	XXH3_state_t *state = XXH3_createState();
	uint8_t *piece = malloc(PIECE);
	XXH128_canonical_t digest;
	int rc = 0;

	if (!state || !piece) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	if (end > c->size)
		end = c->size;
	XXH3_128bits_reset(state);
	while (at < end && rc == 0) {
		size_t want = end - at < PIECE ? (size_t)(end - at) : PIECE;
		ssize_t n = fs_pread_full(c->src, piece, want, at);

		if (n >= 0 && (size_t)n < want)
			rc = err_set(ERR_CORRUPT, "'%s' became shorter", c->path);
		else if (n < 0)
			rc = err_prefix((int)n, "'%s'", c->path);
		else
			XXH3_128bits_update(state, piece, want);
		if (rc == 0 && c->dst >= 0)
			rc = fs_pwrite_full(c->dst, piece, want, at);
		at += want;
	}
	if (rc < 0)
		goto done;
	XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(state));
	if (memcmp(digest.digest, c->sums->digests[i], sizeof digest.digest) != 0)
		rc = err_set(ERR_CORRUPT, "'%s' is damaged between bytes %llu and %llu", c->path,
			(unsigned long long)i * STORE_SEGMENT, (unsigned long long)end);
done:
	free(piece);
	if (state)
		XXH3_freeState(state);
	return rc;
}

int sums_check(const struct sums *sums, int src_fd, uint64_t size, int dst_fd, const char *path)
{
	struct check c = {sums, path, size, src_fd, dst_fd};

	return workers_run(size >= PARALLEL_FROM ? 0 : 1, sums->n, check_segment, &c);
}
