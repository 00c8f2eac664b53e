/*
 * One pack entry: 48 bytes of header and a payload that is raw or compressed (docs/pack-format.md).
 * Bytes in, bytes out; files are pack.c's business.  Whether compressing pays is guessed from a
 * sample, because most chunks of large data do not compress and hashing them costs enough.
 */
#include "lib/store/pack.h"
#include "lib/base/err.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

enum {
	ZSTD_LEVEL = 1,
	SAMPLE_FROM = 32 * 1024, /* shorter entries are simply compressed */
	SAMPLE_PROBE = 1024,
	SAMPLE_PROBES = 4,
	SAMPLE_LEN = SAMPLE_PROBE * SAMPLE_PROBES,
	COLUMNS = 8
};

struct pack_codec_ctx {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *expand;
	uint8_t *grouped; /* PACK_ENTRY_RAW_MAX bytes */
	uint8_t sample[SAMPLE_LEN];
	uint8_t scratch[2 * SAMPLE_LEN];
};

int pack_codec_new(struct pack_codec_ctx **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void pack_codec_free(struct pack_codec_ctx *c)
{
	if (!c)
		return;
	ZSTD_freeCCtx(c->compress);
	ZSTD_freeDCtx(c->expand);
	free(c->grouped);
	free(c);
}

/* The contexts are made on first use: a reader of raw entries never pays for them. */
static int need_compress(struct pack_codec_ctx *c)
{
	if (!c->compress)
		c->compress = ZSTD_createCCtx();
	return c->compress ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int need_grouped(struct pack_codec_ctx *c)
{
	if (!c->grouped)
		c->grouped = malloc(PACK_ENTRY_RAW_MAX);
	return c->grouped ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static size_t group_width(enum pack_codec codec)
{
	switch (codec) {
	case PACK_ZSTD_GROUP2:
		return 2;
	case PACK_ZSTD_GROUP4:
		return 4;
	case PACK_ZSTD_GROUP8:
		return 8;
	case PACK_RAW:
	case PACK_ZSTD:
		break;
	}
	return 1;
}

static void group_bytes(uint8_t *out, const uint8_t *in, size_t len, size_t width)
{
	size_t rows = len / width;

	for (size_t column = 0; column < width; column++)
		for (size_t i = 0; i < rows; i++)
			*out++ = in[i * width + column];
	memcpy(out, in + rows * width, len - rows * width);
}

static void ungroup_bytes(uint8_t *out, const uint8_t *in, size_t len, size_t width)
{
	size_t rows = len / width;

	for (size_t column = 0; column < width; column++)
		for (size_t i = 0; i < rows; i++)
			out[i * width + column] = *in++;
	memcpy(out + rows * width, in, len - rows * width);
}

/* ---- choice of the codec ---- */

/* Compressed length, or 0 when the result would not fit into `room` bytes. */
static size_t compress_into(
	struct pack_codec_ctx *c, void *out, size_t room, const void *in, size_t len)
{
	size_t n = ZSTD_compressCCtx(c->compress, out, room, in, len, ZSTD_LEVEL);

	return ZSTD_isError(n) ? 0 : n;
}

/* Whether some byte columns of the sample repeat far more than others, as exponents beside
 * mantissas do: the sum of squared counts is small for noise and large for a column of few values.
 */
static int columns_differ(const uint8_t *sample)
{
	uint32_t low = UINT32_MAX, high = 0;

	for (size_t column = 0; column < COLUMNS; column++) {
		uint16_t counts[256] = {0};
		uint32_t squares = 0;

		for (size_t i = column; i < SAMPLE_LEN; i += COLUMNS)
			counts[sample[i]]++;
		for (size_t v = 0; v < 256; v++)
			squares += (uint32_t)counts[v] * counts[v];
		low = squares < low ? squares : low;
		high = squares > high ? squares : high;
	}
	return high > 3 * low;
}

static void take_sample(uint8_t *sample, const uint8_t *raw, size_t len)
{
	size_t step = (len - SAMPLE_PROBE) / (SAMPLE_PROBES - 1) / COLUMNS * COLUMNS;

	for (size_t i = 0; i < SAMPLE_PROBES; i++)
		memcpy(sample + i * SAMPLE_PROBE, raw + i * step, SAMPLE_PROBE);
}

static enum pack_codec choose_codec(struct pack_codec_ctx *c, const uint8_t *raw, size_t len)
{
	static const enum pack_codec grouping[] = {
		PACK_ZSTD_GROUP2, PACK_ZSTD_GROUP4, PACK_ZSTD_GROUP8};
	uint8_t *grouped = c->scratch, *result = c->scratch + SAMPLE_LEN;
	enum pack_codec best = PACK_RAW;
	size_t best_len = SAMPLE_LEN - SAMPLE_LEN / 32, n;

	if (len < SAMPLE_FROM)
		return PACK_ZSTD;
	take_sample(c->sample, raw, len);
	n = compress_into(c, result, best_len, c->sample, SAMPLE_LEN);
	if (n) {
		best = PACK_ZSTD;
		best_len = n;
	}
	if (!columns_differ(c->sample))
		return best;
	for (size_t i = 0; i < sizeof grouping / sizeof grouping[0]; i++) {
		group_bytes(grouped, c->sample, SAMPLE_LEN, group_width(grouping[i]));
		/* grouping costs a pass at each reading: it has to be better by a tenth */
		n = compress_into(c, result, best_len - best_len / 10, grouped, SAMPLE_LEN);
		if (n) {
			best = grouping[i];
			best_len = n;
		}
	}
	return best;
}

/* ---- header ---- */

static void put24(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 16);
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)v;
}

static uint32_t get24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static uint32_t header_check(const uint8_t *h)
{
	uint8_t covered[PACK_ENTRY_HEADER_LEN - 4];

	memcpy(covered, h, 12);
	memcpy(covered + 12, h + 16, OID_LEN);
	return (uint32_t)XXH3_64bits(covered, sizeof covered);
}

static void write_header(uint8_t *h, const struct pack_entry *e)
{
	h[0] = PACK_ENTRY_MAGIC;
	h[1] = (uint8_t)e->codec;
	put24(h + 2, e->raw_len);
	put24(h + 5, e->stored_len);
	be32_put(h + 8, e->check);
	memcpy(h + 16, e->id.id, OID_LEN);
	be32_put(h + 12, header_check(h));
}

int pack_entry_parse(struct pack_entry *out, const void *p, size_t len)
{
	const uint8_t *h = p;

	if (len < PACK_ENTRY_HEADER_LEN)
		return err_set(ERR_CORRUPT, "pack entry header is cut off");
	if (h[0] != PACK_ENTRY_MAGIC || be32_get(h + 12) != header_check(h))
		return err_set(ERR_CORRUPT, "damaged pack entry header");
	if (h[1] > PACK_ZSTD_GROUP8)
		return err_set(ERR_UNSUPPORTED, "unknown codec %u in a pack", h[1]);
	out->codec = (enum pack_codec)h[1];
	out->raw_len = get24(h + 2);
	out->stored_len = get24(h + 5);
	out->check = be32_get(h + 8);
	out->offset = 0;
	memcpy(out->id.id, h + 16, OID_LEN);
	if (out->raw_len == 0 || out->raw_len > PACK_ENTRY_RAW_MAX || out->stored_len == 0 ||
		out->stored_len > out->raw_len ||
		(out->codec == PACK_RAW && out->stored_len != out->raw_len))
		return err_set(ERR_CORRUPT, "impossible lengths in a pack entry");
	return 0;
}

/* ---- encode and decode ---- */

/* Compress into `room` bytes at `payload`; 0 when it does not pay. */
static int encode_payload(struct pack_codec_ctx *c, const struct pack_entry *e, void *payload,
	size_t room, const void *raw, size_t *stored)
{
	size_t width = group_width(e->codec);
	int rc;

	if (width > 1) {
		rc = need_grouped(c);
		if (rc < 0)
			return rc;
		group_bytes(c->grouped, raw, e->raw_len, width);
		raw = c->grouped;
	}
	*stored = compress_into(c, payload, room, raw, e->raw_len);
	return 0;
}

int pack_entry_encode(struct pack_codec_ctx *c, struct buf *out, const struct oid *id,
	const void *raw, size_t len)
{
	struct pack_entry e = {.id = *id, .raw_len = (uint32_t)len};
	uint8_t *header, *payload;
	size_t stored = 0;
	int rc;

	if (len == 0)
		return err_set(ERR_INVALID, "an empty object has no pack entry");
	if (len > PACK_ENTRY_RAW_MAX)
		return err_set(ERR_LIMIT, "a pack entry of %zu bytes (at most %d)", len,
			(int)PACK_ENTRY_RAW_MAX);
	rc = need_compress(c);
	if (rc < 0)
		return rc;
	rc = buf_grow(out, PACK_ENTRY_HEADER_LEN + len);
	if (rc < 0)
		return rc;
	header = (uint8_t *)out->p + out->len;
	payload = header + PACK_ENTRY_HEADER_LEN;
	e.codec = choose_codec(c, raw, len);
	if (e.codec != PACK_RAW) {
		rc = encode_payload(c, &e, payload, len - len / 32, raw, &stored);
		if (rc < 0)
			return rc;
	}
	if (stored == 0 || stored >= len) {
		e.codec = PACK_RAW;
		stored = len;
		memcpy(payload, raw, len);
	}
	e.stored_len = (uint32_t)stored;
	e.check = (uint32_t)XXH3_64bits(payload, stored);
	write_header(header, &e);
	out->len += PACK_ENTRY_HEADER_LEN + stored;
	out->p[out->len] = '\0';
	return 0;
}

int pack_entry_intact(const struct pack_entry *e, const void *stored)
{
	return (uint32_t)XXH3_64bits(stored, e->stored_len) == e->check;
}

static int expand_payload(
	struct pack_codec_ctx *c, const struct pack_entry *e, const void *stored, void *raw)
{
	size_t width = group_width(e->codec), n;
	void *into = raw;
	int rc;

	if (!c->expand)
		c->expand = ZSTD_createDCtx();
	if (!c->expand)
		return err_set(ERR_NOMEM, "out of memory");
	if (width > 1) {
		rc = need_grouped(c);
		if (rc < 0)
			return rc;
		into = c->grouped;
	}
	n = ZSTD_decompressDCtx(c->expand, into, e->raw_len, stored, e->stored_len);
	if (ZSTD_isError(n))
		return err_set(
			ERR_CORRUPT, "pack entry does not decompress: %s", ZSTD_getErrorName(n));
	if (n != e->raw_len)
		return err_set(
			ERR_CORRUPT, "pack entry has %zu bytes instead of %u", n, e->raw_len);
	if (width > 1)
		ungroup_bytes(raw, c->grouped, n, width);
	return 0;
}

int pack_entry_decode(struct pack_codec_ctx *c, const struct pack_entry *e, const void *stored,
	void *raw, int verify)
{
	struct oid id;
	int rc;

	if (!pack_entry_intact(e, stored))
		return err_set(ERR_CORRUPT, "damaged pack entry payload");
	if (e->codec == PACK_RAW) {
		memcpy(raw, stored, e->raw_len);
	} else {
		rc = expand_payload(c, e, stored, raw);
		if (rc < 0)
			return rc;
	}
	if (!verify)
		return 0;
	oid_of(&id, raw, e->raw_len);
	if (!oid_eq(&id, &e->id))
		return err_set(ERR_CORRUPT, "pack entry is not the object that it says");
	return 0;
}
