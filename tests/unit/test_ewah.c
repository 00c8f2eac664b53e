/*
 * EWAH bitmaps: frozen bytes as Git writes them, round trips, and hostile input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/worktree/ewah.h"

static void write_bits(struct buf *out, size_t size, const size_t *bits, size_t n)
{
	struct ewah b;

	assert_int_equal(ewah_init(&b, size), 0);
	for (size_t i = 0; i < n; i++)
		ewah_set(&b, bits[i]);
	assert_int_equal(ewah_write(out, &b), 0);
	ewah_release(&b);
}

static void test_frozen_bytes(void **state)
{
	/* As in the "link" extension of an index that deletes nothing and replaces entries 0
	 * and 65. */
	static const uint8_t nothing[] = {
		0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t two[] = {0, 0, 0, 66, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0};
	/* 64 ones, a zero word, bit 130: two markers, the second starts at word 1. */
	static const uint8_t runs[] = {0, 0, 0, 131, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2,
		0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1};
	size_t bits[65];
	struct buf b = BUF_INIT;

	(void)state;
	write_bits(&b, 1000, NULL, 0);
	assert_int_equal(b.len, sizeof nothing);
	assert_memory_equal(b.p, nothing, sizeof nothing);
	buf_reset(&b);
	write_bits(&b, 1000, (const size_t[]){0, 65}, 2);
	assert_int_equal(b.len, sizeof two);
	assert_memory_equal(b.p, two, sizeof two);
	buf_reset(&b);
	for (size_t i = 0; i < 64; i++)
		bits[i] = i;
	bits[64] = 130;
	write_bits(&b, 1000, bits, 65);
	assert_int_equal(b.len, sizeof runs);
	assert_memory_equal(b.p, runs, sizeof runs);
	buf_release(&b);
}

/* Bits come in stretches, so that runs and literals alternate. */
static void fill(struct ewah *b, unsigned seed)
{
	size_t i = 0;

	srand(seed);
	while (i < b->bits) {
		size_t end = i + (size_t)rand() % (rand() % 3 ? 40 : 400);
		int kind = rand() % 3;

		for (; i < end && i < b->bits; i++)
			if (kind == 1 || (kind == 2 && rand() % 2))
				ewah_set(b, i);
	}
}

static void test_round_trips(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 500; seed++) {
		size_t bits = seed * 7;
		struct ewah a, b;
		struct buf out = BUF_INIT;

		assert_int_equal(ewah_init(&a, bits), 0);
		assert_int_equal(ewah_init(&b, bits), 0);
		fill(&a, seed);
		assert_int_equal(ewah_write(&out, &a), 0);
		assert_int_equal(buf_addstr(&out, "rest"), 0);
		assert_int_equal(ewah_read(&b, out.p, out.len), out.len - 4);
		assert_int_equal(ewah_count(&a), ewah_count(&b));
		for (size_t i = 0; i < bits + 3; i++)
			assert_int_equal(ewah_get(&a, i), ewah_get(&b, i));
		for (size_t cut = 0; cut < out.len - 4; cut++) {
			struct ewah c;

			assert_int_equal(ewah_init(&c, bits), 0);
			assert_int_equal(ewah_read(&c, out.p, cut), ERR_CORRUPT);
			ewah_release(&c);
		}
		ewah_release(&a);
		ewah_release(&b);
		buf_release(&out);
	}
}

static ssize_t read_words(size_t bits, const uint64_t *words, size_t n)
{
	struct buf data = BUF_INIT;
	struct ewah b;
	ssize_t rc;

	buf_add_be32(&data, (uint32_t)bits);
	buf_add_be32(&data, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		buf_add_be64(&data, words[i]);
	buf_add_be32(&data, 0);
	assert_int_equal(ewah_init(&b, bits), 0);
	rc = ewah_read(&b, data.p, data.len);
	ewah_release(&b);
	buf_release(&data);
	return rc;
}

static void test_hostile_runs(void **state)
{
	const uint64_t one_run = (uint64_t)0xffffffff << 1 | 1,
		       zero_run = (uint64_t)0xffffffff << 1;
	const uint64_t literals = (uint64_t)0x7fffffff << 33, one_literal = (uint64_t)1 << 33;

	(void)state;
	assert_int_equal(read_words(100, &one_run, 1), ERR_CORRUPT);
	assert_int_equal(read_words(100, &literals, 1), ERR_CORRUPT);
	assert_int_equal(read_words(0, (const uint64_t[]){one_literal, 1}, 2), ERR_CORRUPT);
	assert_int_equal(read_words(100, (const uint64_t[]){3, one_literal, (uint64_t)1 << 40}, 3),
		ERR_CORRUPT);
	assert_int_equal(read_words(100, (const uint64_t[]){zero_run, zero_run, one_literal, 1}, 4),
		ERR_CORRUPT);
	/* Zeros behind the end are harmless. */
	assert_int_equal(
		read_words(100, (const uint64_t[]){zero_run, one_literal, 0}, 3), 8 + 24 + 4);
	assert_int_equal(read_words(100, (const uint64_t[]){3, one_literal, (uint64_t)1 << 35}, 3),
		8 + 24 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frozen_bytes),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_hostile_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
