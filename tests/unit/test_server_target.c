/*
 * Targets of requests: which repository and endpoint, what is refused; the headers that matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "server/httptext.c" /* programs have no archive to link against */
#include "server/target.c"

#define OID "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void endpoints(void **state)
{
	static const struct {
		const char *text;
		enum endpoint endpoint;
		const char *repository;
	} good[] = {{"/info/lfs/objects/batch", ENDPOINT_BATCH, ""},
		{"/objects/batch", ENDPOINT_BATCH, ""},
		{"/a/info/lfs/objects/batch", ENDPOINT_BATCH, "a"},
		{"/a.git/info/lfs/objects/batch", ENDPOINT_BATCH, "a"},
		{"/a/b%20c.git/info/lfs/objects/batch?x=y", ENDPOINT_BATCH, "a/b c"},
		{"/.git/info/lfs/locks", ENDPOINT_LOCKS, ".git"},
		{"/x/.git/info/lfs/locks", ENDPOINT_LOCKS, "x/.git"},
		{"/x/...git/info/lfs/locks", ENDPOINT_LOCKS, "x/...git"},
		{"/a/locks", ENDPOINT_LOCKS, "a"}, {"/a/locks/verify", ENDPOINT_LOCK_VERIFY, "a"},
		{"/a/info/lfs/locks/1-2/unlock", ENDPOINT_UNLOCK, "a"},
		{"/a/info/lfs/objects/" OID, ENDPOINT_OBJECT, "a"},
		{"/a/info/lfs/objects/" OID "/verify", ENDPOINT_VERIFY, "a"},
		{"/locks/info/lfs/locks", ENDPOINT_LOCKS, "locks"},
		{"/a/info/lfs/info/lfs/locks", ENDPOINT_LOCKS, "a/info/lfs"}};
	struct target t;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(target_parse(&t, good[i].text), 0);
		assert_int_equal(t.endpoint, good[i].endpoint);
		assert_string_equal(t.repository, good[i].repository);
		target_release(&t);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} bad[] = {{"", ERR_INVALID}, {"*", ERR_INVALID}, {"http://h/locks", ERR_INVALID},
		{"/", ERR_NOTFOUND}, {"/a", ERR_NOTFOUND}, {"/a/info/lfs", ERR_NOTFOUND},
		{"/objects/12", ERR_NOTFOUND}, {"/objects/" OID "/x", ERR_NOTFOUND},
		{"/a/../locks", ERR_INVALID}, {"/a/%2e./locks", ERR_INVALID},
		{"/./locks", ERR_INVALID}, {"//locks", ERR_INVALID}, {"/locks/", ERR_INVALID},
		{"/a%2Fb/locks", ERR_INVALID}, {"/a\\b/locks", ERR_INVALID},
		{"/a%00/locks", ERR_INVALID}, {"/a%0a/locks", ERR_INVALID},
		{"/a%/locks", ERR_INVALID}, {"/a%2/locks", ERR_INVALID},
		{"/a%g0/locks", ERR_INVALID}, {"/\x7f/locks", ERR_INVALID}};
	struct target t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(target_parse(&t, bad[i].text), bad[i].rc);
		assert_null(t.repository);
	}
}

static void queries(void **state)
{
	struct target t;
	char *value;

	(void)state;
	assert_int_equal(target_parse(&t, "/locks?path=a%2Fb+c&limit=&id=x&bad=%0a"), 0);
	assert_int_equal(target_query(&value, &t, "path"), 1);
	assert_string_equal(value, "a/b c");
	free(value);
	assert_int_equal(target_query(&value, &t, "limit"), 1);
	assert_string_equal(value, "");
	free(value);
	assert_int_equal(target_query(&value, &t, "id"), 1);
	free(value);
	assert_int_equal(target_query(&value, &t, "i"), 0);
	assert_int_equal(target_query(&value, &t, "bad"), ERR_INVALID);
	assert_null(value);
	target_release(&t);
}

