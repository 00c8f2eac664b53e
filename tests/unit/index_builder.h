/*
 * Builds Git index files byte by byte for the unit tests.
 */
#ifndef TESTS_UNIT_INDEX_BUILDER_H
#define TESTS_UNIT_INDEX_BUILDER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/store/oid.h"

enum { REGULAR = 0100644, EXECUTABLE = 0100755, SYMLINK = 0120000 };

struct built {
	struct buf b;
	int version, hash_len;
	uint32_t count;
	char last[8192]; /* version 4: the previous name */
};

static inline void built_start(struct built *x, int version, int hash_len)
{
	*x = (struct built){.b = BUF_INIT, .version = version, .hash_len = hash_len};
	buf_addstr(&x->b, "DIRC");
	buf_add_be32(&x->b, (uint32_t)version);
	buf_add_be32(&x->b, 0);
}

static inline void built_name(struct built *x, size_t entry, const char *name)
{
	size_t common = 0, strip;

	if (x->version < 4) {
		buf_addstr(&x->b, name);
		do
			buf_addch(&x->b, '\0');
		while ((x->b.len - entry) % 8);
		return;
	}
	while (name[common] && name[common] == x->last[common])
		common++;
	strip = strlen(x->last) - common;
	if (strip > 127)
		buf_addch(&x->b, (char)(0x80 | ((strip >> 7) - 1)));
	buf_addch(&x->b, (char)(strip & 127));
	buf_add(&x->b, name + common, strlen(name + common) + 1);
	snprintf(x->last, sizeof x->last, "%s", name);
}

/* `id` fills the blob id; the stat fields are 1 to 9. */
static inline void built_add(
	struct built *x, const char *name, unsigned mode, int stage, int id, unsigned extended)
{
	size_t entry = x->b.len, len = strlen(name);
	uint32_t n = 0;

	for (int i = 0; i < 10; i++)
		buf_add_be32(&x->b, i == 6 ? mode : ++n);
	for (int i = 0; i < x->hash_len; i++)
		buf_addch(&x->b, (char)id);
	buf_add_be16(&x->b, (uint16_t)((extended ? 0x4000u : 0) | (unsigned)stage << 12 |
				       (len < 0xfff ? len : 0xfff)));
	if (extended)
		buf_add_be16(&x->b, (uint16_t)extended);
	built_name(x, entry, name);
	be32_put(x->b.p + 8, ++x->count);
}

static inline void built_extension(struct built *x, const char *name, const void *data, size_t len)
{
	buf_add(&x->b, name, 4);
	buf_add_be32(&x->b, (uint32_t)len);
	buf_add(&x->b, data, len);
}

static inline void built_end(struct built *x)
{
	struct githash_ctx h;
	uint8_t id[32];

	githash_init(&h, x->hash_len);
	githash_update(&h, x->b.p, x->b.len);
	githash_final(&h, id);
	buf_add(&x->b, id, (size_t)x->hash_len);
}

static inline void built_sample(struct built *x, int version, int hash_len)
{
	built_start(x, version, hash_len);
	built_add(x, "a", REGULAR, 0, 1, 0);
	built_add(x, "b/conflict", REGULAR, 1, 2, 0);
	built_add(x, "b/conflict", REGULAR, 2, 2, 0);
	built_add(x, "b/f", EXECUTABLE, 0, 3, 0);
	built_add(x, "b/link", SYMLINK, 0, 4, 0);
	built_add(x, "c", REGULAR, 0, 5, version > 2 ? 0x4000 : 0);
	built_add(x, "d", REGULAR, 0, 5, version > 2 ? 0x2000 : 0);
	built_extension(x, "TREE", "not looked at", 13);
	built_extension(x, "XXXX", "neither", 7);
	built_end(x);
}

#endif
