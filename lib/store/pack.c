/*
 * A whole pack: its header, the index and trailer at its end, and the scan that takes their
 * place in a pack that has none (docs/pack-format.md).  Index bytes may come from a remote: every
 * number in them is checked before it is used.
 */
#include "lib/store/pack.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PACK_VERSION = 1, RECORD_LEN = PACK_INDEX_ENTRY_LEN - OID_LEN, SCAN_BUFFER = 1 << 20 };

static const char header_magic[4] = {'D', 'V', 'X', 'P'};
static const char trailer_magic[8] = {'D', 'V', 'X', 'P', 'E', 'N', 'D', '1'};

struct pack_index {
	size_t n;
	struct pack_entry entries[];
};

/* ---- header ---- */

void pack_header(uint8_t out[static PACK_HEADER_LEN])
{
	memset(out, 0, PACK_HEADER_LEN);
	memcpy(out, header_magic, sizeof header_magic);
	be32_put(out + 4, PACK_VERSION);
}

int pack_header_check(const void *p, size_t len)
{
	const uint8_t *h = p;
	uint8_t good[PACK_HEADER_LEN];

	if (len < PACK_HEADER_LEN || memcmp(h, header_magic, sizeof header_magic) != 0)
		return err_set(ERR_CORRUPT, "not a pack");
	if (be32_get(h + 4) != PACK_VERSION)
		return err_set(ERR_UNSUPPORTED, "pack version %u is newer than this program",
			be32_get(h + 4));
	pack_header(good);
	if (memcmp(h, good, sizeof good) != 0)
		return err_set(ERR_CORRUPT, "damaged pack header");
	return 0;
}

/* ---- index ---- */

static int by_id(const void *a, const void *b)
{
	const struct pack_entry *x = a, *y = b;
	int c = oid_cmp(&x->id, &y->id);

	if (c)
		return c;
	return x->offset > y->offset ? -1 : x->offset < y->offset;
}

/* Of equal ids the last one in the pack stays: it was added because the others were damaged. */
static size_t drop_repeated(struct pack_entry *entries, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && oid_eq(&entries[kept - 1].id, &entries[i].id))
			continue;
		entries[kept++] = entries[i];
	}
	return kept;
}

static void put_record(uint8_t *r, const struct pack_entry *e)
{
	be32_put(r, (uint32_t)e->offset);
	be32_put(r + 4, (uint32_t)e->codec << 24 | e->raw_len);
	be32_put(r + 8, e->stored_len << 8);
	be32_put(r + 12, e->check);
}

static void put_trailer(uint8_t *t, const void *index, size_t n, uint64_t index_offset)
{
	XXH128_canonical_t sum;

	memset(t, 0, PACK_TRAILER_LEN);
	be64_put(t, index_offset);
	be32_put(t + 8, (uint32_t)n);
	XXH128_canonicalFromHash(&sum, XXH3_128bits(index, n * PACK_INDEX_ENTRY_LEN));
	memcpy(t + 16, sum.digest, sizeof sum.digest);
	be64_put(t + 32, XXH3_64bits(t, 32));
	memcpy(t + 40, trailer_magic, sizeof trailer_magic);
}

int pack_index_encode(struct buf *out, struct pack_entry *entries, size_t n, uint64_t index_offset)
{
	uint8_t *index;
	size_t len;
	int rc;

	qsort(entries, n, sizeof *entries, by_id);
	n = drop_repeated(entries, n);
	len = n * PACK_INDEX_ENTRY_LEN;
	rc = buf_grow(out, len + PACK_TRAILER_LEN);
	if (rc < 0)
		return rc;
	index = (uint8_t *)out->p + out->len;
	for (size_t i = 0; i < n; i++) {
		memcpy(index + i * OID_LEN, entries[i].id.id, OID_LEN);
		put_record(index + n * OID_LEN + i * RECORD_LEN, &entries[i]);
	}
	put_trailer(index + len, index, n, index_offset);
	out->len += len + PACK_TRAILER_LEN;
	out->p[out->len] = '\0';
	return 0;
}

int pack_table_open(struct pack_table *out, const void *tail, size_t tail_len, uint64_t pack_size,
	uint64_t *need)
{
	XXH128_canonical_t sum;
	uint64_t offset, len;
	const uint8_t *t;

	if (pack_size < PACK_HEADER_LEN + PACK_TRAILER_LEN || pack_size > PACK_MAX ||
		tail_len > pack_size)
		return err_set(ERR_CORRUPT, "a pack of %llu bytes", (unsigned long long)pack_size);
	*need = PACK_TRAILER_LEN;
	if (tail_len < *need)
		return err_set(ERR_LIMIT, "more of the pack's end is needed");
	t = (const uint8_t *)tail + tail_len - PACK_TRAILER_LEN;
	if (memcmp(t + 40, trailer_magic, sizeof trailer_magic) != 0 ||
		be64_get(t + 32) != XXH3_64bits(t, 32) || be32_get(t + 12) != 0)
		return err_set(ERR_CORRUPT, "pack has no intact trailer");
	offset = be64_get(t);
	len = (uint64_t)be32_get(t + 8) * PACK_INDEX_ENTRY_LEN;
	if (offset < PACK_HEADER_LEN || offset > pack_size ||
		pack_size - offset != len + PACK_TRAILER_LEN)
		return err_set(ERR_CORRUPT, "pack trailer does not fit the pack");
	*need = len + PACK_TRAILER_LEN;
	if (tail_len < *need)
		return err_set(ERR_LIMIT, "more of the pack's end is needed");
	out->n = be32_get(t + 8);
	out->ids = t - len;
	out->records = out->ids + out->n * OID_LEN;
	out->entries_end = offset;
	XXH128_canonicalFromHash(&sum, XXH3_128bits(out->ids, (size_t)len));
	if (memcmp(t + 16, sum.digest, sizeof sum.digest) != 0)
		return err_set(ERR_CORRUPT, "damaged pack index");
	return 0;
}

