/*
 * Object ids: SHA-256 of the content (FIPS 180-4), as in Git LFS; and the streaming hash behind
 * them.
 */
#ifndef LIB_STORE_OID_H
#define LIB_STORE_OID_H

#include <stddef.h>
#include <stdint.h>

/* OID_SHOWN: so many digits of data's hash are shown where people read. */
enum { OID_LEN = 32, OID_HEX_LEN = 64, OID_SHOWN = 10 };

struct oid {
	uint8_t id[OID_LEN];
};

/* The SHA-256 of zero bytes: never stored, always "there". */
extern const struct oid oid_of_empty;

/* Streaming SHA-256; by value, no heap. */
struct oid_ctx {
	uint64_t opaque[16];
};
void oid_init(struct oid_ctx *c);
void oid_update(struct oid_ctx *c, const void *data, size_t len);
void oid_final(struct oid_ctx *c, struct oid *out);
void oid_of(struct oid *out, const void *data, size_t len);
/* Of a whole file, wherever it stands; its place is left alone.  0, ERR_IO, ERR_NOMEM. */
int oid_of_file(struct oid *out, int fd);

/* Lower-case hex with NUL. */
void oid_to_hex(char out[static OID_HEX_LEN + 1], const struct oid *o);
/* Exactly 64 characters [0-9a-f] are read; whatever follows is not looked at.  0 or ERR_INVALID. */
int oid_from_hex(struct oid *out, const char *hex);

int oid_cmp(const struct oid *a, const struct oid *b);
static inline int oid_eq(const struct oid *a, const struct oid *b)
{
	return oid_cmp(a, b) == 0;
}

/* Streaming hash of Git's own objects: SHA-1 or SHA-256 by hash length 20 or 32 (index trailer,
 * blob ids). */
struct githash_ctx {
	int len;
	uint64_t opaque[16];
};
void githash_init(struct githash_ctx *c, int hash_len);
void githash_update(struct githash_ctx *c, const void *data, size_t len);
void githash_final(struct githash_ctx *c, uint8_t *out);
/* Id of the blob with this content: hash of "blob <len>\0" + data. */
void githash_blob(uint8_t *out, int hash_len, const void *data, size_t len);

#endif
