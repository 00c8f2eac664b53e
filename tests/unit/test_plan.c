/*
 * The planner of downloads: every item lies in exactly one run, runs are as few as the limits
 * allow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "transfer/blob/plan.c" /* programs have no archive to link against */

static struct plan_item item(int pack, uint64_t offset, uint32_t length, size_t tag)
{
	struct plan_item i = {.offset = offset, .length = length, .tag = tag};

	memset(i.pack.id, pack, OID_LEN);
	return i;
}

static void nothing_needs_no_run(void **state)
{
	struct plan_run runs[1];

	(void)state;
	assert_int_equal(plan_runs(NULL, 0, 10, 100, runs), 0);
}

static void neighbours_are_read_together(void **state)
{
	struct plan_item items[] = {
		item(1, 200, 50, 0), item(1, 100, 50, 1), item(2, 100, 50, 2), item(1, 160, 40, 3)};
	struct plan_run runs[4];

	(void)state;
	assert_int_equal(plan_runs(items, 4, 10, 1000, runs), 2);
	assert_int_equal(runs[0].n, 3);
	assert_int_equal(runs[0].offset, 100);
	assert_int_equal(runs[0].length, 150);
	assert_int_equal(items[0].tag, 1);
	assert_int_equal(items[1].tag, 3);
	assert_int_equal(items[2].tag, 0);
	assert_int_equal(runs[1].first, 3);
	assert_int_equal(items[3].tag, 2);
}

static void gaps_and_maxima_part_them(void **state)
{
	struct plan_item far[] = {item(1, 0, 10, 0), item(1, 21, 10, 1)};
	struct plan_item near[] = {item(1, 0, 10, 0), item(1, 20, 10, 1)};
	struct plan_item full[] = {item(1, 0, 60, 0), item(1, 60, 41, 1)};
	struct plan_item giant[] = {item(1, 0, 500, 0), item(1, 500, 10, 1)};
	struct plan_run runs[2];

	(void)state;
	assert_int_equal(plan_runs(far, 2, 10, 100, runs), 2);
	assert_int_equal(plan_runs(near, 2, 10, 100, runs), 1);
	assert_int_equal(plan_runs(full, 2, 10, 100, runs), 2);
	assert_int_equal(plan_runs(giant, 2, 10, 100, runs), 2);
	assert_int_equal(runs[0].length, 500);
}

static void overlapping_items_share_a_run(void **state)
{
	struct plan_item items[] = {item(1, 0, 100, 0), item(1, 0, 10, 1), item(1, 50, 20, 2)};
	struct plan_run runs[3];

	(void)state;
	assert_int_equal(plan_runs(items, 3, 0, 1000, runs), 1);
	assert_int_equal(runs[0].length, 100);
	assert_int_equal(runs[0].n, 3);
}

static void random_items_are_all_covered(void **state)
{
	enum { N = 5000, GAP = 64, MAX = 4096 };
	struct plan_item *items = calloc(N, sizeof(*items));
	struct plan_run *runs = calloc(N, sizeof(*runs));
	size_t n, next = 0;

	(void)state;
	srand(7);
	for (size_t i = 0; i < N; i++)
		items[i] = item(
			rand() % 5, (uint64_t)(rand() % 1000000), (uint32_t)(rand() % 5000 + 1), i);
	n = plan_runs(items, N, GAP, MAX, runs);
	for (size_t r = 0; r < n; r++) {
		assert_int_equal(runs[r].first, next);
		assert_true(runs[r].n == 1 || runs[r].length <= MAX);
		for (size_t i = next; i < next + runs[r].n; i++) {
			assert_true(oid_eq(&items[i].pack, &items[next].pack));
			assert_true(items[i].offset >= runs[r].offset);
			assert_true(items[i].offset + items[i].length <=
				    runs[r].offset + runs[r].length);
		}
		next += runs[r].n;
	}
	assert_int_equal(next, N);
	free(items);
	free(runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_needs_no_run),
		cmocka_unit_test(neighbours_are_read_together),
		cmocka_unit_test(gaps_and_maxima_part_them),
		cmocka_unit_test(overlapping_items_share_a_run),
		cmocka_unit_test(random_items_are_all_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
