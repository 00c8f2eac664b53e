/*
 * The chunker gear64-nc2-v1, as docs/chunker.md defines it.  It stands between reading a large
 * object and hashing, compressing and packing its chunks, so it must be cheaper than any of these.
 *
 * Whether a chunk may end at a place depends on the 64 bytes before that place, and these lie
 * within the chunk, because no chunk but the last is shorter than CHUNK_MIN.  Hence there is no
 * state, and the search may begin anywhere, even in several places at once: find_in_block() runs
 * through four strips side by side.  A length is a candidate when the hash there is below a limit.
 */
#include "lib/store/chunker.h"

#include <string.h>

#include "lib/store/chunker_gear.h"

enum { WINDOW = CHUNK_WINDOW, STRIP = 4096, STRIPS = 4, BLOCK = STRIPS * STRIP };

_Static_assert((int)WINDOW <= CHUNK_MIN, "the window of a candidate lies within its chunk");

static const uint64_t LIMIT_BELOW_NORMAL = (uint64_t)1 << (64 - 18);
static const uint64_t LIMIT_FROM_NORMAL = (uint64_t)1 << (64 - 14);

static inline uint64_t roll(uint64_t h, uint8_t byte)
{
	return (h << 1) + chunker_gear[byte];
}

/* First candidate length in [from, to), or `to`; from >= WINDOW. */
typedef size_t find_fn(const uint8_t *data, size_t from, size_t to, uint64_t limit);

static size_t find_scalar(const uint8_t *data, size_t from, size_t to, uint64_t limit)
{
	uint64_t h = 0;

	for (size_t i = from - WINDOW; i < from - 1; i++)
		h = roll(h, data[i]);
	for (size_t length = from; length < to; length++) {
		h = roll(h, data[length - 1]);
		if (h < limit)
			return length;
	}
	return to;
}

/*
 * All strips were searched up to i, where `strip` has a candidate.  The strips before it may have
 * one further on, which comes first in the data; return the first of all.
 */
static size_t earlier_or(const uint8_t *data, size_t from, size_t strip, size_t i, uint64_t limit)
{
	for (; strip > 0; strip--, from += STRIP) {
		size_t end = from + STRIP;
		size_t at = find_scalar(data, from + i + 1, end, limit);

		if (at < end)
			return at;
	}
	return from + i;
}

/*
 * First candidate in [from, from + BLOCK), or the end of that range.  Four hashes that do not wait
 * for each other keep the processor busier than one.  A function of its own, because
 * its loop needs all registers: gcc makes it a fifth slower when it is inlined.
 */
__attribute__((noinline)) static size_t find_in_block(
	const uint8_t *data, size_t from, uint64_t limit)
{
	const uint8_t *s = data + from - 1; /* the last byte of the first window */
	uint64_t h0 = 0, h1 = 0, h2 = 0, h3 = 0;
	size_t strip = STRIPS; /* the one that has a candidate at i */
	ptrdiff_t i;

	for (i = 1 - WINDOW; i < 0; i++) {
		h0 = roll(h0, s[i]);
		h1 = roll(h1, s[i + STRIP]);
		h2 = roll(h2, s[i + 2 * STRIP]);
		h3 = roll(h3, s[i + 3 * STRIP]);
	}
	for (; i < STRIP; i++) {
		h0 = roll(h0, s[i]);
		if (h0 < limit) {
			strip = 0;
			break;
		}
		h1 = roll(h1, s[i + STRIP]);
		if (h1 < limit) {
			strip = 1;
			break;
		}
		h2 = roll(h2, s[i + 2 * STRIP]);
		if (h2 < limit) {
			strip = 2;
			break;
		}
		h3 = roll(h3, s[i + 3 * STRIP]);
		if (h3 < limit) {
			strip = 3;
			break;
		}
	}
	if (strip == STRIPS)
		return from + BLOCK;
	return earlier_or(data, from, strip, (size_t)i, limit);
}

/* Are all bytes that the block's hashes look at the same?  Then none of them is a candidate: the
 * table has no value that lets a run of one byte be one. */
static int is_run(const uint8_t *data, size_t from)
{
	const uint8_t *first = data + from - WINDOW;

	return memcmp(first, first + 1, WINDOW + BLOCK - 2) == 0;
}

static size_t find_fast(const uint8_t *data, size_t from, size_t to, uint64_t limit)
{
	while (to - from >= BLOCK) {
		size_t end = from + BLOCK;
		size_t at = is_run(data, from) ? end : find_in_block(data, from, limit);

		if (at < end)
			return at;
		from = end;
	}
	return find_scalar(data, from, to, limit);
}

static size_t next_with(find_fn *find, const uint8_t *data, size_t len, int final)
{
	size_t end = len < CHUNK_MAX ? len : CHUNK_MAX;
	size_t normal = end < CHUNK_NORMAL ? end : CHUNK_NORMAL;
	size_t cut = end;

	if (end > CHUNK_MIN) {
		cut = find(data, CHUNK_MIN, normal, LIMIT_BELOW_NORMAL);
		if (cut == normal)
			cut = find(data, normal, end, LIMIT_FROM_NORMAL);
	}
	if (cut == len && len < CHUNK_MAX && !final)
		return 0;
	return cut;
}

size_t chunker_next(const uint8_t *data, size_t len, int final)
{
	return next_with(find_fast, data, len, final);
}

size_t chunker_candidate(const uint8_t *data, size_t from, size_t to)
{
	return find_fast(data, from, to, LIMIT_FROM_NORMAL);
}

size_t chunker_next_scalar(const uint8_t *data, size_t len, int final)
{
	return next_with(find_scalar, data, len, final);
}
