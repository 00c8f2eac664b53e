/*
 * Index fragments from outside.  The checksum keeps random input from the parts behind it, so the
 * input is tried as it is and again with a right one.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/store/fragment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void walk(const struct fragment *f)
{
	for (size_t i = 0; i < fragment_count(f); i++) {
		struct fragment_object o, found;

		fragment_at(f, i, &o);
		if (fragment_find(f, &o.oid, &found) != 1 || found.size != o.size)
			abort();
		for (uint32_t k = 0; k < o.n_extents; k++) {
			struct fragment_extent x;
			struct oid name;
			uint64_t size;

			fragment_extent_at(&o, k, &x);
			fragment_pack_at(f, x.pack, &name, &size);
			if ((uint64_t)x.offset + x.length > size)
				abort();
		}
	}
}

static void try_bytes(const uint8_t *data, size_t len)
{
	struct fragment *f;

	if (fragment_parse(&f, data, len) < 0)
		return;
	walk(f);
	fragment_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	XXH128_canonical_t sum;
	uint8_t *copy;

	try_bytes(data, len);
	if (len < sizeof sum.digest)
		return 0;
	copy = malloc(len);
	if (!copy)
		abort();
	memcpy(copy, data, len);
	XXH128_canonicalFromHash(&sum, XXH3_128bits(copy, len - sizeof sum.digest));
	memcpy(copy + len - sizeof sum.digest, sum.digest, sizeof sum.digest);
	try_bytes(copy, len);
	free(copy);
	return 0;
}
