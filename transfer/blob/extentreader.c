/*
 * Ranged reads of packs, entry by entry.  An extent is a run of whole entries, read in windows;
 * what is cut off at the end of a window is put in front of the next.  The hash of the object
 * is its receiver's business: entries are hashed only to find the bad one.
 */
#include "transfer/blob/extentreader.h"
#include "lib/base/err.h"
#include "transfer/blob/readahead.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 4 * 1024 * 1024 };

struct extent_reader {
	struct blobstore *blobstore;
	struct pack_codec_ctx *codec;
	uint8_t *raw;	 /* one decoded entry */
	uint8_t *window; /* bytes as they lie in the pack */
	size_t cap;
	uint8_t *carry; /* the beginning of an entry that a range ended in */
	int ahead;	/* ranges to read at once */
};

int extent_reader_new(struct extent_reader **out, struct blobstore *b, int ahead)
{
	struct extent_reader *r = calloc(1, sizeof(*r));
	int rc;

	*out = NULL;
	if (!r)
		return err_set(ERR_NOMEM, "out of memory");
	r->blobstore = b;
	rc = pack_codec_new(&r->codec);
	r->ahead = ahead;
	r->raw = malloc(PACK_ENTRY_RAW_MAX);
	r->carry = malloc(READAHEAD_FRONT);
	if (rc == 0 && (!r->raw || !r->carry))
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
	free(r->carry);
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

int extent_reader_range(struct extent_reader *r, const struct oid *pack, uint64_t offset,
	size_t len, const uint8_t **out)
{
	int rc = need_window(r, len);

	if (rc == 0)
		rc = readahead_exactly(r->blobstore, pack, offset, r->window, len);
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

/* The object's extents from `from` on, in pieces of at most WINDOW.  *out is the caller's to
 * free().
 */
static int split_extents(const struct blob_hit *h, const struct extent_place *from,
	struct readahead_range **out, size_t *n)
{
	struct readahead_range *v;
	struct fragment_extent x;
	struct oid pack;
	uint64_t size;
	size_t count = 0;

	for (uint32_t i = from->extent; i < h->at.n_extents; i++) {
		fragment_extent_at(&h->at, i, &x);
		count += ((size_t)x.length + WINDOW - 1) / WINDOW;
	}
	v = *out = calloc(count ? count : 1, sizeof(*v));
	*n = 0;
	if (!v)
		return err_set(ERR_NOMEM, "out of memory");
	for (uint32_t i = from->extent; i < h->at.n_extents; i++) {
		fragment_extent_at(&h->at, i, &x);
		fragment_pack_at(h->in->fragment, x.pack, &pack, &size);
		for (uint32_t at = i == from->extent ? from->offset : 0; at < x.length;
			at += v[(*n)++].length) {
			uint32_t rest = x.length - at;

			v[*n].pack = pack;
			v[*n].offset = x.offset + at;
			v[*n].length = rest < WINDOW ? rest : WINDOW;
		}
	}
	return 0;
}

/* Does the extent that `range` is of go on in the range behind it? */
static int goes_on(const struct readahead_range *range, const struct readahead_range *end)
{
	return range + 1 < end && oid_eq(&range[0].pack, &range[1].pack) &&
	       range[0].offset + range[0].length == range[1].offset;
}

/* Decode one range behind the *have bytes that the ranges before it left in r->carry. */
static int stream_range(struct extent_reader *r, const struct readahead_range *range, int last,
	uint8_t *bytes, size_t *have, int verify, extent_sink_fn *sink, void *data)
{
	uint8_t *p = bytes - *have;
	uint64_t offset = range->offset - *have;
	size_t len = *have + range->length, used = 0;
	int rc;

	memcpy(p, r->carry, *have);
	*have = 0;
	if (last)
		return extent_reader_decode(r, &range->pack, offset, p, len, verify, sink, data);
	rc = decode_some(r, &range->pack, offset, p, len, verify, &used, sink, data);
	if (rc < 0)
		return rc;
	if (len - used > READAHEAD_FRONT)
		return err_set(ERR_CORRUPT, "an entry is longer than one may be");
	*have = len - used;
	memcpy(r->carry, p + used, *have);
	return 0;
}

int extent_reader_stream(struct extent_reader *r, const struct blob_hit *h,
	const struct extent_place *at, int verify, extent_sink_fn *sink, void *data)
{
	struct readahead_range *ranges = NULL;
	struct readahead *ahead = NULL;
	size_t n, have = 0;
	uint8_t *bytes;
	int rc = split_extents(h, at, &ranges, &n);

	if (rc == 0)
		rc = readahead_new(&ahead, r->blobstore, ranges, n, r->ahead);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = readahead_next(ahead, &bytes);
		if (rc == 0)
			rc = stream_range(r, &ranges[i], !goes_on(&ranges[i], ranges + n), bytes,
				&have, verify, sink, data);
	}
	readahead_free(ahead);
	free(ranges);
	return rc;
}
