/*
 * The fast kernel and the plain loop against the definition, on all kinds of data and wherever a
 * strip, a block or a limit begins or ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/store/chunker.h"
#include "lib/store/chunker_gear.h"
#include "tests/unit/chunker_reference.h"

static uint8_t object[OBJECT_MAX];

static void fill_period(uint8_t *p, size_t len, size_t period, uint64_t seed)
{
	fill_random(p, period, seed);
	for (size_t i = period; i < len; i++)
		p[i] = p[i - period];
}

/* Few symbols, in runs of random length. */
static void fill_runs(uint8_t *p, size_t len, size_t longest, uint64_t seed)
{
	for (size_t i = 0; i < len;) {
		size_t n = 1 + below(&seed, longest);

		if (n > len - i)
			n = len - i;
		memset(p + i, (int)below(&seed, 4), n);
		i += n;
	}
}

static void assert_by_definition(const uint8_t *p, size_t len)
{
	static struct cuts expected, got;

	cut_by_definition(&expected, p, len);
	cut_with(chunker_next, &got, p, len);
	assert_same_cuts(&expected, &got);
	cut_with(chunker_next_scalar, &got, p, len);
	assert_same_cuts(&expected, &got);
}

static void test_random_data(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 14; seed++) {
		fill_random(object, OBJECT_MAX, seed);
		assert_by_definition(object, OBJECT_MAX);
	}
}

static void test_low_entropy(void **state)
{
	static const size_t longest[] = {1, 2, 40, 70, 5000, 40000};

	(void)state;
	for (size_t i = 0; i < sizeof longest / sizeof longest[0]; i++) {
		fill_runs(object, 1 << 20, longest[i], 20 + i);
		assert_by_definition(object, 1 << 20);
	}
	fill_table(object, 1 << 20, 30);
	assert_by_definition(object, 1 << 20);
}

static void test_periodic_data(void **state)
{
	static const size_t period[] = {2, 3, 63, 64, 65, 1000, 4096, 16384, 20000, 70000};

	(void)state;
	for (size_t i = 0; i < sizeof period / sizeof period[0]; i++) {
		fill_period(object, 1 << 20, period[i], 40 + i);
		assert_by_definition(object, 1 << 20);
	}
}

static void test_sizes_around_limits(void **state)
{
	static const size_t limits[] = {0, 64, 4096, CHUNK_MIN, CHUNK_MIN + 4096, 2 * CHUNK_MIN,
		CHUNK_NORMAL, CHUNK_NORMAL + CHUNK_MIN, CHUNK_MAX, CHUNK_MAX + CHUNK_MIN,
		2 * CHUNK_MAX};

	(void)state;
	for (int zeros = 0; zeros < 2; zeros++) {
		fill_random(object, OBJECT_MAX, 50);
		if (zeros)
			memset(object, 0, OBJECT_MAX);
		for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
			size_t from = limits[i] < 2 ? 0 : limits[i] - 2;

			for (size_t len = from; len <= limits[i] + 2; len++)
				assert_by_definition(object, len);
		}
	}
}

/* The first 64 bytes of random data whose hash is below `limit`. */
static void find_window(uint8_t window[static 64], uint64_t limit)
{
	uint64_t seed = 60, h = UINT64_MAX;

	for (size_t n = 0; n < 64 || h >= limit; n++) {
		memmove(window, window + 1, 63);
		window[63] = (uint8_t)splitmix64(&seed);
		h = 2 * h + chunker_gear[window[63]];
	}
}

/* A run is not cut but where a window is planted, so each place where a strip or a block begins or
 * ends can be tried. */
static void plant_at_edges(uint8_t run, const uint8_t window[static 64], size_t shortest)
{
	static const size_t edges[] = {CHUNK_MIN, CHUNK_MIN + 4096, CHUNK_MIN + 8192, 2 * CHUNK_MIN,
		CHUNK_NORMAL, CHUNK_NORMAL + 4096, CHUNK_NORMAL + CHUNK_MIN, CHUNK_MAX};

	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
		for (size_t length = edges[i] - 66; length <= edges[i] + 66; length++) {
			int possible = length >= shortest && length <= CHUNK_MAX;
			size_t expected = possible ? length : CHUNK_MAX;

			memset(object, run, CHUNK_MAX + 100);
			memcpy(object + length - 64, window, 64);
			assert_int_equal(chunker_next(object, CHUNK_MAX + 100, 1), expected);
			assert_int_equal(chunker_next(object, CHUNK_MAX + 100, 0), expected);
			if (possible)
				assert_int_equal(chunker_next(object, length + 1, 1), length);
		}
	}
}

