/*
 * The string map: replacing, order, many keys, release.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/strmap.h"

static int released;

static void count_release(void *value)
{
	(void)value;
	released++;
}

static void test_put_get(void **state)
{
	struct strmap m = STRMAP_INIT;
	char key[] = "key";
	int one = 1, two = 2;

	(void)state;
	assert_null(strmap_get(&m, "key"));
	assert_false(strmap_has(&m, "key"));
	assert_int_equal(strmap_count(&m), 0);
	assert_int_equal(strmap_put(&m, key, &one), 0);
	key[0] = 'X'; /* the map has a copy */
	assert_ptr_equal(strmap_get(&m, "key"), &one);
	assert_int_equal(strmap_put(&m, "key", &two), 0);
	assert_ptr_equal(strmap_get(&m, "key"), &two);
	assert_int_equal(strmap_put(&m, "", NULL), 0);
	assert_true(strmap_has(&m, ""));
	assert_null(strmap_get(&m, ""));
	assert_int_equal(strmap_count(&m), 2);
	strmap_release(&m, NULL);
	assert_int_equal(strmap_count(&m), 0);
	strmap_release(&m, NULL);
}

struct visit {
	int seen, stop_at;
};

static int check_order(const char *key, void *value, void *data)
{
	struct visit *v = data;
	char expected[16];

	(void)value;
	snprintf(expected, sizeof expected, "k%d", v->seen);
	assert_string_equal(key, expected);
	v->seen++;
	return v->seen == v->stop_at ? 7 : 0;
}

static void test_many(void **state)
{
	enum { N = 20000 };
	struct strmap m = STRMAP_INIT;
	struct visit all = {0, -1}, some = {0, 5};
	static int values[N];
	char key[16];

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(key, sizeof key, "k%d", i);
		assert_int_equal(strmap_put(&m, key, &values[i]), 0);
	}
	for (int i = 0; i < N; i++) {
		snprintf(key, sizeof key, "k%d", i);
		assert_ptr_equal(strmap_get(&m, key), &values[i]);
	}
	assert_null(strmap_get(&m, "k20000"));
	assert_int_equal(strmap_each(&m, check_order, &all), 0);
	assert_int_equal(all.seen, N);
	assert_int_equal(strmap_each(&m, check_order, &some), 7);
	assert_int_equal(some.seen, 5);
	strmap_release(&m, count_release);
	assert_int_equal(released, N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
