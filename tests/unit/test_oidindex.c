/*
 * Elements of an array found by their ids, which the array alone holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>

#include "lib/store/oidindex.h"

struct element {
	struct oid id;
	int other;
};

static struct oid id_of(uint64_t n)
{
	struct oid id;

	oid_of(&id, &n, sizeof(n));
	return id;
}

static void what_was_added_is_found(void **state)
{
	enum { N = 20000 };
	struct element *v = calloc(N, sizeof(*v));
	struct oidindex x = {0};
	struct oid id = id_of(0);
	uint32_t number;

	(void)state;
	assert_non_null(v);
	assert_int_equal(oidindex_get(&x, OIDARRAY(v), &id, NULL), 0);
	for (uint32_t i = 0; i < N; i++) {
		v[i].id = id_of(i);
		assert_int_equal(oidindex_add(&x, OIDARRAY(v), i), 1);
	}
	for (uint32_t i = 0; i < N; i++) {
		id = id_of(i);
		assert_int_equal(oidindex_get(&x, OIDARRAY(v), &id, &number), 1);
		assert_int_equal(number, i);
		id = id_of(N + i);
		assert_int_equal(oidindex_get(&x, OIDARRAY(v), &id, NULL), 0);
	}
	assert_int_equal(x.n, N);
	oidindex_release(&x);
	free(v);
}

static void of_equal_ids_add_keeps_the_first_and_set_takes_the_last(void **state)
{
	struct element v[] = {{id_of(1), 0}, {id_of(2), 0}, {id_of(1), 0}};
	struct oidindex x = {0};
	uint32_t number;

	(void)state;
	assert_int_equal(oidindex_add(&x, OIDARRAY(v), 0), 1);
	assert_int_equal(oidindex_add(&x, OIDARRAY(v), 1), 1);
	assert_int_equal(oidindex_add(&x, OIDARRAY(v), 2), 0);
	assert_int_equal(oidindex_get(&x, OIDARRAY(v), &v[0].id, &number), 1);
	assert_int_equal(number, 0);
	assert_int_equal(oidindex_set(&x, OIDARRAY(v), 2), 0);
	assert_int_equal(oidindex_get(&x, OIDARRAY(v), &v[0].id, &number), 1);
	assert_int_equal(number, 2);
	assert_int_equal(x.n, 2);
	oidindex_release(&x);
}

/* Ids whose hashes agree, but not the ids, and a whole row of them. */
static void ids_that_collide_are_told_apart(void **state)
{
	struct element v[200];
	struct oidindex x = {0};
	struct oid absent;
	uint32_t number;

	(void)state;
	memset(v, 0, sizeof(v));
	for (uint32_t i = 0; i < 200; i++) {
		v[i].id.id[0] = (uint8_t)i;
		assert_int_equal(oidindex_add(&x, OIDARRAY(v), i), 1);
	}
	for (uint32_t i = 0; i < 200; i++) {
		assert_int_equal(oidindex_get(&x, OIDARRAY(v), &v[i].id, &number), 1);
		assert_int_equal(number, i);
	}
	absent = v[0].id;
	absent.id[31] = 1;
	assert_int_equal(oidindex_get(&x, OIDARRAY(v), &absent, NULL), 0);
	oidindex_release(&x);
}

static void room_is_made_once(void **state)
{
	struct element v[1000];
	struct oidindex x = {0};
	const void *slots;

	(void)state;
	assert_int_equal(oidindex_reserve(&x, 1000), 0);
	slots = x.slots;
	for (uint32_t i = 0; i < 1000; i++) {
		v[i].id = id_of(i);
		assert_int_equal(oidindex_add(&x, OIDARRAY(v), i), 1);
	}
	assert_ptr_equal(x.slots, slots);
	oidindex_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found),
		cmocka_unit_test(of_equal_ids_add_keeps_the_first_and_set_takes_the_last),
		cmocka_unit_test(ids_that_collide_are_told_apart),
		cmocka_unit_test(room_is_made_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
