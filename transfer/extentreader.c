/*
 * Ranged reads of packs, entry by entry.  An extent is a run of whole entries, read in windows;
 * what is cut off at the end of a window is moved to the front of the next.  The hash of the object
 * is its receiver's business: entries are hashed only to find the bad one.
 */
#include "transfer/extentreader.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 4 * 1024 * 1024 };

struct extent_reader {
	struct blobstore *blobstore;
	struct pack_codec_ctx *codec;
	uint8_t *raw;	 /* one decoded entry */
	uint8_t *window; /* bytes as they lie in the pack */
	size_t cap;
};

int extent_reader_new(struct extent_reader **out, struct blobstore *b)
{
	struct extent_reader *r = calloc(1, sizeof(*r));
	int rc;

	*out = NULL;
	if (!r)
		return err_set(ERR_NOMEM, "out of memory");
	r->blobstore = b;
	rc = pack_codec_new(&r->codec);
	r->raw = malloc(PACK_ENTRY_RAW_MAX);
	if (rc == 0 && !r->raw)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc < 0)
		extent_reader_free(r);
	else
		*out = r;
	return rc;
}

void extent_reader_free(struct extent_reader *r)
{
	if (!r)
		return;
	pack_codec_free(r->codec);
	free(r->raw);
	free(r->window);
	free(r);
}

static int name_pack(struct extent_reader *r, int rc, const struct oid *pack)
{
	struct remote *remote = r->blobstore->remote;
	struct buf where = BUF_INIT;

	if (remote->ops->describe(remote, REMOTE_PACK, pack, &where) == 0)
		rc = err_prefix(rc, "'%s'", where.p);
	buf_release(&where);
	return rc;
}

static int need_window(struct extent_reader *r, size_t len)
{
	uint8_t *p;

	if (len <= r->cap)
		return 0;
	p = realloc(r->window, len);
	if (!p)
		return err_set(ERR_NOMEM, "out of memory");
	r->window = p;
	r->cap = len;
	return 0;
}

/* Exactly `len` bytes of the pack. */
static int read_exactly(
	struct extent_reader *r, const struct oid *pack, uint64_t offset, uint8_t *into, size_t len)
{
	struct remote *remote = r->blobstore->remote;
	ssize_t n = remote->ops->get(remote, REMOTE_PACK, pack, offset, into, len);

	if (n < 0)
		return (int)n;
	if ((size_t)n < len)
		return name_pack(r,
			err_set(ERR_CORRUPT, "truncated: it ends before byte %llu",
				(unsigned long long)(offset + len)),
			pack);
	return 0;
}

int extent_reader_range(struct extent_reader *r, const struct oid *pack, uint64_t offset,
	size_t len, const uint8_t **out)
{
	int rc = need_window(r, len);

	if (rc == 0)
		rc = read_exactly(r, pack, offset, r->window, len);
	*out = r->window;
	return rc;
}

static int decode_entry(struct extent_reader *r, const struct pack_entry *e, const uint8_t *stored,
	int verify, extent_sink_fn *sink, void *data)
{
	int rc;

	if (e->codec == PACK_RAW && !verify) {
		if (!pack_entry_intact(e, stored))
			return err_set(ERR_CORRUPT, "damaged entry");
		return sink(stored, e->raw_len, data);
	}
	rc = pack_entry_decode(r->codec, e, stored, r->raw, verify);
	return rc < 0 ? rc : sink(r->raw, e->raw_len, data);
}

/* Decode the entries that are whole; *used is how far that went. */
static int decode_some(struct extent_reader *r, const struct oid *pack, uint64_t offset,
	const uint8_t *p, size_t len, int verify, size_t *used, extent_sink_fn *sink, void *data)
{
	struct pack_entry e;
	int rc = 0;

	*used = 0;
	while (rc == 0 && len - *used >= PACK_ENTRY_HEADER_LEN) {
		const uint8_t *at = p + *used;

		rc = pack_entry_parse(&e, at, len - *used);
		if (rc == 0 && len - *used - PACK_ENTRY_HEADER_LEN < e.stored_len)
			break;
		if (rc == 0)
			rc = decode_entry(r, &e, at + PACK_ENTRY_HEADER_LEN, verify, sink, data);
		if (rc == ERR_CORRUPT || rc == ERR_UNSUPPORTED)
			return name_pack(r,
				err_prefix(rc, "entry at byte %llu",
					(unsigned long long)(offset + *used)),
				pack);
		*used += PACK_ENTRY_HEADER_LEN + (rc == 0 ? e.stored_len : 0);
	}
	return rc;
}

int extent_reader_decode(struct extent_reader *r, const struct oid *pack, uint64_t offset,
	const uint8_t *p, size_t len, int verify, extent_sink_fn *sink, void *data)
{
	size_t used;
	int rc = decode_some(r, pack, offset, p, len, verify, &used, sink, data);

	if (rc == 0 && used != len)
		rc = name_pack(r,
			err_set(ERR_CORRUPT,
				"the fragment's range ends inside the entry at byte %llu",
				(unsigned long long)(offset + used)),
			pack);
	return rc;
}

static int stream_extent(struct extent_reader *r, const struct oid *pack,
	const struct fragment_extent *x, int verify, extent_sink_fn *sink, void *data)
{
	uint64_t at = x->offset, end = (uint64_t)x->offset + x->length;
	size_t have = 0, used;
	int rc = need_window(r, WINDOW);

	while (rc == 0 && (at < end || have)) {
		size_t want = WINDOW - have;

		if (want > end - at)
			want = (size_t)(end - at);
		rc = engine_check_stop(r->blobstore->engine);
		if (rc == 0)
			rc = read_exactly(r, pack, at, r->window + have, want);
		if (rc < 0)
			break;
		at += want;
		have += want;
		if (at == end)
			return extent_reader_decode(
				r, pack, at - have, r->window, have, verify, sink, data);
		rc = decode_some(r, pack, at - have, r->window, have, verify, &used, sink, data);
		have -= rc == 0 ? used : 0;
		memmove(r->window, r->window + used, rc == 0 ? have : 0);
	}
	return rc;
}

int extent_reader_stream(struct extent_reader *r, const struct blob_hit *h, int verify,
	extent_sink_fn *sink, void *data)
{
	struct fragment_extent x;
	struct oid pack;
	uint64_t size;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < h->at.n_extents; i++) {
		fragment_extent_at(&h->at, i, &x);
		fragment_pack_at(h->in->fragment, x.pack, &pack, &size);
		rc = stream_extent(r, &pack, &x, verify, sink, data);
	}
	return rc;
}