static void test_one_candidate_at_each_edge(void **state)
{
	uint8_t window[64];

	(void)state;
	find_window(window, LIMIT_BELOW_NORMAL);
	plant_at_edges('x', window, CHUNK_MIN);
	find_window(window, LIMIT_FROM_NORMAL);
	plant_at_edges('x', window, CHUNK_NORMAL);
}

/* The hardest case for the skipping of runs: only the last byte of the window ends the run. */
static void test_candidate_in_the_first_byte_behind_a_run(void **state)
{
	int found = 0;

	(void)state;
	for (int run = 0; run < 256; run++) {
		for (int last = 0; last < 256; last++) {
			uint64_t h = 2 * (0 - chunker_gear[run]) + chunker_gear[last];
			uint8_t window[64];

			if (h >= LIMIT_FROM_NORMAL)
				continue;
			memset(window, run, 63);
			window[63] = (uint8_t)last;
			plant_at_edges((uint8_t)run, window, CHUNK_NORMAL);
			found++;
		}
	}
	assert_true(found > 0);
}

/* The strips are searched side by side; what is found first need not be the first. */
static void test_later_candidate_of_an_earlier_strip(void **state)
{
	uint8_t window[64];

	(void)state;
	find_window(window, LIMIT_FROM_NORMAL);
	for (size_t ahead = 0; ahead < 200; ahead++) {
		size_t first = CHUNK_NORMAL + 1000 + ahead, second = CHUNK_NORMAL + 4096 + 1000;

		memset(object, 'x', CHUNK_MAX);
		memcpy(object + first - 64, window, 64);
		memcpy(object + second - 64, window, 64);
		assert_int_equal(chunker_next(object, CHUNK_MAX, 1), first);
	}
}

static void test_first_of_several_candidates(void **state)
{
	uint64_t seed = 70;
	uint8_t window[2][64];

	(void)state;
	find_window(window[0], LIMIT_BELOW_NORMAL);
	find_window(window[1], LIMIT_FROM_NORMAL);
	for (int round = 0; round < 500; round++) {
		memset(object, (int)below(&seed, 256), CHUNK_MAX);
		for (int i = 0; i < 4; i++) {
			size_t at = below(&seed, CHUNK_NORMAL + CHUNK_MIN * 2);

			memcpy(object + at, window[below(&seed, 2)], 64);
		}
		assert_by_definition(object, CHUNK_MAX);
	}
}

/* ---- candidates by themselves ---- */

static size_t candidate_by_definition(const uint8_t *p, size_t from, size_t to)
{
	for (size_t at = from; at < to; at++) {
		uint64_t h = 0;

		for (size_t i = at - 64; i < at; i++)
			h = 2 * h + chunker_gear[p[i]];
		if (h < LIMIT_FROM_NORMAL)
			return at;
	}
	return to;
}

static void assert_candidates(size_t len)
{
	size_t at = 63, expected;

	do {
		expected = candidate_by_definition(object, at + 1, len);
		at = chunker_candidate(object, at + 1, len);
		assert_int_equal(at, expected);
	} while (at < len);
}

static void test_candidates(void **state)
{
	(void)state;
	fill_random(object, 1 << 20, 80);
	assert_candidates(1 << 20);
	assert_candidates(64);
	assert_candidates(65);
	fill_period(object, 1 << 20, 1000, 81);
	assert_candidates(1 << 20);
	fill_runs(object, 1 << 20, 40000, 82);
	assert_candidates(1 << 20);
}

static void test_one_candidate_wherever_the_search_begins(void **state)
{
	uint8_t window[64];

	(void)state;
	find_window(window, LIMIT_FROM_NORMAL);
	memset(object, 'x', 100000);
	memcpy(object + 50000 - 64, window, 64);
	for (size_t from = 50000 - 20000; from <= 50000; from += 7)
		assert_int_equal(chunker_candidate(object, from, 100000), 50000);
	assert_int_equal(chunker_candidate(object, 50000, 50001), 50000);
	assert_int_equal(chunker_candidate(object, 64, 50000), 50000);
	assert_int_equal(chunker_candidate(object, 50001, 100000), 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_data),
		cmocka_unit_test(test_low_entropy),
		cmocka_unit_test(test_periodic_data),
		cmocka_unit_test(test_sizes_around_limits),
		cmocka_unit_test(test_one_candidate_at_each_edge),
		cmocka_unit_test(test_candidate_in_the_first_byte_behind_a_run),
		cmocka_unit_test(test_later_candidate_of_an_earlier_strip),
		cmocka_unit_test(test_first_of_several_candidates),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_one_candidate_wherever_the_search_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
