/*
 * Arrays that grow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/array.h"
#include "lib/base/err.h"

static void test_grows(void **state)
{
	struct {
		int *v;
		size_t n, cap;
	} l = {NULL, 0, 0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(array_room(&l.v, l.n, &l.cap, sizeof(*l.v)), 0);
		assert_true(l.n < l.cap);
		l.v[l.n++] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(l.v[i], i);
	free(l.v);
}

static void test_too_large(void **state)
{
	char *v = malloc(1), *before = v;
	size_t cap = SIZE_MAX / 8;

	(void)state;
	assert_int_equal(array_room(&v, cap, &cap, 64), ERR_NOMEM);
	assert_ptr_equal(v, before);
	assert_int_equal(cap, SIZE_MAX / 8);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
