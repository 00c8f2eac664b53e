/*
 * Cutting along a base: what an edit costs, that the cuts are the ordinary ones without a base,
 * that they do not depend on how the bytes came, and that versions of versions stay in good chunks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/chunker_reference.h"
#include "transfer/blob/cutter.c" /* programs have no archive to link against */

enum {
	SIZE = 2 << 20,
	ROOM = SIZE + (4 << 20), /* and what tests insert */
	EDIT = 10007,
	ROUNDS = 60
};

static uint8_t old[ROOM], new[ROOM];

/* ---- helpers ---- */

/* Cut `p`, of which `step` bytes more come to hand at a time, along `base` into `out`. */
static void cut_object(const uint8_t *p, size_t len, size_t step, const struct cutter_base *base,
	struct cutter_base *out)
{
	size_t pos = 0, have = step < len ? step : len, n;
	struct cutter c;
	struct oid id, expected;

	cutter_begin(&c, base);
	while (pos < len) {
		n = cutter_next(&c, p + pos, have - pos, have == len, &id);
		if (n == 0) {
			assert_true(have < len);
			assert_true(have - pos < CUTTER_AHEAD);
			have = len - have < step ? len : have + step;
			continue;
		}
		assert_in_range(n, 1, CHUNK_MAX);
		assert_true(n <= have - pos);
		oid_of(&expected, p + pos, n);
		assert_true(oid_eq(&id, &expected));
		assert_int_equal(cutter_base_add(out, &id, (uint32_t)n), 0);
		pos += n;
	}
	assert_int_equal(pos, len);
}

static size_t new_bytes(const struct cutter_base *of, const struct cutter_base *base)
{
	size_t sum = 0;

	for (size_t i = 0; i < of->n; i++) {
		if (!oidmap_get(&base->numbers, &of->v[i].id, NULL))
			sum += of->v[i].len;
	}
	return sum;
}

static void assert_same_chunks(const struct cutter_base *a, const struct cutter_base *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->v[i].len, b->v[i].len);
		assert_true(oid_eq(&a->v[i].id, &b->v[i].id));
	}
}

/* Replace old[at, at + gone) by `come` random bytes.  Length of the result, in new[]. */
static size_t edit(size_t len, size_t at, size_t gone, size_t come, uint64_t seed)
{
	memcpy(new, old, at);
	fill_random(new + at, come, seed);
	memcpy(new + at + come, old + at + gone, len - at - gone);
	return len - gone + come;
}

static size_t edited_new_bytes(size_t len, size_t at, size_t gone, size_t come, uint64_t seed)
{
	struct cutter_base none = {0}, before = {0}, after = {0};
	size_t n;

	cut_object(old, len, len, &none, &before);
	len = edit(len, at, gone, come, seed);
	cut_object(new, len, len, &before, &after);
	n = new_bytes(&after, &before);
	cutter_base_release(&before);
	cutter_base_release(&after);
	return n;
}

static int compare_sizes(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Many edits at random places: mean and 95th percentile of the bytes that are new. */
static void assert_cost(size_t gone, size_t come, size_t mean, size_t most)
{
	size_t cost[ROUNDS], sum = 0;
	uint64_t seed = 1000 + gone + 3 * come;

	for (size_t i = 0; i < ROUNDS; i++) {
		fill_random(old, SIZE, splitmix64(&seed));
		cost[i] = edited_new_bytes(
			SIZE, below(&seed, SIZE - gone + 1), gone, come, splitmix64(&seed));
		sum += cost[i];
	}
	qsort(cost, ROUNDS, sizeof(cost[0]), compare_sizes);
	print_message("# -%zu +%zu bytes: mean %zu, 95%% below %zu, most %zu\n", gone, come,
		sum / ROUNDS, cost[ROUNDS * 95 / 100], cost[ROUNDS - 1]);
	assert_in_range(sum / ROUNDS, 0, mean);
	assert_in_range(cost[ROUNDS * 95 / 100], 0, most);
}

/* ---- what an edit costs ---- */

static void test_insertion_costs_about_one_chunk(void **state)
{
	(void)state;
	assert_cost(0, EDIT, 100000, 160000);
}

static void test_deletion_costs_about_one_chunk(void **state)
{
	(void)state;
	assert_cost(EDIT, 0, 100000, 200000);
}

static void test_overwriting_costs_about_one_chunk(void **state)
{
	(void)state;
	assert_cost(EDIT, EDIT, 100000, 200000);
}

static void test_half_a_megabyte_costs_itself_and_a_chunk(void **state)
{
	(void)state;
	assert_cost(0, 500000, 500000 + 100000, 500000 + 160000);
	assert_cost(300000, 0, 100000, 200000);
}

static void test_edits_at_both_ends(void **state)
{
	(void)state;
	fill_random(old, SIZE, 1);
	assert_in_range(edited_new_bytes(SIZE, 0, 0, EDIT, 2), EDIT, EDIT + 150000);
	assert_in_range(edited_new_bytes(SIZE, 0, EDIT, 0, 2), 1, 150000);
	assert_in_range(edited_new_bytes(SIZE, SIZE, 0, EDIT, 2), EDIT, EDIT + 150000);
	assert_in_range(edited_new_bytes(SIZE, SIZE - EDIT, EDIT, 0, 2), 1, 150000);
	assert_int_equal(edited_new_bytes(SIZE, 5, 0, 0, 2), 0);
}

/* ---- the cuts themselves ---- */

static void test_ordinary_cuts_without_a_base(void **state)
{
	struct cutter_base none = {0}, got = {0};
	static struct cuts expected;

	(void)state;
	fill_random(old, OBJECT_MAX, 3);
	cut_with(chunker_next, &expected, old, OBJECT_MAX);
	cut_object(old, OBJECT_MAX, 100000, &none, &got);
	assert_int_equal(got.n, expected.n);
	for (size_t i = 0, at = 0; i < got.n; i++)
		assert_int_equal(at += got.v[i].len, expected.at[i]);
	cutter_base_release(&got);
}

static void test_ordinary_cuts_for_data_that_is_new_altogether(void **state)
{
	struct cutter_base none = {0}, before = {0}, expected = {0}, got = {0};

	(void)state;
	fill_random(old, SIZE, 4);
	fill_random(new, SIZE, 5);
	cut_object(old, SIZE, SIZE, &none, &before);
	cut_object(new, SIZE, SIZE, &none, &expected);
	cut_object(new, SIZE, SIZE, &before, &got);
	assert_same_chunks(&expected, &got);
	cutter_base_release(&before);
	cutter_base_release(&expected);
	cutter_base_release(&got);
}

static void test_cuts_do_not_depend_on_pieces(void **state)
{
	static const size_t steps[] = {30011, CHUNK_MAX, 1 << 20, 2 << 20, 3000000};
	struct cutter_base none = {0}, before = {0}, expected = {0};
	size_t len;

	(void)state;
	fill_random(old, SIZE, 6);
	cut_object(old, SIZE, SIZE, &none, &before);
	len = edit(SIZE, 700000, 5, EDIT, 7);
	memcpy(old, new, len);
	len = edit(len, 1500000, 70000, 200, 8);
	cut_object(new, len, len, &before, &expected);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct cutter_base got = {0};

		cut_object(new, len, steps[i], &before, &got);
		assert_same_chunks(&expected, &got);
		cutter_base_release(&got);
	}
	cutter_base_release(&before);
	cutter_base_release(&expected);
}

