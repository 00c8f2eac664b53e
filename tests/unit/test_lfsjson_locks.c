/*
 * Messages about locks: both halves understand each other, real servers' forms are taken, hostile
 * ones refused as a whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/wire/lfsjson.h"

static const struct lfs_lock lock = {(char *)"some-id", (char *)"art/a \"b\".psd",
	(char *)"Jane Doe", (char *)"2016-05-17T15:49:06+00:00"};

static int parse_page(const char *text, int verification, struct lfs_lock_page *p)
{
	return lfsjson_lock_page_parse(p, text, strlen(text), verification);
}

static int refuses_page(const char *text, int verification)
{
	struct lfs_lock_page p = {.next_cursor = NULL};
	int rc = parse_page(text, verification, &p);

	assert_null(p.ours.v); /* nothing of it is left */
	assert_null(p.theirs.v);
	assert_null(p.next_cursor);
	return rc;
}

static void test_request(void **state)
{
	struct lfs_lock_query q = {.path = "a/ü.bin", .ref = "refs/heads/main"};
	struct lfs_lock_request r = {.path = NULL};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(lfsjson_lock_request_format(&text, &q), 0);
	assert_string_equal(
		text.p, "{\"path\":\"a/ü.bin\",\"ref\":{\"name\":\"refs/heads/main\"}}");
	assert_int_equal(lfsjson_lock_request_parse(&r, text.p, text.len), 0);
	assert_string_equal(r.path, "a/ü.bin");
	assert_string_equal(r.ref, "refs/heads/main");
	assert_null(r.cursor);
	lfs_lock_request_release(&r);

	q = (struct lfs_lock_query){.cursor = "17", .limit = 50, .force = 1};
	buf_reset(&text);
	assert_int_equal(lfsjson_lock_request_format(&text, &q), 0);
	assert_int_equal(lfsjson_lock_request_parse(&r, text.p, text.len), 0);
	assert_string_equal(r.cursor, "17");
	assert_int_equal(r.limit, 50);
	assert_int_equal(r.force, 1);
	lfs_lock_request_release(&r);

	q = (struct lfs_lock_query){.path = "caf\xe9"};
	assert_int_equal(lfsjson_lock_request_format(&text, &q), ERR_INVALID);
	buf_release(&text);
}

static void test_bad_requests(void **state)
{
	static const char *const bad[] = {"", "[]", "{\"path\":7}", "{\"path\":\"a\\u0000b\"}",
		"{\"path\":\"a\\nb\"}", "{\"path\":\"a\\u009bb\"}", "{\"path\":\"a\"} x",
		"{\"limit\":-1}", "{\"limit\":1.5}", "{\"limit\":1e30}", "{\"force\":\"yes\"}",
		"{\"ref\":\"main\"}", "{\"path\":\"\xff\"}", "{\"ref\":{\"name\":[]}}"};
	struct lfs_lock_request r = {.path = NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(
			lfsjson_lock_request_parse(&r, bad[i], strlen(bad[i])), ERR_INVALID);
		lfs_lock_request_release(&r);
	}
}

static void test_lock(void **state)
{
	struct lfs_lock got = {.id = NULL};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(lfsjson_lock_format(&text, &lock, "already created lock"), 0);
	assert_non_null(strstr(text.p, "already created lock"));
	assert_int_equal(lfsjson_lock_parse(&got, text.p, text.len), 0);
	assert_string_equal(got.id, lock.id);
	assert_string_equal(got.path, lock.path);
	assert_string_equal(got.owner, lock.owner);
	assert_string_equal(got.locked_at, lock.locked_at);
	lfs_lock_release(&got);

	buf_reset(&text);
	buf_addstr(&text, "{\"lock\":{\"id\":\"1\",\"path\":\"p\",\"owner\":null}}");
	assert_int_equal(lfsjson_lock_parse(&got, text.p, text.len), 0);
	assert_null(got.owner);
	assert_null(got.locked_at);
	lfs_lock_release(&got);

	buf_reset(&text);
	buf_addstr(&text, "{\"message\":\"already created lock\"}");
	assert_int_equal(lfsjson_lock_parse(&got, text.p, text.len), ERR_INVALID);
	buf_release(&text);
}

