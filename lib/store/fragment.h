/*
 * Index fragments: what one push put on a remote - object id, size, and where its bytes are
 * (docs/fragment-format.md). Small, immutable, named by the SHA-256 of its bytes.  A reader holds
 * many and asks them as one table.
 *
 * An object is a list of extents: a run of consecutive pack entries (offset of the first header,
 * length in bytes up to the end of the last payload), so that a freshly pushed 1 GiB object is 16
 * extents and each is one ranged read.
 */
#ifndef LIB_STORE_FRAGMENT_H
#define LIB_STORE_FRAGMENT_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

struct fragment_extent {
	uint32_t pack;	 /* number in the fragment's pack table */
	uint32_t offset; /* of the first entry header */
	uint32_t length; /* bytes: headers and payloads of all entries of the run */
};

/* ---- writing ---- */
struct fragment_writer;
int fragment_writer_new(struct fragment_writer **out);
void fragment_writer_free(struct fragment_writer *w);
/* The number of a pack (added once; `size` in bytes). */
int fragment_writer_pack(
	struct fragment_writer *w, const struct oid *pack, uint64_t size, uint32_t *number);
/* Adjacent extents of one pack are joined.  An object that is there already is left as it is. */
int fragment_writer_object(struct fragment_writer *w, const struct oid *oid, uint64_t size,
	const struct fragment_extent *x, size_t n);
size_t fragment_writer_count(const struct fragment_writer *w);
/* The bytes (sorted, checksummed) and their name. */
int fragment_writer_finish(struct fragment_writer *w, struct buf *out, struct oid *name);

/* ---- reading ---- */
struct fragment;
/* Parse and check (lengths, order, ranges, checksum).  Takes its own copy.  0, ERR_CORRUPT,
 * ERR_UNSUPPORTED, ERR_LIMIT. */
int fragment_parse(struct fragment **out, const void *data, size_t len);
/* The same from a file, mapped. */
int fragment_open(struct fragment **out, const char *path);
void fragment_free(struct fragment *f);

struct fragment_object {
	struct oid oid;
	uint64_t size;
	const uint8_t *extents; /* encoded; see fragment_extent_at */
	uint32_t n_extents;
};
size_t fragment_count(const struct fragment *f);
void fragment_at(const struct fragment *f, size_t i, struct fragment_object *out);
/* 1 and *out if the object is there, 0 if not. */
int fragment_find(const struct fragment *f, const struct oid *oid, struct fragment_object *out);
void fragment_extent_at(const struct fragment_object *o, uint32_t i, struct fragment_extent *out);
size_t fragment_packs(const struct fragment *f);
void fragment_pack_at(const struct fragment *f, uint32_t i, struct oid *name, uint64_t *size);

#endif