/* A hundred versions, each cut along the one before it, edited at one place again and again. */
static void test_versions_of_versions_stay_in_good_chunks(void **state)
{
	struct cutter_base base = {0};
	size_t len = 1 << 20, sum = 0, shorts = 0;
	uint64_t seed = 9;

	(void)state;
	fill_random(old, len, 10);
	cut_object(old, len, len, &base, &base);
	for (int i = 0; i < 100; i++) {
		struct cutter_base next = {0};
		size_t gone = below(&seed, 3000);

		len = edit(len, 500000 + below(&seed, 200000), gone, below(&seed, 3000), seed);
		cut_object(new, len, len, &base, &next);
		sum += new_bytes(&next, &base);
		cutter_base_release(&base);
		base = next;
		memcpy(old, new, len);
	}
	for (size_t i = 0; i < base.n; i++)
		shorts += base.v[i].len < CHUNK_MIN;
	print_message("# 1 MiB, 100 edits: %zu chunks, %zu of them short, %zu bytes each\n", base.n,
		shorts, sum / 100);
	assert_in_range(base.n, 4, 25);
	assert_in_range(shorts, 0, 4);
	assert_in_range(sum / 100, 1, 150000);
	cutter_base_release(&base);
}

static void test_a_table_that_grows(void **state)
{
	struct cutter_base base = {0};
	size_t len = 1000000;

	(void)state;
	fill_table(old, 2000000, 11);
	cut_object(old, len, len, &base, &base);
	for (int i = 0; i < 50; i++) {
		struct cutter_base next = {0}, none = {0}, ordinary = {0};

		len += 1000;
		cut_object(old, len, len, &base, &next);
		cut_object(old, len, len, &none, &ordinary);
		assert_same_chunks(&ordinary, &next);
		cutter_base_release(&ordinary);
		cutter_base_release(&base);
		base = next;
	}
	cutter_base_release(&base);
}

static void test_a_run_of_zeros(void **state)
{
	(void)state;
	memset(old, 0, SIZE);
	assert_in_range(edited_new_bytes(SIZE, 1000000, 0, EDIT, 12), EDIT, 3 * CHUNK_MAX);
}

/* Whatever a store says of the base, three chunks in CHUNK_MIN bytes are the most. */
static void test_a_base_of_tiny_chunks_is_not_followed(void **state)
{
	struct cutter_base base = {0}, got = {0};
	struct oid id;

	(void)state;
	memset(old, 0, SIZE);
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t len = i % 3 == 2 ? CHUNK_MIN : 1 + i % 3;

		oid_of(&id, old, len);
		assert_int_equal(cutter_base_add(&base, &id, len), 0);
	}
	cut_object(old, SIZE, SIZE, &base, &got);
	assert_in_range(got.n, 1, 3 * (SIZE / CHUNK_MIN + 1));
	cutter_base_release(&base);
	cutter_base_release(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_insertion_costs_about_one_chunk),
		cmocka_unit_test(test_deletion_costs_about_one_chunk),
		cmocka_unit_test(test_overwriting_costs_about_one_chunk),
		cmocka_unit_test(test_half_a_megabyte_costs_itself_and_a_chunk),
		cmocka_unit_test(test_edits_at_both_ends),
		cmocka_unit_test(test_ordinary_cuts_without_a_base),
		cmocka_unit_test(test_ordinary_cuts_for_data_that_is_new_altogether),
		cmocka_unit_test(test_cuts_do_not_depend_on_pieces),
		cmocka_unit_test(test_versions_of_versions_stay_in_good_chunks),
		cmocka_unit_test(test_a_table_that_grows),
		cmocka_unit_test(test_a_run_of_zeros),
		cmocka_unit_test(test_a_base_of_tiny_chunks_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
