/*
 * The chunker against its definition in docs/chunker.md, which is written down a second time here
 * as a plain loop over a whole object; against cuts that were computed by another program in
 * another language and are frozen; and against what the design expects of it: locality of edits,
 * long chunks for runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/store/chunker.h"
#include "lib/store/chunker_gear.h"
#include "lib/store/oid.h"

enum { OBJECT_MAX = 2 << 20, CUTS_MAX = OBJECT_MAX / CHUNK_MIN + 1 };

static const uint64_t LIMIT_BELOW_NORMAL = (uint64_t)1 << 46;
static const uint64_t LIMIT_FROM_NORMAL = (uint64_t)1 << 50;

struct cuts {
	size_t n;
	size_t at[CUTS_MAX]; /* offsets of the ends of the chunks */
};

static uint8_t object[OBJECT_MAX];

/* ---- inputs ---- */

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t limit)
{
	return (size_t)(splitmix64(state) % limit);
}

static void fill_random(uint8_t *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i += 8) {
		uint8_t word[8];

		be64_put(word, splitmix64(&seed));
		memcpy(p + i, word, len - i < 8 ? len - i : 8);
	}
}

/* Lines like a CSV file's: "<line>,<0…999>". */
static void fill_table(uint8_t *p, size_t len, uint64_t seed)
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

/* ---- ways to cut ---- */

static void cut_by_definition(struct cuts *out, const uint8_t *p, size_t len)
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

static void cut_with(size_t (*next)(const uint8_t *, size_t, int), struct cuts *out,
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

/* As a reader would who gets the object in pieces of up to `piece` bytes. */
static void cut_in_pieces(
	struct cuts *out, const uint8_t *p, size_t len, size_t piece, uint64_t *seed)
{
	size_t start = 0, have = 0;

	out->n = 0;
	while (start < len) {
		size_t length = chunker_next(p + start, have - start, have == len);

		if (length == 0) {
			assert_in_range(have - start, 0, CHUNK_MAX - 1);
			assert_true(have < len);
			have += 1 + below(seed, piece);
			if (have > len)
				have = len;
			continue;
		}
		start += length;
		out->at[out->n++] = start;
	}
}

static void assert_same_cuts(const struct cuts *a, const struct cuts *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_int_equal(a->at[i], b->at[i]);
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

/* ---- the table ---- */

static void test_table_is_splitmix64_of_its_seed(void **state)
{
	uint64_t seed = be64_get("gear64v1");

	(void)state;
	for (int i = 0; i < 256; i++)
		assert_true(chunker_gear[i] == splitmix64(&seed));
}

static void test_table_is_frozen(void **state)
{
	uint8_t bytes[256 * 8];
	char hex[OID_HEX_LEN + 1];
	struct oid o;

	(void)state;
	for (size_t i = 0; i < 256; i++)
		be64_put(bytes + 8 * i, chunker_gear[i]);
	oid_of(&o, bytes, sizeof bytes);
	oid_to_hex(hex, &o);
	assert_string_equal(
		hex, "f3da44fb03abd54a0266953d6ca2b93357b0932e9c9319c1ce8b895ba941dc8e");
}

static void test_no_run_of_one_byte_is_a_candidate(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++)
		assert_true(0 - chunker_gear[i] >= LIMIT_FROM_NORMAL);
}

/* ---- frozen cuts ---- */

static void assert_cuts(const uint8_t *p, size_t len, const size_t *expected, size_t n)
{
	static struct cuts got;

	cut_with(chunker_next, &got, p, len);
	assert_int_equal(got.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got.at[i], expected[i]);
}

static void test_golden_random(void **state)
{
	static const size_t golden[] = {82795, 182929, 220277, 296960, 424459, 494763, 591803,
		666498, 717872, 882576, 963354, 1048576};

	(void)state;
	fill_random(object, 1 << 20, 1);
	assert_cuts(object, 1 << 20, golden, sizeof golden / sizeof golden[0]);
}

static void test_golden_table(void **state)
{
	static const size_t golden[] = {89464, 140553, 199717, 270814, 350293, 428142, 496364,
		566662, 638804, 723220, 800957, 867325, 887269, 988118, 1048576};

	(void)state;
	fill_table(object, 1 << 20, 2);
	assert_cuts(object, 1 << 20, golden, sizeof golden / sizeof golden[0]);
}

static void test_golden_sparse(void **state)
{
	static const size_t golden[] = {
		73583, 193044, 455188, 717332, 979476, 1241620, 1286026, 1331566, 1407291, 1458176};
	enum { ISLAND = 200 << 10, HOLE = 1 << 20 };

	(void)state;
	fill_random(object, ISLAND, 3);
	memset(object + ISLAND, 0, HOLE);
	fill_random(object + ISLAND + HOLE, ISLAND, 4);
	assert_cuts(object, 2 * ISLAND + HOLE, golden, sizeof golden / sizeof golden[0]);
}

/* ---- equal to the definition ---- */

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

/* ---- what the interface promises ---- */

static void test_cuts_do_not_depend_on_how_the_object_is_read(void **state)
{
	static const size_t piece[] = {1000, 16384, 100000, 300000, 1 << 20};
	static struct cuts expected, got;
	uint64_t seed = 80;

	(void)state;
	fill_random(object, 1 << 20, 81);
	memset(object + (300 << 10), 0, 300 << 10);
	cut_by_definition(&expected, object, 1 << 20);
	for (size_t i = 0; i < sizeof piece / sizeof piece[0]; i++) {
		cut_in_pieces(&got, object, 1 << 20, piece[i], &seed);
		assert_same_cuts(&expected, &got);
	}
}

static void test_asks_for_more_only_below_the_maximum(void **state)
{
	(void)state;
	memset(object, 0, OBJECT_MAX);
	assert_int_equal(chunker_next(object, 0, 0), 0);
	assert_int_equal(chunker_next(object, 0, 1), 0);
	assert_int_equal(chunker_next(object, 1, 0), 0);
	assert_int_equal(chunker_next(object, 1, 1), 1);
	assert_int_equal(chunker_next(object, CHUNK_MAX - 1, 0), 0);
	assert_int_equal(chunker_next(object, CHUNK_MAX - 1, 1), CHUNK_MAX - 1);
	assert_int_equal(chunker_next(object, CHUNK_MAX, 0), CHUNK_MAX);
	assert_int_equal(chunker_next(object, CHUNK_MAX + 1, 0), CHUNK_MAX);
}

static void test_run_of_any_byte_gives_longest_chunks(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		memset(object, byte, CHUNK_MAX + 1);
		assert_int_equal(chunker_next(object, CHUNK_MAX + 1, 1), CHUNK_MAX);
		assert_int_equal(chunker_next_scalar(object, CHUNK_MAX + 1, 1), CHUNK_MAX);
	}
}

