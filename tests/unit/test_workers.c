/*
 * Parallel for: every job once, in order when alone, the first failure and its message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/workers.h"

enum { JOBS = 5000 };

static _Atomic int runs[JOBS];

static int count_run(size_t i, void *data)
{
	(void)data;
	runs[i]++;
	return 0;
}

static void test_each_job_once(void **state)
{
	(void)state;
	for (int threads = 0; threads <= 8; threads++) {
		memset(runs, 0, sizeof runs);
		assert_int_equal(workers_run(threads, JOBS, count_run, NULL), 0);
		for (int i = 0; i < JOBS; i++)
			assert_int_equal(runs[i], 1);
	}
	assert_int_equal(workers_run(4, 0, count_run, NULL), 0);
	assert_int_equal(workers_run(500, 3, count_run, NULL), 0);
	assert_true(workers_default() >= 1 && workers_default() <= 8);
}

static int same_thread_in_order(size_t i, void *data)
{
	size_t *next = data;

	return i == (*next)++ ? 1
			      : err_set(ERR_INVALID, "out of order"); /* positive is no failure */
}

static void test_one_thread_is_the_caller(void **state)
{
	size_t next = 0;

	(void)state;
	assert_int_equal(workers_run(1, 100, same_thread_in_order, &next), 0);
	assert_int_equal(next, 100);
}

static int fail_at(size_t i, void *data)
{
	atomic_fetch_add((_Atomic int *)data, 1);
	if (i == 50)
		return err_set(ERR_CORRUPT, "job %zu is bad", i);
	usleep(100);
	return 0;
}

static void test_failure(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 4; threads++) {
		_Atomic int calls = 0;

		err_clear();
		assert_int_equal(workers_run(threads, 100000, fail_at, &calls), ERR_CORRUPT);
		assert_string_equal(err_msg(), "job 50 is bad");
		assert_true(calls >= 51 && calls < 1000);
	}
}

static pthread_barrier_t barrier;

static int meet(size_t i, void *data)
{
	(void)i;
	(void)data;
	pthread_barrier_wait(&barrier); /* returns only if all are here at once */
	return 0;
}

static void test_really_parallel(void **state)
{
	(void)state;
	pthread_barrier_init(&barrier, NULL, 4);
	assert_int_equal(workers_run(4, 8, meet, NULL), 0);
	pthread_barrier_destroy(&barrier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_job_once),
		cmocka_unit_test(test_one_thread_is_the_caller),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_really_parallel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
