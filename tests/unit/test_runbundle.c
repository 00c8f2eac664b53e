/*
 * Bundles of the run cache: what is written is read, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/store/runbundle.h"

static struct runbundle_entry entry(int i, const char *text)
{
	struct runbundle_entry e = {.text = text, .len = strlen(text)};

	memset(e.key.id, i, OID_LEN);
	oid_of(&e.value, text, e.len);
	return e;
}

static void build(struct buf *out, int n)
{
	static const char *const texts[] = {"stages: one", "stages: two", "stages: three"};

	assert_int_equal(runbundle_begin(out), 0);
	for (int i = 0; i < n; i++) {
		struct runbundle_entry e = entry(i, texts[i % 3]);

		assert_int_equal(runbundle_add(out, &e), 0);
	}
}

static int count(const struct runbundle_entry *e, void *arg)
{
	struct runbundle_entry want = entry(*(int *)arg, "stages: x");

	assert_true(oid_eq(&e->key, &want.key));
	assert_int_equal(memcmp(e->text, "stages: ", 8), 0);
	++*(int *)arg;
	return 0;
}

static void test_round_trip(void **state)
{
	struct buf b = BUF_INIT;
	int seen = 0;

	(void)state;
	build(&b, 5);
	assert_int_equal(runbundle_count(&b), 5);
	assert_int_equal(runbundle_parse(b.p, b.len, count, &seen), 0);
	assert_int_equal(seen, 5);
	buf_release(&b);
}

static void test_none(void **state)
{
	struct buf b = BUF_INIT;
	int seen = 0;

	(void)state;
	build(&b, 0);
	assert_int_equal(runbundle_parse(b.p, b.len, count, &seen), 0);
	assert_int_equal(seen, 0);
	buf_release(&b);
}

static int stop_at_two(const struct runbundle_entry *e, void *arg)
{
	(void)e;
	return ++*(int *)arg == 2 ? 77 : 0;
}

static void test_stop(void **state)
{
	struct buf b = BUF_INIT;
	int seen = 0;

	(void)state;
	build(&b, 5);
	assert_int_equal(runbundle_parse(b.p, b.len, stop_at_two, &seen), 77);
	assert_int_equal(seen, 2);
	buf_release(&b);
}

static void test_every_other_length_is_refused(void **state)
{
	struct buf b = BUF_INIT;
	int seen = 0;

	(void)state;
	build(&b, 3);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(runbundle_parse(b.p, len, count, &seen), ERR_CORRUPT);
	assert_int_equal(buf_addch(&b, 'x'), 0);
	assert_int_equal(runbundle_parse(b.p, b.len, count, &seen), ERR_CORRUPT);
	assert_int_equal(seen, 0); /* nothing is handed out before all was looked at */
	buf_release(&b);
}

static void test_order_and_version(void **state)
{
	struct buf b = BUF_INIT;
	struct runbundle_entry e = entry(0, "stages: a");
	int seen = 0;

	(void)state;
	build(&b, 2);
	assert_int_equal(runbundle_add(&b, &e), 0); /* not behind the others */
	assert_int_equal(runbundle_parse(b.p, b.len, count, &seen), ERR_CORRUPT);
	buf_reset(&b);
	build(&b, 2);
	b.p[7] = '2';
	assert_int_equal(runbundle_parse(b.p, b.len, count, &seen), ERR_UNSUPPORTED);
	b.p[0] = 'x';
	assert_int_equal(runbundle_parse(b.p, b.len, count, &seen), ERR_CORRUPT);
	assert_int_equal(seen, 0);
	buf_release(&b);
}

static void test_limits(void **state)
{
	struct buf b = BUF_INIT, text = BUF_INIT;
	struct runbundle_entry e = entry(0, "");
	size_t before;

	(void)state;
	build(&b, 0);
	assert_int_equal(runbundle_add(&b, &e), ERR_INVALID); /* no text */
	assert_int_equal(buf_grow(&text, RUNBUNDLE_TEXT_MAX + 1), 0);
	memset(text.p, 'a', RUNBUNDLE_TEXT_MAX + 1);
	e.text = text.p;
	e.len = RUNBUNDLE_TEXT_MAX + 1;
	assert_int_equal(runbundle_add(&b, &e), ERR_INVALID);
	e.len = RUNBUNDLE_TEXT_MAX;
	for (int i = 0; i < 3; i++) {
		memset(e.key.id, i, OID_LEN);
		assert_int_equal(runbundle_add(&b, &e), 0);
	}
	before = b.len;
	assert_int_equal(runbundle_add(&b, &e), ERR_LIMIT);
	assert_int_equal(b.len, before);
	assert_int_equal(runbundle_count(&b), 3);
	buf_release(&b);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_every_other_length_is_refused),
		cmocka_unit_test(test_order_and_version),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