static void test_page(void **state)
{
	struct lfs_lock_page p = {.next_cursor = (char *)"next"}, got = {.next_cursor = NULL};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(lfs_lock_list_add(&p.ours, &lock), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(lfs_lock_list_add(&p.theirs, &lock), 0);
	assert_int_equal(lfsjson_lock_page_format(&text, &p, 1), 0);
	assert_int_equal(parse_page(text.p, 1, &got), 0);
	assert_int_equal(got.ours.n, 1);
	assert_int_equal(got.theirs.n, 40);
	assert_string_equal(got.theirs.v[39].path, lock.path);
	assert_string_equal(got.next_cursor, "next");
	lfs_lock_page_release(&got);

	p.next_cursor = NULL;
	buf_reset(&text);
	assert_int_equal(lfsjson_lock_page_format(&text, &p, 0), 0);
	assert_int_equal(parse_page(text.p, 0, &got), 0);
	assert_int_equal(got.ours.n, 1);
	assert_int_equal(got.theirs.n, 0);
	assert_null(got.next_cursor);
	lfs_lock_page_release(&got);
	lfs_lock_page_release(&p);
	buf_release(&text);
}

static void test_empty_pages(void **state)
{
	struct lfs_lock_page p = {.next_cursor = NULL};

	(void)state;
	assert_int_equal(parse_page("{\"locks\":[],\"next_cursor\":\"\"}", 0, &p), 0);
	assert_null(p.next_cursor);
	assert_int_equal(parse_page("{\"locks\":null}", 0, &p), 0);
	assert_int_equal(parse_page("{\"ours\":null,\"theirs\":null}", 1, &p), 0);
	assert_int_equal(parse_page("{\"ours\":[]}", 1, &p), 0);
	assert_int_equal(p.ours.n + p.theirs.n, 0);
}

static void test_bad_pages(void **state)
{
	(void)state;
	assert_int_equal(refuses_page("{}", 0), ERR_INVALID);
	assert_int_equal(refuses_page("{\"locks\":{}}", 0), ERR_INVALID);
	assert_int_equal(refuses_page("{\"locks\":[1]}", 0), ERR_INVALID);
	assert_int_equal(refuses_page("{\"locks\":[{\"id\":\"1\"}]}", 0), ERR_INVALID);
	assert_int_equal(refuses_page("{\"locks\":[{\"id\":\"1\",\"path\":\"a\"},"
				      "{\"id\":\"\",\"path\":\"a\"}]}",
				 0),
		ERR_INVALID);
	assert_int_equal(refuses_page("{\"ours\":[{\"id\":\"1\",\"path\":\"a\"}],\"theirs\":7}", 1),
		ERR_INVALID);
	assert_int_equal(refuses_page("{\"locks\":[],\"next_cursor\":7}", 0), ERR_INVALID);
	assert_int_equal(refuses_page("{\"locks\":[]", 0), ERR_INVALID);
	assert_int_equal(refuses_page("{\"message\":\"no such ref\"}", 1), ERR_INVALID);
	assert_non_null(strstr(err_msg(), "no such ref"));
}

static void test_too_much(void **state)
{
	struct lfs_lock_page p = {.next_cursor = NULL};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&text, "{\"locks\":["), 0);
	for (int i = 0; i < 600000; i++)
		assert_int_equal(buf_addstr(&text, "1,"), 0);
	assert_int_equal(buf_addstr(&text, "1]}"), 0);
	assert_int_equal(lfsjson_lock_page_parse(&p, text.p, text.len, 0), ERR_LIMIT);

	buf_reset(&text);
	assert_int_equal(buf_addstr(&text, "{\"locks\":[{\"id\":\"1\",\"path\":\""), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buf_addch(&text, 'x'), 0);
	assert_int_equal(buf_addstr(&text, "\"}]}"), 0);
	assert_int_equal(lfsjson_lock_page_parse(&p, text.p, text.len, 0), ERR_LIMIT);

	while (text.len <= LFS_JSON_MAX)
		assert_int_equal(buf_addstr(&text, "                                "), 0);
	assert_int_equal(lfsjson_lock_page_parse(&p, text.p, text.len, 0), ERR_LIMIT);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_empty_pages),
		cmocka_unit_test(test_bad_pages),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
