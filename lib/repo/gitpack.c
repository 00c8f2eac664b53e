/*
 * Building a Git pack of small objects in memory, and handing it to `git index-pack` or `git
 * unpack-objects`, which check every byte and write it with Git's own care for durability.
 */
#include "lib/repo/gitpack.h"

#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/store/oid.h"

enum {
	PACK_VERSION = 2,
	COUNT_AT = 8,	 /* where the header has the number of objects */
	KEEP_FROM = 100, /* objects: fewer are not worth a pack */
	WINDOW_BITS = 9, /* pointers are smaller than the smallest window, and little of a tree
			    compresses at all: */
	MEMORY_LEVEL = 1 /* resetting a large one would be most of the work */
};

struct gitpack {
	struct buf bytes;
	z_stream z;
	uint32_t announced, added;
	int hash_len;
};

int gitpack_new(struct gitpack **out, uint32_t count, int hash_len)
{
	struct gitpack *p = calloc(1, sizeof *p);

	if (!p)
		return err_set(ERR_NOMEM, "out of memory");
	p->announced = count;
	p->hash_len = hash_len;
	if (deflateInit2(&p->z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
		    Z_DEFAULT_STRATEGY) != Z_OK) {
		free(p);
		return err_set(ERR_NOMEM, "out of memory");
	}
	if (buf_addstr(&p->bytes, "PACK") < 0 || buf_add_be32(&p->bytes, PACK_VERSION) < 0 ||
		buf_add_be32(&p->bytes, count) < 0) {
		gitpack_free(p);
		return ERR_NOMEM;
	}
	*out = p;
	return 0;
}

void gitpack_free(struct gitpack *p)
{
	if (!p)
		return;
	deflateEnd(&p->z);
	buf_release(&p->bytes);
	free(p);
}

/* Type and size: 4 bits of size beside the type, then 7 bits a byte. */
int gitpack_header(struct buf *out, enum git_type type, uint64_t size)
{
	unsigned char c = (unsigned char)((unsigned)type << 4 | (size & 15));
	int rc;

	for (size >>= 4; size; size >>= 7) {
		if ((rc = buf_addch(out, (char)(c | 0x80))) < 0)
			return rc;
		c = size & 0x7f;
	}
	return buf_addch(out, (char)c);
}

int gitpack_add_object(struct gitpack *p, enum git_type type, const void *data, size_t len)
{
	size_t room = deflateBound(&p->z, len);
	int rc;

	if (len > UINT32_MAX || p->added == UINT32_MAX)
		return err_set(ERR_LIMIT, "too much for one pack");
	if ((rc = gitpack_header(&p->bytes, type, len)) < 0 || (rc = buf_grow(&p->bytes, room)) < 0)
		return rc;
	p->z.next_in = data;
	p->z.avail_in = (uInt)len;
	p->z.next_out = (unsigned char *)p->bytes.p + p->bytes.len;
	p->z.avail_out = (uInt)room;
	if (deflate(&p->z, Z_FINISH) != Z_STREAM_END || deflateReset(&p->z) != Z_OK)
		return err_set(ERR_NOMEM, "cannot compress an object");
	p->bytes.len += room - p->z.avail_out;
	p->bytes.p[p->bytes.len] = '\0';
	p->added++;
	return 0;
}

int gitpack_add(struct gitpack *p, const void *data, size_t len)
{
	return gitpack_add_object(p, GIT_BLOB, data, len);
}

size_t gitpack_size(const struct gitpack *p)
{
	return p->bytes.len;
}

int gitpack_finish(struct gitpack *p, const struct buf **bytes)
{
	struct githash_ctx h;
	uint8_t sum[REPO_ID_MAX];
	int rc;

	if (p->announced && p->added != p->announced)
		return err_set(ERR_INVALID, "a pack of %u objects got %u", p->announced, p->added);
	be32_put(p->bytes.p + COUNT_AT, p->added);
	githash_init(&h, p->hash_len);
	githash_update(&h, p->bytes.p, p->bytes.len);
	githash_final(&h, sum);
	if ((rc = buf_add(&p->bytes, sum, (size_t)p->hash_len)) < 0)
		return rc;
	*bytes = &p->bytes;
	return 0;
}

int gitpack_keep(const struct repo *repo, const struct buf *bytes)
{
	struct buf out = BUF_INIT;
	int rc = git_run(repo, bytes->p, bytes->len, &out, "index-pack", "--stdin", (char *)NULL);

	buf_release(&out);
	return rc;
}

int gitpack_store(const struct repo *repo, const struct buf *bytes, uint32_t count)
{
	struct buf out = BUF_INIT;
	int rc;

	if (count >= KEEP_FROM)
		return gitpack_keep(repo, bytes);
	rc = git_run(repo, bytes->p, bytes->len, &out, "unpack-objects", "-q", (char *)NULL);
	buf_release(&out);
	return rc;
}
