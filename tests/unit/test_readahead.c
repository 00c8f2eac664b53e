/*
 * Ranges read by several threads are handed out in order, with bounded memory; a failure arrives
 * where it belongs, and nothing is left running.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "transfer/blob/readahead.c" /* programs have no archive to link against */

int engine_check_stop(const struct engine *e)
{
	return e->stop && *e->stop ? err_set(ERR_INTERRUPTED, "interrupted") : 0;
}

enum { PACK_BYTES = 100000, RANGES = 200, LENGTH = 499 };

static int reads, begun_at_most_ahead, bad_from = -1;
static size_t taken;

/* The byte at `i` of the pack; the ranges are read in any order and at any speed. */
static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 2654435761u >> 7);
}

static ssize_t some_get(struct remote *r, enum remote_class c, const struct oid *name,
	uint64_t offset, void *into, size_t len)
{
	uint8_t *out = into;
	int ahead = (int)(offset / LENGTH) - (int)__atomic_load_n(&taken, __ATOMIC_SEQ_CST);
	int most = __atomic_load_n(&begun_at_most_ahead, __ATOMIC_SEQ_CST);

	(void)r;
	(void)c;
	(void)name;
	__atomic_add_fetch(&reads, 1, __ATOMIC_SEQ_CST);
	while (ahead > most && !__atomic_compare_exchange_n(&begun_at_most_ahead, &most, ahead, 0,
				       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	usleep((useconds_t)(offset * 31 % 300));
	if (bad_from >= 0 && offset >= (uint64_t)bad_from)
		return err_set(ERR_REMOTE, "range at %llu", (unsigned long long)offset);
	if (offset + len > PACK_BYTES)
		len = offset < PACK_BYTES ? (size_t)(PACK_BYTES - offset) : 0;
	for (size_t i = 0; i < len; i++)
		out[i] = byte_at(offset + i);
	return (ssize_t)len;
}

static int some_describe(
	struct remote *r, enum remote_class c, const struct oid *name, struct buf *out)
{
	(void)r;
	(void)c;
	(void)name;
	return buf_addstr(out, "the pack");
}

static const struct remote_ops ops = {.get = some_get, .describe = some_describe};
static struct remote remote = {.ops = &ops};
static volatile int stop;
static struct engine engine = {.stop = &stop};
static struct blobstore store = {.remote = &remote, .engine = &engine};
static struct readahead_range ranges[RANGES];

static int prepare(void **state)
{
	(void)state;
	for (size_t i = 0; i < RANGES; i++) {
		ranges[i].offset = i * LENGTH;
		ranges[i].length = i + 1 == RANGES ? 17 : LENGTH;
	}
	reads = begun_at_most_ahead = 0;
	taken = 0;
	bad_from = -1;
	stop = 0;
	return 0;
}

static void in_order(int threads)
{
	struct readahead *a;
	uint8_t *bytes;

	assert_int_equal(readahead_new(&a, &store, ranges, RANGES, threads), 0);
	for (size_t i = 0; i < RANGES; i++) {
		assert_int_equal(readahead_next(a, &bytes), 0);
		__atomic_store_n(&taken, i, __ATOMIC_SEQ_CST);
		memset(bytes - READAHEAD_FRONT, 0, READAHEAD_FRONT); /* ours to write */
		for (size_t k = 0; k < ranges[i].length; k++)
			assert_int_equal(bytes[k], byte_at(ranges[i].offset + k));
	}
	assert_int_equal(readahead_next(a, &bytes), ERR_INVALID);
	readahead_free(a);
	assert_int_equal(reads, RANGES);
	assert_true(begun_at_most_ahead <= (threads > 1 ? threads : 1));
}

static void ranges_come_in_order_from_any_number_of_threads(void **state)
{
	static const int threads[] = {0, 1, 2, 3, 16, 1000};

	for (size_t i = 0; i < sizeof(threads) / sizeof(*threads); i++) {
		prepare(state);
		in_order(threads[i]);
	}
}

static void a_failure_comes_after_what_is_good(void **state)
{
	struct readahead *a;
	uint8_t *bytes;

	(void)state;
	bad_from = 50 * LENGTH;
	assert_int_equal(readahead_new(&a, &store, ranges, RANGES, 8), 0);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(readahead_next(a, &bytes), 0);
	assert_int_equal(readahead_next(a, &bytes), ERR_REMOTE);
	assert_string_equal(err_msg(), "range at 24950"); /* the first one's, in this thread */
	readahead_free(a);
}

static void a_pack_that_ends_early_is_named(void **state)
{
	struct readahead *a;
	uint8_t *bytes;

	(void)state;
	ranges[0] = (struct readahead_range){.offset = PACK_BYTES - 10, .length = 11};
	assert_int_equal(readahead_new(&a, &store, ranges, 1, 4), 0);
	assert_int_equal(readahead_next(a, &bytes), ERR_CORRUPT);
	assert_string_equal(err_msg(), "'the pack': truncated: it ends before byte 100001");
	readahead_free(a);
}

static void leaving_early_stops_the_threads(void **state)
{
	struct readahead *a;
	uint8_t *bytes;

	(void)state;
	assert_int_equal(readahead_new(&a, &store, ranges, RANGES, 8), 0);
	assert_int_equal(readahead_next(a, &bytes), 0);
	readahead_free(a);
	assert_true(reads < 20);
	assert_int_equal(readahead_new(&a, &store, ranges, RANGES, 8), 0);
	readahead_free(a);
	readahead_free(NULL);
}

static void asked_to_stop_it_says_so(void **state)
{
	struct readahead *a;
	uint8_t *bytes;

	(void)state;
	stop = 1;
	assert_int_equal(readahead_new(&a, &store, ranges, RANGES, 4), 0);
	assert_int_equal(readahead_next(a, &bytes), ERR_INTERRUPTED);
	readahead_free(a);
	assert_int_equal(reads, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ranges_come_in_order_from_any_number_of_threads, prepare),
		cmocka_unit_test_setup(a_failure_comes_after_what_is_good, prepare),
		cmocka_unit_test_setup(a_pack_that_ends_early_is_named, prepare),
		cmocka_unit_test_setup(leaving_early_stops_the_threads, prepare),
		cmocka_unit_test_setup(asked_to_stop_it_says_so, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