int pack_table_at(const struct pack_table *t, size_t i, struct pack_entry *out)
{
	const uint8_t *r = t->records + i * RECORD_LEN;

	memcpy(out->id.id, t->ids + i * OID_LEN, OID_LEN);
	out->offset = be32_get(r);
	out->codec = (enum pack_codec)r[4];
	out->raw_len = be32_get(r + 4) & 0xffffff;
	out->stored_len = be32_get(r + 8) >> 8;
	out->check = be32_get(r + 12);
	if (r[11] != 0 || out->raw_len == 0 || out->raw_len > PACK_ENTRY_RAW_MAX ||
		out->stored_len == 0 || out->stored_len > out->raw_len ||
		out->offset < PACK_HEADER_LEN || out->offset > t->entries_end ||
		t->entries_end - out->offset < PACK_ENTRY_HEADER_LEN + (uint64_t)out->stored_len)
		return err_set(ERR_CORRUPT, "impossible record in a pack index");
	return 0;
}

int pack_table_find(const struct pack_table *t, const struct oid *id, struct pack_entry *out)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = memcmp(t->ids + mid * OID_LEN, id->id, OID_LEN);

		if (c == 0) {
			int rc = pack_table_at(t, mid, out);

			return rc < 0 ? rc : 1;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

int pack_index_parse(struct pack_index **out, const void *tail, size_t tail_len, uint64_t pack_size,
	uint64_t *need)
{
	struct pack_table t;
	struct pack_index *x;
	int rc = pack_table_open(&t, tail, tail_len, pack_size, need);

	*out = NULL;
	if (rc < 0)
		return rc;
	x = malloc(sizeof *x + t.n * sizeof x->entries[0]);
	if (!x)
		return err_set(ERR_NOMEM, "out of memory");
	x->n = t.n;
	for (size_t i = 0; i < t.n && rc == 0; i++) {
		rc = pack_table_at(&t, i, &x->entries[i]);
		if (rc == 0 && i && oid_cmp(&x->entries[i - 1].id, &x->entries[i].id) >= 0)
			rc = err_set(ERR_CORRUPT, "pack index is not in order");
	}
	if (rc < 0) {
		free(x);
		return rc;
	}
	*out = x;
	return 0;
}

void pack_index_free(struct pack_index *x)
{
	free(x);
}

size_t pack_index_count(const struct pack_index *x)
{
	return x->n;
}

const struct pack_entry *pack_index_at(const struct pack_index *x, size_t i)
{
	return &x->entries[i];
}

/* ---- scan ---- */

struct scan {
	int fd;
	int check;
	struct pack_codec_ctx *codec;
	uint8_t *raw;	  /* PACK_ENTRY_RAW_MAX bytes, with `check` */
	uint8_t *data;	  /* SCAN_BUFFER bytes */
	size_t pos, have; /* data[pos..have) is what follows `offset` in the file */
	uint64_t offset;
};

/* At least `want` bytes at data + pos, if the file has them: 1; 0 if not. */
static int scan_fill(struct scan *s, size_t want)
{
	ssize_t n;

	if (s->have - s->pos >= want)
		return 1;
	memmove(s->data, s->data + s->pos, s->have - s->pos);
	s->have -= s->pos;
	s->pos = 0;
	n = fs_pread_full(s->fd, s->data + s->have, SCAN_BUFFER - s->have, s->offset + s->have);
	if (n < 0)
		return (int)n;
	s->have += (size_t)n;
	return s->have >= want;
}

/* 1 and the entry at the present offset, 0 at the end of what is good. */
static int scan_entry(struct scan *s, struct pack_entry *e)
{
	const uint8_t *payload;
	int rc = scan_fill(s, PACK_ENTRY_HEADER_LEN);

	if (rc <= 0)
		return rc;
	if (pack_entry_parse(e, s->data + s->pos, PACK_ENTRY_HEADER_LEN) < 0)
		return 0;
	rc = scan_fill(s, PACK_ENTRY_HEADER_LEN + (size_t)e->stored_len);
	if (rc <= 0)
		return rc;
	payload = s->data + s->pos + PACK_ENTRY_HEADER_LEN;
	if (s->check ? pack_entry_decode(s->codec, e, payload, s->raw, 1) < 0
		     : !pack_entry_intact(e, payload))
		return 0;
	e->offset = s->offset;
	return 1;
}

int pack_scan(int fd, uint64_t offset, int check, int (*fn)(const struct pack_entry *e, void *data),
	void *data, uint64_t *end)
{
	struct scan s = {.fd = fd, .check = check, .offset = offset};
	struct pack_entry e;
	int rc;

	*end = offset;
	s.data = malloc(SCAN_BUFFER);
	if (check)
		s.raw = malloc(PACK_ENTRY_RAW_MAX);
	if (!s.data || (check && !s.raw)) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	if (check && (rc = pack_codec_new(&s.codec)) < 0)
		goto done;
	while ((rc = scan_entry(&s, &e)) == 1) {
		size_t len = PACK_ENTRY_HEADER_LEN + (size_t)e.stored_len;

		rc = fn ? fn(&e, data) : 0;
		if (rc)
			break;
		s.pos += len;
		s.offset += len;
		*end = s.offset;
	}
done:
	pack_codec_free(s.codec);
	free(s.raw);
	free(s.data);
	return rc;
}
