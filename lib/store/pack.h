/*
 * Packs: many chunks or small objects in one file, the same format in the local store and on
 * remotes (docs/pack-format.md).
 *
 *   header | entry… | index (sorted ids) | trailer
 *
 * Entries describe themselves, so a pack whose writer died (no index, perhaps a torn last entry) is
 * rebuilt by a scan. A sealed pack is immutable, at most PACK_MAX bytes, and named by the SHA-256
 * of all its bytes.
 */
#ifndef LIB_STORE_PACK_H
#define LIB_STORE_PACK_H

#include "lib/base/buf.h"
#include "lib/store/chunker.h"
#include "lib/store/oid.h"

enum {
	PACK_MAX = 64 * 1024 * 1024,
	PACK_HEADER_LEN = 16,
	PACK_ENTRY_HEADER_LEN = 48,
	PACK_ENTRY_MAGIC = 0xd7,   /* its first byte */
	PACK_INDEX_ENTRY_LEN = 48, /* index bytes an entry */
	PACK_TRAILER_LEN = 48,
	PACK_ENTRY_RAW_MAX = CHUNK_MAX
};

enum pack_codec {
	PACK_RAW = 0,
	PACK_ZSTD = 1,
	PACK_ZSTD_GROUP2 =
		2, /* bytes grouped by position in 2-byte elements, then zstd (16-bit floats) */
	PACK_ZSTD_GROUP4 = 3, /* 4-byte elements */
	PACK_ZSTD_GROUP8 = 4  /* 8-byte elements */
};

struct pack_entry {
	struct oid id;	 /* SHA-256 of the raw bytes */
	uint64_t offset; /* of the entry's header from the start of the pack */
	uint32_t raw_len;
	uint32_t stored_len; /* bytes that follow the entry header */
	uint32_t check;	     /* of the stored bytes */
	enum pack_codec codec;
};

/* ---- one entry: pure ---- */

/* Compression state, reused between entries; one per thread. */
struct pack_codec_ctx;
int pack_codec_new(struct pack_codec_ctx **out);
void pack_codec_free(struct pack_codec_ctx *c);

/* Append header and payload of one entry.  Chooses raw when a sample does not compress.  0,
 * ERR_LIMIT (len > PACK_ENTRY_RAW_MAX), ERR_INVALID (len 0: the empty object is never stored),
 * ERR_NOMEM. */
int pack_entry_encode(struct pack_codec_ctx *c, struct buf *out, const struct oid *id,
	const void *raw, size_t len);
/* Parse the header at p (offset is left 0).  0; ERR_CORRUPT (checksum of the header, limits);
 * ERR_UNSUPPORTED (codec). */
int pack_entry_parse(struct pack_entry *out, const void *p, size_t len);
/* 1 if these are the stored bytes that the entry's header was written for: a check at memory speed,
 * without decoding. */
int pack_entry_intact(const struct pack_entry *e, const void *stored);
/* Decode the payload into raw[raw_len]; its check is always compared.  With `verify` the result's
 * SHA-256 is compared with the id as well.  0, ERR_CORRUPT. */
int pack_entry_decode(struct pack_codec_ctx *c, const struct pack_entry *e, const void *stored,
	void *raw, int verify);

/* ---- a whole pack ---- */

void pack_header(uint8_t out[static PACK_HEADER_LEN]);
/* 0, ERR_CORRUPT, ERR_UNSUPPORTED (a later version: say which). */
int pack_header_check(const void *p, size_t len);

/* Append the index and trailer for `n` entries (sorted by id in place; of equal ids the first in
 * the pack is kept). */
int pack_index_encode(struct buf *out, struct pack_entry *entries, size_t n, uint64_t index_offset);

/* The index read in place, from a mapped pack: nothing is copied.  A value; it borrows the bytes.
 */
struct pack_table {
	const uint8_t *ids;
	const uint8_t *records;
	size_t n;
	uint64_t entries_end; /* offset where the entries end and the index begins */
};
/* Lengths and checksum are checked.  Arguments and return values as pack_index_parse. */
int pack_table_open(struct pack_table *out, const void *tail, size_t tail_len, uint64_t pack_size,
	uint64_t *need);
/* The i-th in id order.  0, or ERR_CORRUPT when the record lies outside the entries. */
int pack_table_at(const struct pack_table *t, size_t i, struct pack_entry *out);
/* 1 and *out when present, 0 when absent, ERR_CORRUPT as above. */
int pack_table_find(const struct pack_table *t, const struct oid *id, struct pack_entry *out);

/* The index at the end of a sealed pack; self-contained copy, every record checked.  `tail` is the
 * end of the pack, `tail_len` bytes of it, `pack_size` the whole. */
struct pack_index;
/* 0; ERR_CORRUPT; ERR_LIMIT with *need set to how many bytes of the end are needed (when tail_len
 * was too short). */
int pack_index_parse(struct pack_index **out, const void *tail, size_t tail_len, uint64_t pack_size,
	uint64_t *need);
void pack_index_free(struct pack_index *x);
size_t pack_index_count(const struct pack_index *x);
/* i-th in id order.  Borrowed. */
const struct pack_entry *pack_index_at(const struct pack_index *x, size_t i);

/* Scan an unsealed pack from `offset` (>= PACK_HEADER_LEN) for complete entries with intact
 * payloads.  Stops in silence at a torn or missing entry; *end is the offset behind the last good
 * one.  `check` also decodes and hashes each.  0, ERR_IO, or what fn returned if non-zero. */
int pack_scan(int fd, uint64_t offset, int check, int (*fn)(const struct pack_entry *e, void *data),
	void *data, uint64_t *end);

/* ---- writing a sealed pack into a file ---- */

struct pack_writer;
/* A new pack in the (empty) file `fd`, borrowed. */
int pack_writer_new(struct pack_writer **out, int fd);
/* Add; *at (may be NULL) receives the entry as written.  ERR_LIMIT when it would pass PACK_MAX
 * (with the index): finish and start the next. */
int pack_writer_add(struct pack_writer *w, const struct oid *id, const void *raw, size_t len,
	struct pack_entry *at);
/* Add what pack_entry_encode wrote (compression may so be done by other threads). */
int pack_writer_add_encoded(
	struct pack_writer *w, const void *entry, size_t len, struct pack_entry *at);
/* Bytes so far, without index. */
uint64_t pack_writer_size(const struct pack_writer *w);
/* Write index and trailer; the pack's name and size.  The caller fsyncs and renames. */
int pack_writer_finish(struct pack_writer *w, struct oid *name, uint64_t *size);
void pack_writer_free(struct pack_writer *w);

#endif
