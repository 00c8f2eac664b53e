/*
 * The pointer cache: what Git said once is not asked again; damage is noticed and mended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "lib/repo/pointers.h"
#include "tests/unit/git_repo.h"

static struct git_repo r;

static int setup(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	scratch_git(".", "init", "-q", "r", NULL);
	git_repo_open(&r, "r");
	return 0;
}

static int teardown(void **state)
{
	git_repo_close(&r);
	return scratch_leave(state);
}

static const char *cache_file(void)
{
	return scratch_path("r/.git/dvx/pointers");
}

static void drop_cache(void)
{
	unlink(cache_file());
}

/* A made-up pointer blob number i. */
static struct pointers_query made_up(unsigned i, int state)
{
	struct pointers_query q = {.state = state, .size = i};
	char text[32];

	snprintf(text, sizeof text, "blob %u", i);
	githash_blob(q.blob, 20, text, strlen(text));
	oid_of(&q.oid, text, strlen(text));
	return q;
}

static void add_many(unsigned from, unsigned to)
{
	struct pointers *p;

	assert_int_equal(pointers_open(&p, &r.repo), 0);
	for (unsigned i = from; i < to; i++) {
		struct pointers_query q = made_up(i, i % 3 ? POINTERS_YES : POINTERS_NO);

		assert_int_equal(pointers_add(p, &q), 0);
	}
	pointers_close(p);
}

/* How many of the made-up ones in [from, to) the file knows, each with the right answer. */
static unsigned known(unsigned from, unsigned to)
{
	struct pointers *p;
	unsigned n = 0;

	assert_int_equal(pointers_open(&p, &r.repo), 0);
	for (unsigned i = from; i < to; i++) {
		struct pointers_query right = made_up(i, i % 3 ? POINTERS_YES : POINTERS_NO);
		struct pointers_query q = {0};

		memcpy(q.blob, right.blob, sizeof q.blob);
		if (!pointers_cached(p, &q))
			continue;
		n++;
		assert_int_equal(q.state, right.state);
		if (q.state == POINTERS_YES) {
			assert_true(oid_eq(&q.oid, &right.oid));
			assert_int_equal(q.size, right.size);
		}
	}
	pointers_close(p);
	return n;
}

static void test_asks_git_once(void **state)
{
	struct pointers_query q[4];
	struct pointers *p;
	struct buf ptr = BUF_INIT;

	(void)state;
	drop_cache();
	git_repo_pointer("r/a", "content");
	scratch_write("r/b", "no pointer");
	scratch_git("r", "add", "a", "b", NULL);
	memset(q, 0, sizeof q);
	assert_int_equal(git_resolve(&r.repo, ":a", q[0].blob), 0);
	assert_int_equal(git_resolve(&r.repo, ":b", q[1].blob), 0);
	q[2] = q[0];
	q[3].blob[0] = 0x77; /* no such blob */
	assert_int_equal(pointers_open(&p, &r.repo), 0);
	assert_int_equal(pointers_resolve(p, q, 4), 0);
	pointers_close(p);
	assert_int_equal(q[0].state, POINTERS_YES);
	assert_int_equal(q[0].size, strlen("content"));
	assert_int_equal(q[1].state, POINTERS_NO);
	assert_int_equal(q[2].state, POINTERS_YES);
	assert_int_equal(q[3].state, POINTERS_MISSING);

	assert_int_equal(pointers_open(&p, &r.repo), 0);
	q[0].state = q[1].state = q[3].state = POINTERS_UNKNOWN;
	assert_int_equal(pointers_cached(p, &q[0]), 1);
	assert_int_equal(pointers_cached(p, &q[1]), 1);
	assert_int_equal(pointers_cached(p, &q[3]), 0); /* may come later */
	pointers_close(p);
	buf_release(&ptr);
}

static void test_many(void **state)
{
	(void)state;
	drop_cache();
	add_many(0, 5000);
	assert_int_equal(known(0, 5000), 5000);
	assert_int_equal(known(5000, 9000), 0);
}

/* Small additions are appended, and folded into one table now and then. */
static void test_segments(void **state)
{
	(void)state;
	drop_cache();
	add_many(0, 1000);
	for (unsigned i = 0; i < 20; i++) {
		add_many(1000 + i * 10, 1010 + i * 10);
		assert_int_equal(known(0, 1010 + i * 10), 1010 + i * 10);
	}
}

static void test_damage(void **state)
{
	struct buf whole = BUF_INIT;

	(void)state;
	drop_cache();
	add_many(0, 100);
	add_many(100, 110);
	assert_int_equal(buf_read_file(&whole, cache_file()), 0);
	for (size_t at = 0; at < whole.len; at += 13) {
		whole.p[at] ^= 0x10;
		assert_int_equal(fs_replace_file(cache_file(), whole.p, whole.len, 0), 0);
		/* known() asserts that no answer is wrong; one of the two segments is gone. */
		assert_true(known(0, 110) <= 100);
		whole.p[at] ^= 0x10;
	}
	/* Cut anywhere: what stands before is used, and the next writer mends the file. */
	assert_int_equal(fs_replace_file(cache_file(), whole.p, whole.len - 5, 0), 0);
	assert_int_equal(known(0, 110), 100);
	add_many(100, 110);
	assert_int_equal(known(0, 110), 110);
	scratch_write("r/.git/dvx/pointers", "rubbish");
	assert_int_equal(known(0, 110), 0);
	add_many(0, 110);
	assert_int_equal(known(0, 110), 110);
	buf_release(&whole);
}

/* A repository of another hash length does not take it for its own. */
static void test_other_hash(void **state)
{
	struct repo other = r.repo;
	struct pointers_query q = made_up(1, POINTERS_UNKNOWN);
	struct pointers *p;

	(void)state;
	drop_cache();
	add_many(0, 10);
	other.hash_len = 32;
	assert_int_equal(pointers_open(&p, &other), 0);
	assert_int_equal(pointers_cached(p, &q), 0);
	pointers_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks_git_once),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_other_hash),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
