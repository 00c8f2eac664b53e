/*
 * Building a Git pack of small blobs in memory, and handing it to `git index-pack` or `git
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
	OBJ_BLOB = 3,
	PACK_VERSION = 2,
	KEEP_FROM = 100, /* objects: fewer are not worth a pack */
	WINDOW_BITS = 9, /* the blobs are smaller than the smallest window, */
	MEMORY_LEVEL = 1 /* and resetting a large one would be all the work */
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
static int add_header(struct buf *b, size_t len)
{
	unsigned char c = (unsigned char)(OBJ_BLOB << 4 | (len & 15));
	int rc;

	for (len >>= 4; len; len >>= 7) {
		if ((rc = buf_addch(b, (char)(c | 0x80))) < 0)
			return rc;
		c = len & 0x7f;
	}
	return buf_addch(b, (char)c);
}

int gitpack_add(struct gitpack *p, const void *data, size_t len)
{
	size_t room = deflateBound(&p->z, len);
	int rc;

	if ((rc = add_header(&p->bytes, len)) < 0 || (rc = buf_grow(&p->bytes, room)) < 0)
		return rc;
	p->z.next_in = data;
	p->z.avail_in = (uInt)len;
	p->z.next_out = (unsigned char *)p->bytes.p + p->bytes.len;
	p->z.avail_out = (uInt)room;
	if (deflate(&p->z, Z_FINISH) != Z_STREAM_END || deflateReset(&p->z) != Z_OK)
		return err_set(ERR_NOMEM, "cannot compress a blob");
	p->bytes.len += room - p->z.avail_out;
	p->bytes.p[p->bytes.len] = '\0';
	p->added++;
	return 0;
}

int gitpack_finish(struct gitpack *p, const struct buf **bytes)
{
	struct githash_ctx h;
	uint8_t sum[REPO_ID_MAX];
	int rc;

	if (p->added != p->announced)
		return err_set(ERR_INVALID, "a pack of %u objects got %u", p->announced, p->added);
	githash_init(&h, p->hash_len);
	githash_update(&h, p->bytes.p, p->bytes.len);
	githash_final(&h, sum);
	if ((rc = buf_add(&p->bytes, sum, (size_t)p->hash_len)) < 0)
		return rc;
	*bytes = &p->bytes;
	return 0;
}

int gitpack_store(const struct repo *repo, const struct buf *bytes, uint32_t count)
{
	struct buf out = BUF_INIT;
	int rc;

	if (count >= KEEP_FROM)
		rc = git_run(
			repo, bytes->p, bytes->len, &out, "index-pack", "--stdin", (char *)NULL);
	else
		rc = git_run(
			repo, bytes->p, bytes->len, &out, "unpack-objects", "-q", (char *)NULL);
	buf_release(&out);
	return rc;
}