static void there_and_back(void **state)
{
	struct buf b = BUF_INIT;
	struct target t;
	struct oid oid;

	(void)state;
	assert_int_equal(oid_from_hex(&oid, OID), 0);
	assert_int_equal(target_format(&b, "te am/ü%", ENDPOINT_VERIFY, &oid), 0);
	assert_string_equal(b.p, "/te%20am/%C3%BC%25/info/lfs/objects/" OID "/verify");
	assert_int_equal(target_parse(&t, b.p), 0);
	assert_string_equal(t.repository, "te am/ü%");
	assert_true(oid_eq(&t.oid, &oid));
	target_release(&t);
	buf_reset(&b);
	assert_int_equal(target_format(&b, "", ENDPOINT_OBJECT, &oid), 0);
	assert_string_equal(b.p, "/info/lfs/objects/" OID);
	buf_release(&b);
}

static void ranges(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
		int rc;
		uint64_t offset, len;
	} r[] = {{NULL, 10, 0, 0, 10}, {"", 10, 0, 0, 10}, {"bytes=0-", 10, 1, 0, 10},
		{"bytes=3-5", 10, 1, 3, 3}, {"bytes=9-9", 10, 1, 9, 1}, {"bytes=3-99", 10, 1, 3, 7},
		{"bytes=-3", 10, 1, 7, 3}, {"bytes=-99", 10, 1, 0, 10},
		{"bytes=10-", 10, ERR_LIMIT, 0, 0}, {"bytes=-0", 10, ERR_LIMIT, 0, 0},
		{"bytes=0-", 0, ERR_LIMIT, 0, 0},
		{"bytes=99999999999999999999-", 10, ERR_LIMIT, 0, 0}, {"bytes=5-3", 10, 0, 0, 10},
		{"bytes=-", 10, 0, 0, 10}, {"bytes=a-b", 10, 0, 0, 10},
		{"bytes=1-2,4-5", 10, 0, 0, 10}, {"items=1-2", 10, 0, 0, 10},
		{"bytes=1-2x", 10, 0, 0, 10}};
	struct httptext_range got;

	(void)state;
	for (size_t i = 0; i < sizeof(r) / sizeof(*r); i++) {
		assert_int_equal(httptext_range(&got, r[i].text, r[i].size), r[i].rc);
		if (r[i].rc < 0)
			continue;
		assert_int_equal(got.offset, r[i].offset);
		assert_int_equal(got.len, r[i].len);
	}
}

static void media_types(void **state)
{
	(void)state;
	assert_true(httptext_accepts_json(NULL));
	assert_true(
		httptext_accepts_json("text/html, Application/Vnd.Git-LFS+json; charset=utf-8"));
	assert_true(httptext_accepts_json("text/html,*/*;q=0.1"));
	assert_false(httptext_accepts_json("text/html"));
	assert_true(httptext_is_json(NULL));
	assert_true(httptext_is_json("application/json;charset=utf-8"));
	assert_false(httptext_is_json("application/jsonx"));
	assert_true(httptext_is_host("[::1]:8080"));
	assert_false(httptext_is_host("a/b"));
	assert_false(httptext_is_host("a\"b"));
	assert_false(httptext_is_host(""));
}

static void credentials(void **state)
{
	static const char *const bad[] = {"Basic", "Basic !",
		"Basic YQ==", "Basic YTpiCg==", "Basic YToAYg==", "Basic YTpi=", "Basic YTp"};
	struct httptext_credentials c;

	(void)state;
	assert_int_equal(httptext_credentials(&c, NULL), 0);
	assert_int_equal(c.scheme, HTTPTEXT_NONE);
	assert_int_equal(httptext_credentials(&c, "basic YWxpY2U6czplY3JldA=="), 0);
	assert_int_equal(c.scheme, HTTPTEXT_BASIC);
	assert_string_equal(c.user, "alice");
	assert_string_equal(c.secret, "s:ecret");
	httptext_credentials_release(&c);
	assert_int_equal(httptext_credentials(&c, "Bearer abc"), 0);
	assert_int_equal(c.scheme, HTTPTEXT_BEARER);
	assert_string_equal(c.secret, "abc");
	httptext_credentials_release(&c);
	assert_int_equal(httptext_credentials(&c, "Negotiate abc"), 0);
	assert_int_equal(c.scheme, HTTPTEXT_OTHER);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(httptext_credentials(&c, bad[i]), ERR_INVALID);
		assert_null(c.secret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints),
		cmocka_unit_test(refused),
		cmocka_unit_test(queries),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(ranges),
		cmocka_unit_test(media_types),
		cmocka_unit_test(credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
