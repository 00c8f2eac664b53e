/*
 * Object ids and the hashes behind them.  Everything that enters or leaves the store is hashed
 * here, one streaming pass over its bytes.
 *
 * libcrypto's low-level SHA256_* and SHA1_* functions are used on purpose, although OpenSSL 3
 * deprecates them: EVP fetches its algorithms through the provider machinery, which costs the
 * filter 2 ms at each start, and these two are compiled with the same SHA-NI code.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "lib/store/oid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct oid_ctx *)0)->opaque), "struct oid_ctx");
_Static_assert(
	sizeof(SHA256_CTX) <= sizeof(((struct githash_ctx *)0)->opaque), "struct githash_ctx");
_Static_assert(sizeof(SHA_CTX) <= sizeof(((struct githash_ctx *)0)->opaque), "struct githash_ctx");
_Static_assert((int)OID_LEN == SHA256_DIGEST_LENGTH, "OID_LEN");

const struct oid oid_of_empty = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
	0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95,
	0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

/* The opaque words belong to libcrypto; this file never reads them itself. */
static SHA256_CTX *sha256_in(uint64_t *opaque)
{
	return (SHA256_CTX *)(void *)opaque;
}

static SHA_CTX *sha1_in(uint64_t *opaque)
{
	return (SHA_CTX *)(void *)opaque;
}

void oid_init(struct oid_ctx *c)
{
	SHA256_Init(sha256_in(c->opaque));
}

void oid_update(struct oid_ctx *c, const void *data, size_t len)
{
	SHA256_Update(sha256_in(c->opaque), data, len);
}

void oid_final(struct oid_ctx *c, struct oid *out)
{
	SHA256_Final(out->id, sha256_in(c->opaque));
}

void oid_of(struct oid *out, const void *data, size_t len)
{
	struct oid_ctx c;

	oid_init(&c);
	oid_update(&c, data, len);
	oid_final(&c, out);
}

int oid_of_file(struct oid *out, int fd)
{
	enum { PIECE = 256 * 1024 };
	struct oid_ctx c;
	char *piece = malloc(PIECE);
	uint64_t at = 0;
	ssize_t n = 1;

	if (!piece)
		return err_set(ERR_NOMEM, "out of memory");
	oid_init(&c);
	while (n > 0 && (n = fs_pread_full(fd, piece, PIECE, at)) > 0) {
		oid_update(&c, piece, (size_t)n);
		at += (uint64_t)n;
	}
	free(piece);
	oid_final(&c, out);
	return n < 0 ? (int)n : 0;
}

void oid_to_hex(char out[static OID_HEX_LEN + 1], const struct oid *o)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < OID_LEN; i++) {
		out[2 * i] = digit[o->id[i] >> 4];
		out[2 * i + 1] = digit[o->id[i] & 15];
	}
	out[OID_HEX_LEN] = '\0';
}

/* The value of a hex digit, plus one; 0 for anything else.  Upper case is refused, an id has one
 * spelling.  A table, because whether a digit is a letter is what no processor can predict. */
static const uint8_t hex_value[256] = {
	['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
};

int oid_from_hex(struct oid *out, const char *hex)
{
	struct oid o;

	for (size_t i = 0; i < OID_LEN; i++) {
		uint8_t high = hex_value[(uint8_t)hex[2 * i]];
		uint8_t low = high ? hex_value[(uint8_t)hex[2 * i + 1]] : 0; /* not past a NUL */

		if (!low)
			return err_set(ERR_INVALID, "an object id is 64 lower-case hex digits");
		o.id[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	*out = o;
	return 0;
}

int oid_cmp(const struct oid *a, const struct oid *b)
{
	return memcmp(a->id, b->id, OID_LEN);
}

void githash_init(struct githash_ctx *c, int hash_len)
{
	c->len = hash_len;
	if (hash_len == SHA_DIGEST_LENGTH)
		SHA1_Init(sha1_in(c->opaque));
	else
		SHA256_Init(sha256_in(c->opaque));
}

void githash_update(struct githash_ctx *c, const void *data, size_t len)
{
	if (c->len == SHA_DIGEST_LENGTH)
		SHA1_Update(sha1_in(c->opaque), data, len);
	else
		SHA256_Update(sha256_in(c->opaque), data, len);
}

void githash_final(struct githash_ctx *c, uint8_t *out)
{
	if (c->len == SHA_DIGEST_LENGTH)
		SHA1_Final(out, sha1_in(c->opaque));
	else
		SHA256_Final(out, sha256_in(c->opaque));
}

void githash_blob(uint8_t *out, int hash_len, const void *data, size_t len)
{
	struct githash_ctx c;
	char header[32];
	int n = snprintf(header, sizeof header, "blob %zu", len);

	githash_init(&c, hash_len);
	githash_update(&c, header, (size_t)n + 1); /* with the NUL */
	githash_update(&c, data, len);
	githash_final(&c, out);
}
