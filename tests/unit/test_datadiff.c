/*
 * The comparison of two lists of data files: statuses, renames, and that many of them stay cheap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "lib/repo/datadiff.h"

/* A file whose object is told by a number; the size goes with it (0: empty). */
static void add(struct datadiff *d, struct datadiff_list *side, const char *path, unsigned object)
{
	struct datadiff_file f = {.path = path, .kind = DATADIFF_DATA, .size = object};

	memcpy(f.oid.id, &object, sizeof(object));
	assert_int_equal(datadiff_add(d, side, &f), 0);
}

static void add_kind(struct datadiff *d, struct datadiff_list *side, const char *path,
	enum datadiff_kind kind, uint64_t size)
{
	struct datadiff_file f = {.path = path, .kind = kind, .size = size};

	assert_int_equal(datadiff_add(d, side, &f), 0);
}

/* "A path", "D path", "R old new" or "M path", of change i. */
static void expect(const struct datadiff *d, size_t i, const char *text)
{
	char got[256];
	const struct datadiff_change *c = &d->v[i];

	assert_true(i < d->n);
	snprintf(got, sizeof(got), "%c %s%s%s", "ADRM"[c->status],
		c -> old != NULL ? c -> old -> path : c -> new->path,
		c->status == DATADIFF_RENAMED ? " " : "",
		c->status == DATADIFF_RENAMED ? c->new->path : "");
	assert_string_equal(got, text);
}

static void nothing_differs(void **state)
{
	struct datadiff d = DATADIFF_INIT;

	(void)state;
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 0);
	add(&d, &d.old, "b", 2);
	add(&d, &d.old, "a", 1);
	add(&d, &d.new, "a", 1);
	add(&d, &d.new, "b", 2);
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 0);
	datadiff_release(&d);
}

static void each_status(void **state)
{
	struct datadiff d = DATADIFF_INIT;

	(void)state;
	add(&d, &d.old, "same", 1);
	add(&d, &d.old, "gone", 2);
	add(&d, &d.old, "edited", 3);
	add(&d, &d.old, "here", 4);
	add(&d, &d.new, "edited", 5);
	add(&d, &d.new, "there", 4);
	add(&d, &d.new, "new", 6);
	add(&d, &d.new, "same", 1);
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 4);
	expect(&d, 0, "M edited");
	expect(&d, 1, "D gone");
	expect(&d, 2, "A new");
	expect(&d, 3, "R here there");
	for (int s = 0; s < DATADIFF_STATUSES; s++)
		assert_int_equal(d.count[s], 1);
	/* the result is that of the lists, however often one asks */
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 4);
	datadiff_release(&d);
}

static void what_git_keeps(void **state)
{
	struct datadiff d = DATADIFF_INIT;

	(void)state;
	add(&d, &d.old, "to-git", 1);
	add_kind(&d, &d.new, "to-git", DATADIFF_IN_GIT, 1);
	add_kind(&d, &d.old, "to-data", DATADIFF_IN_GIT, DATADIFF_NO_SIZE);
	add(&d, &d.new, "to-data", 1);
	add_kind(&d, &d.old, "text", DATADIFF_IN_GIT, 5);
	add_kind(&d, &d.new, "text", DATADIFF_IN_GIT, 6);
	add_kind(&d, &d.new, "text-2", DATADIFF_IN_GIT, 6);
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 2);
	expect(&d, 0, "M to-data");
	expect(&d, 1, "M to-git");
	datadiff_release(&d);
}

static void what_is_not_staged(void **state)
{
	struct datadiff d = DATADIFF_INIT;

	(void)state;
	add(&d, &d.old, "edited", 1);
	add_kind(&d, &d.new, "edited", DATADIFF_UNSTAGED, 1);
	/* no object is known: no rename, whatever the size */
	add_kind(&d, &d.old, "gone", DATADIFF_DATA, 7);
	add_kind(&d, &d.new, "new", DATADIFF_UNSTAGED, 7);
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 3);
	expect(&d, 0, "M edited");
	expect(&d, 1, "D gone");
	expect(&d, 2, "A new");
	datadiff_release(&d);
}

static void basenames_find_each_other(void **state)
{
	struct datadiff d = DATADIFF_INIT;

	(void)state;
	add(&d, &d.old, "old/a", 1);
	add(&d, &d.old, "old/b", 1);
	add(&d, &d.old, "old/c", 1);
	add(&d, &d.new, "new/0", 1);
	add(&d, &d.new, "new/b", 1);
	add(&d, &d.new, "new/c", 1);
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 3);
	expect(&d, 0, "R old/a new/0");
	expect(&d, 1, "R old/b new/b");
	expect(&d, 2, "R old/c new/c");
	datadiff_release(&d);
}

static void each_is_used_once(void **state)
{
	struct datadiff d = DATADIFF_INIT;

	(void)state;
	add(&d, &d.old, "a", 1); /* becomes one of three */
	add(&d, &d.new, "x/a", 1);
	add(&d, &d.new, "x/b", 1);
	add(&d, &d.new, "y/a", 1);
	add(&d, &d.old, "k", 2); /* a copy: its origin stays */
	add(&d, &d.new, "k", 2);
	add(&d, &d.new, "k2", 2);
	add(&d, &d.old, "p", 3); /* two become one */
	add(&d, &d.old, "q", 3);
	add(&d, &d.new, "r", 3);
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 6);
	expect(&d, 0, "A k2");
	expect(&d, 1, "D q");
	expect(&d, 2, "R p r");
	expect(&d, 3, "R a x/a");
	expect(&d, 4, "A x/b");
	expect(&d, 5, "A y/a");
	datadiff_release(&d);
}

static void empty_files_are_not_renamed(void **state)
{
	struct datadiff d = DATADIFF_INIT;

	(void)state;
	add(&d, &d.old, "a", 0);
	add(&d, &d.new, "b", 0);
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, 2);
	expect(&d, 0, "D a");
	expect(&d, 1, "A b");
	datadiff_release(&d);
}

/* All of one object: quadratic pairing would take minutes. */
static void many_renames(void **state)
{
	enum { N = 50000 };
	struct datadiff d = DATADIFF_INIT;
	char path[32];
	clock_t start = clock();

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		snprintf(path, sizeof(path), "old/%u", i);
		add(&d, &d.old, path, i % 2 ? i : 2);
		snprintf(path, sizeof(path), "new/%u", N - 1 - i);
		add(&d, &d.new, path, (N - 1 - i) % 2 ? N - 1 - i : 2);
	}
	assert_int_equal(datadiff_compare(&d), 0);
	assert_int_equal(d.n, N);
	assert_int_equal(d.count[DATADIFF_RENAMED], N);
	for (size_t i = 0; i < d.n; i++)
		assert_string_equal(d.v[i].old->path + 4, d.v[i].new->path + 4);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
	datadiff_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_differs),
		cmocka_unit_test(each_status),
		cmocka_unit_test(what_git_keeps),
		cmocka_unit_test(what_is_not_staged),
		cmocka_unit_test(basenames_find_each_other),
		cmocka_unit_test(each_is_used_once),
		cmocka_unit_test(empty_files_are_not_renamed),
		cmocka_unit_test(many_renames),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("datadiff", tests, NULL, NULL);
}
