/*
 * For the tests of the chunker: inputs that are the same everywhere, and the definition of
 * docs/chunker.md written down a second time, as a plain loop over a whole object.
 */
#ifndef TESTS_UNIT_CHUNKER_REFERENCE_H
#define TESTS_UNIT_CHUNKER_REFERENCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/store/chunker.h"
#include "lib/store/chunker_gear.h"

enum { OBJECT_MAX = 2 << 20, CUTS_MAX = OBJECT_MAX / CHUNK_MIN + 1 };

static const uint64_t LIMIT_BELOW_NORMAL = (uint64_t)1 << 46;
static const uint64_t LIMIT_FROM_NORMAL = (uint64_t)1 << 50;

struct cuts {
	size_t n;
	size_t at[CUTS_MAX]; /* offsets of the ends of the chunks */
};

/* ---- inputs ---- */

static inline uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline size_t below(uint64_t *state, size_t limit)
{
	return (size_t)(splitmix64(state) % limit);
}

static inline void fill_random(uint8_t *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i += 8) {
		uint8_t word[8];

		be64_put(word, splitmix64(&seed));
		memcpy(p + i, word, len - i < 8 ? len - i : 8);
	}
}

/* Lines like a CSV file's: "<line>,<0…999>". */
static inline void fill_table(uint8_t *p, size_t len, uint64_t seed)
{
	char line[32];
	size_t n;

	for (size_t i = 0, row = 0; i < len; i += n) {
		n = (size_t)snprintf(line, sizeof line, "%zu,%zu\n", row++, below(&seed, 1000));
		if (n > len - i)
			n = len - i;
		memcpy(p + i, line, n);
	}
}

/* ---- ways to cut ---- */

static inline void cut_by_definition(struct cuts *out, const uint8_t *p, size_t len)
{
	uint64_t h = 0; /* never reset: the definition looks at 64 bytes wherever the chunk began */
	size_t start = 0;

	out->n = 0;
	for (size_t end = 1; end <= len; end++) {
		size_t length = end - start;
		uint64_t limit = length < CHUNK_NORMAL ? LIMIT_BELOW_NORMAL : LIMIT_FROM_NORMAL;

		h = 2 * h + chunker_gear[p[end - 1]];
		if ((length >= CHUNK_MIN && h < limit) || length == CHUNK_MAX || end == len) {
			out->at[out->n++] = end;
			start = end;
		}
	}
}

static inline void cut_with(size_t (*next)(const uint8_t *, size_t, int), struct cuts *out,
	const uint8_t *p, size_t len)
{
	size_t start = 0;

	out->n = 0;
	while (start < len) {
		size_t length = next(p + start, len - start, 1);

		assert_in_range(length, 1, CHUNK_MAX);
		assert_in_range(out->n, 0, CUTS_MAX - 1);
		start += length;
		out->at[out->n++] = start;
	}
	assert_int_equal(start, len);
}

static inline void assert_same_cuts(const struct cuts *a, const struct cuts *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_int_equal(a->at[i], b->at[i]);
}

#endif
