/*
 * Large objects of the store into Git: a pack written straight into `git index-pack --stdin`, so
 * that neither program holds one in memory.  The store checks each object while it is read; if it
 * is damaged, the pack is never finished, and Git keeps nothing of it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/gitpack.h"
#include "lib/repo/migrate_internal.h"

enum { PACK_VERSION = 2, OUT_STEP = 64 * 1024 };

struct stream {
	int fd;
	struct githash_ctx pack, blob;
	z_stream z;
	unsigned char out[OUT_STEP];
};

static int send(struct stream *s, const void *p, size_t len)
{
	githash_update(&s->pack, p, len);
	return fs_write_full(s->fd, p, len);
}

/* Pass input through zlib until it is used up, or with Z_FINISH to the end. */
static int squeeze(struct stream *s, const void *p, size_t len, int flush)
{
	int rc, z;

	s->z.next_in = p;
	s->z.avail_in = (uInt)len;
	do {
		s->z.next_out = s->out;
		s->z.avail_out = sizeof s->out;
		z = deflate(&s->z, flush);
		if (z == Z_STREAM_ERROR)
			return err_set(ERR_NOMEM, "cannot compress an object");
		rc = send(s, s->out, sizeof s->out - s->z.avail_out);
	} while (rc == 0 && (flush == Z_FINISH ? z != Z_STREAM_END : s->z.avail_in > 0));
	return rc;
}

static int sink(const void *p, size_t len, void *data)
{
	struct stream *s = data;

	githash_update(&s->blob, p, len);
	return squeeze(s, p, len, Z_NO_FLUSH);
}

static int put_one(struct stream *s, struct store *store, int hash_len, struct migrate_large *o)
{
	struct buf head = BUF_INIT;
	char name[64];
	int n, rc = gitpack_header(&head, GIT_BLOB, o->size);

	if (rc == 0)
		rc = send(s, head.p, head.len);
	n = snprintf(name, sizeof name, "blob %llu", (unsigned long long)o->size);
	githash_init(&s->blob, hash_len);
	githash_update(&s->blob, name, (size_t)n + 1);
	if (rc == 0)
		rc = store_stream(store, &o->oid, o->size, sink, s);
	if (rc == 0)
		rc = squeeze(s, NULL, 0, Z_FINISH);
	if (rc == 0 && deflateReset(&s->z) != Z_OK)
		rc = err_set(ERR_NOMEM, "cannot compress an object");
	githash_final(&s->blob, o->id);
	buf_release(&head);
	return rc;
}

static int put_all(struct stream *s, struct store *store, int hash_len,
	struct migrate_large *objects, size_t n)
{
	struct buf head = BUF_INIT;
	uint8_t sum[REPO_ID_MAX];
	size_t i;
	int rc = buf_addstr(&head, "PACK");

	githash_init(&s->pack, hash_len);
	if (rc == 0)
		rc = buf_add_be32(&head, PACK_VERSION);
	if (rc == 0)
		rc = buf_add_be32(&head, (uint32_t)n);
	if (rc == 0)
		rc = send(s, head.p, head.len);
	for (i = 0; rc == 0 && i < n; i++)
		rc = put_one(s, store, hash_len, &objects[i]);
	if (rc == 0) {
		githash_final(&s->pack, sum);
		rc = fs_write_full(s->fd, sum, (size_t)hash_len);
	}
	buf_release(&head);
	return rc;
}

int migrate_put_large(
	const struct repo *repo, struct store *store, struct migrate_large *objects, size_t n)
{
	struct stream *s = calloc(1, sizeof *s);
	struct run run = RUN_INIT;
	int rc, status;

	if (!s || deflateInit(&s->z, Z_BEST_SPEED) != Z_OK) {
		free(s);
		return err_set(ERR_NOMEM, "out of memory");
	}
	rc = git_prepare(&run, repo, "-c", "core.bigFileThreshold=16m", "index-pack", "--stdin",
		(char *)NULL);
	run.in = RUN_PIPE;
	run.out = RUN_NULL;
	if (rc == 0)
		rc = run_start(&run);
	if (rc == 0) {
		s->fd = run.in_fd;
		rc = put_all(s, store, repo->hash_len, objects, n);
		if (rc < 0) /* it would complain of a pack that ends too early */
			kill(run.pid, SIGKILL);
		status = run_finish(&run);
		if (rc == 0 && status != 0)
			rc = status < 0 ? status
					: err_set(ERR_INVALID,
						  "'git index-pack' failed with exit status %d",
						  status);
	}
	run_release(&run);
	deflateEnd(&s->z);
	free(s);
	return rc;
}
