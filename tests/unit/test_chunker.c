/*
 * The chunker's table, its cuts, which are frozen (they were computed by another program in another
 * language), what its interface promises, and what the design expects of it: locality of edits, the
 * mean length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/store/chunker.h"
#include "lib/store/chunker_gear.h"
#include "lib/store/oid.h"
#include "tests/unit/chunker_reference.h"

static uint8_t object[OBJECT_MAX];

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

/* ---- what the interface promises ---- */

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

static int has_chunk(const struct cuts *c, size_t start, size_t end)
{
	size_t chunk_start = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (chunk_start == start && c->at[i] == end)
			return 1;
		chunk_start = c->at[i];
	}
	return 0;
}

/* Chunks of `after` that `before` has not, when one byte was inserted at `place`. */
static size_t count_new(const struct cuts *before, const struct cuts *after, size_t place)
{
	size_t new = 0, start = 0;

	for (size_t i = 0; i < after->n; i++) {
		size_t end = after->at[i];
		int is_old = end <= place    ? has_chunk(before, start, end)
			     : start > place ? has_chunk(before, start - 1, end - 1)
					     : 0; /* it holds the new byte */

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
		cmocka_unit_test(test_cuts_do_not_depend_on_how_the_object_is_read),
		cmocka_unit_test(test_asks_for_more_only_below_the_maximum),
		cmocka_unit_test(test_run_of_any_byte_gives_longest_chunks),
		cmocka_unit_test(test_mean_length),
		cmocka_unit_test(test_inserted_byte_makes_few_new_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