static void test_mean_length(void **state)
{
	static struct cuts got;
	size_t chunks = 0, bytes = 0;

	(void)state;
	for (uint64_t seed = 90; seed < 98; seed++) {
		fill_random(object, OBJECT_MAX, seed);
		cut_with(chunker_next, &got, object, OBJECT_MAX);
		chunks += got.n - 1;
		bytes += got.at[got.n - 2]; /* the last chunk is what was left */
	}
	assert_in_range(bytes / chunks, 68 << 10, 78 << 10);
}

/* ---- edits ---- */

static int is_cut(const struct cuts *c, size_t offset)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->at[i] == offset)
			return 1;
	return offset == 0;
}

/* Chunks of `after` that `before` has not, when one byte was inserted at `place`. */
static size_t count_new(const struct cuts *before, const struct cuts *after, size_t place)
{
	size_t new = 0, start = 0;

	for (size_t i = 0; i < after->n; i++) {
		size_t end = after->at[i];
		int is_old;

		if (end <= place)
			is_old = is_cut(before, start) && is_cut(before, end);
		else
			is_old = start > place && is_cut(before, start - 1) &&
				 is_cut(before, end - 1);
		new += !is_old;
		start = end;
	}
	return new;
}

static void test_inserted_byte_makes_few_new_chunks(void **state)
{
	enum { EDITS = 300, LEN = 1 << 20 };
	static uint8_t edited[LEN + 1];
	static struct cuts before, after;
	uint64_t seed = 100;
	size_t new = 0;

	(void)state;
	fill_random(object, LEN, 101);
	cut_with(chunker_next, &before, object, LEN);
	for (int i = 0; i < EDITS; i++) {
		size_t place = below(&seed, LEN);

		memcpy(edited, object, place);
		edited[place] = (uint8_t)splitmix64(&seed);
		memcpy(edited + place + 1, object + place, LEN - place);
		cut_with(chunker_next, &after, edited, LEN + 1);
		new += count_new(&before, &after, place);
	}
	print_message("# an inserted byte makes %.3f new chunks\n", (double)new / EDITS);
	assert_in_range(new, EDITS, EDITS * 11 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_splitmix64_of_its_seed),
		cmocka_unit_test(test_table_is_frozen),
		cmocka_unit_test(test_no_run_of_one_byte_is_a_candidate),
		cmocka_unit_test(test_golden_random),
		cmocka_unit_test(test_golden_table),
		cmocka_unit_test(test_golden_sparse),
		cmocka_unit_test(test_random_data),
		cmocka_unit_test(test_low_entropy),
		cmocka_unit_test(test_periodic_data),
		cmocka_unit_test(test_sizes_around_limits),
		cmocka_unit_test(test_one_candidate_at_each_edge),
		cmocka_unit_test(test_candidate_in_the_first_byte_behind_a_run),
		cmocka_unit_test(test_later_candidate_of_an_earlier_strip),
		cmocka_unit_test(test_first_of_several_candidates),
		cmocka_unit_test(test_cuts_do_not_depend_on_how_the_object_is_read),
		cmocka_unit_test(test_asks_for_more_only_below_the_maximum),
		cmocka_unit_test(test_run_of_any_byte_gives_longest_chunks),
		cmocka_unit_test(test_mean_length),
		cmocka_unit_test(test_inserted_byte_makes_few_new_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
