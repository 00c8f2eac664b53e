/*
 * The fast kernel against the plain loop, whole and in pieces.  Cuts are far apart, so the input is
 * a recipe for a larger object: steps of four bytes - kind, value, length (big-endian, in units of
 * 16).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/store/chunker.h"

enum { OBJECT_MAX = 2 * CHUNK_MAX, STEP_LEN = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void fill_random(uint8_t *p, size_t len, uint32_t x)
{
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)(x >> 24);
	}
}

/* One step of the recipe at `object` + `at`: a run, noise, what was before once more, or the recipe
 * itself, repeated. */
static void cook(uint8_t *object, size_t at, size_t len, const uint8_t *recipe, size_t size)
{
	uint8_t value = recipe[1];

	switch (recipe[0] % 4) {
	case 0:
		memset(object + at, value, len);
		break;
	case 1:
		fill_random(object + at, len, value);
		break;
	case 2:
		for (size_t i = 0; i < len; i++)
			object[at + i] = at + i > value ? object[at + i - value - 1] : value;
		break;
	default:
		for (size_t i = 0; i < len; i++)
			object[at + i] = recipe[i % size];
	}
}

static void require_same_cuts(const uint8_t *object, size_t len, size_t piece)
{
	size_t start = 0, have = 0;

	while (start < len) {
		size_t expected = chunker_next_scalar(object + start, len - start, 1);
		size_t length;

		require(chunker_next(object + start, len - start, 1) == expected);
		while (!(length = chunker_next(object + start, have - start, have == len))) {
			require(have < len && have - start < CHUNK_MAX);
			have += piece < len - have ? piece : len - have;
		}
		require(length == expected);
		start += length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t object[OBJECT_MAX];
	size_t len = 0;

	if (size < 1 + STEP_LEN)
		return 0;
	for (size_t i = 1; i + STEP_LEN <= size; i += STEP_LEN) {
		size_t n = (size_t)be16_get(data + i + 2) * 16;

		if (n > OBJECT_MAX - len)
			n = OBJECT_MAX - len;
		cook(object, len, n, data + i, size - i);
		len += n;
	}
	len -= data[0] < len ? data[0] : len; /* sizes that are no multiple of 16 */
	require_same_cuts(object, len, (size_t)40000 + 1000 * data[0]);
	return 0;
}
