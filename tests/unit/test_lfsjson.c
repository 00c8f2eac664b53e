/*
 * Messages of the Batch API: both halves understand each other, real servers' forms are taken,
 * hostile ones refused as a whole.
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

#define OID "4665a5ea423c2713d436b5ee50593a9640e0018c1550b5a0002f74190d6caea8"
enum { NOW = 1000000000 }; /* 2001-09-09T01:46:40Z */

static int parse_request(struct lfs_batch *b, const char *text)
{
	return lfsjson_batch_request_parse(b, text, strlen(text));
}

static int parse_answer(struct lfs_batch *b, const char *text)
{
	return lfsjson_batch_response_parse(b, text, strlen(text), NOW);
}

/* The answer about one object. */
static int parse_one(struct lfs_batch *b, const char *members)
{
	char text[4096];

	snprintf(text, sizeof(text), "{\"objects\":[{\"oid\":\"" OID "\",\"size\":5%s}]}", members);
	return parse_answer(b, text);
}

static void refuses_answer(int code, const char *text)
{
	struct lfs_batch b;

	assert_int_equal(parse_answer(&b, text), code);
	assert_null(b.objects); /* nothing of it is left */
	assert_null(b.transfer);
}

static void refuses_one(int code, const char *members)
{
	struct lfs_batch b;

	assert_int_equal(parse_one(&b, members), code);
	assert_null(b.objects);
}

static void requests(void **state)
{
	struct lfs_batch b = {.operation = LFS_UPLOAD, .ref = strdup("refs/heads/main")}, got;
	struct buf text = BUF_INIT;

	(void)state;
	strvec_pushl(&b.transfers, "basic", "own", NULL);
	for (int i = 0; i < 3; i++) {
		struct lfs_batch_object *o = lfs_batch_add(&b);

		oid_of(&o->oid, "abc", (size_t)i);
		o->size = (uint64_t)i;
	}
	b.objects[1].size = 9007199254740993; /* no double */
	b.objects[2].size = INT64_MAX;
	assert_int_equal(lfsjson_batch_request_format(&text, &b), 0);
	assert_non_null(strstr(text.p, "\"size\":9223372036854775807}"));
	assert_int_equal(parse_request(&got, text.p), 0);
	assert_int_equal(got.operation, LFS_UPLOAD);
	assert_string_equal(got.ref, "refs/heads/main");
	assert_string_equal(got.hash_algo, "sha256");
	assert_int_equal(got.transfers.n, 2);
	assert_string_equal(got.transfers.v[1], "own");
	assert_int_equal(got.n, 3);
	for (int i = 0; i < 3; i++) {
		assert_true(oid_eq(&got.objects[i].oid, &b.objects[i].oid));
		assert_true(got.objects[i].size == b.objects[i].size);
	}
	lfs_batch_release(&b);
	lfs_batch_release(&got);
	buf_release(&text);
}

static void requests_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"operation\":\"upload\"}",
		"{\"operation\":\"x\",\"objects\":[]}",
		"{\"operation\":\"upload\",\"objects\":[1]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"" OID "\"}]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"" OID "\",\"size\":-1}]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"" OID "\",\"size\":0.5}]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"" OID "\",\"size\":1e30}]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"" OID "\",\"size\":\"5\"}]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"" OID
		"\",\"size\":9223372036854775808}]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"" OID
		"\",\"size\":99999999999999999999999}]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"" OID "0\",\"size\":1}]}",
		"{\"operation\":\"upload\",\"objects\":[{\"oid\":\"../../x\",\"size\":1}]}",
		"{\"operation\":\"upload\",\"transfers\":[1],\"objects\":[]}",
		"{\"operation\":\"upload\",\"ref\":{\"name\":\"a\\nb\"},\"objects\":[]}",
	};
	struct lfs_batch b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(parse_request(&b, bad[i]), ERR_INVALID);
		assert_null(b.objects);
	}
}

static void a_request_has_an_end(void **state)
{
	struct buf text = BUF_INIT;
	struct lfs_batch b;

	(void)state;
	buf_addstr(&text, "{\"operation\":\"download\",\"objects\":[");
	for (int i = 0; i < LFS_BATCH_OBJECTS_MAX; i++)
		buf_addf(&text, "%s{\"oid\":\"" OID "\",\"size\":%d}", i ? "," : "", i);
	buf_addstr(&text, "]}");
	assert_int_equal(parse_request(&b, text.p), 0);
	assert_int_equal(b.n, LFS_BATCH_OBJECTS_MAX);
	lfs_batch_release(&b);
	buf_truncate(&text, text.len - 2);
	buf_addstr(&text, ",{\"oid\":\"" OID "\",\"size\":1}]}");
	assert_int_equal(parse_request(&b, text.p), ERR_LIMIT);
	buf_release(&text);
}

static void answers(void **state)
{
	struct lfs_batch b = {.operation = LFS_DOWNLOAD}, got;
	struct lfs_batch_object *o = lfs_batch_add(&b);
	struct lfs_action *a = lfs_batch_action(o, LFS_ACTION_DOWNLOAD, "https://example.com/a?b");
	struct buf text = BUF_INIT;

	(void)state;
	strvec_push(&a->headers, "Authorization: Basic ab:c");
	a->expires_at = NOW + 3600;
	o->size = INT64_MAX - 1;
	o->authenticated = 1;
	o = lfs_batch_add(&b);
	o->error_code = 404;
	o->error = strdup("not here");
	assert_int_equal(lfsjson_batch_response_format(&text, &b, NOW), 0);
	assert_non_null(strstr(text.p, "\"expires_at\":\"2001-09-09T02:46:40Z\""));
	assert_int_equal(parse_answer(&got, text.p), 0);
	assert_string_equal(got.transfer, "basic");
	assert_int_equal(got.n, 2);
	assert_true(got.objects[0].size == (uint64_t)INT64_MAX - 1);
	assert_true(got.objects[0].authenticated);
	a = got.objects[0].actions[LFS_ACTION_DOWNLOAD];
	assert_string_equal(a->href, "https://example.com/a?b");
	assert_int_equal(a->headers.n, 1);
	assert_string_equal(a->headers.v[0], "Authorization: Basic ab:c");
	assert_int_equal(a->expires_at, NOW + 3600);
	assert_null(got.objects[0].actions[LFS_ACTION_UPLOAD]);
	assert_int_equal(got.objects[0].error_code, 0);
	assert_int_equal(got.objects[1].error_code, 404);
	assert_string_equal(got.objects[1].error, "not here");
	lfs_batch_release(&b);
	lfs_batch_release(&got);
	buf_release(&text);
}

static int64_t expiry(const char *members)
{
	char text[512];
	struct lfs_batch b;
	int64_t at;

	snprintf(text, sizeof(text), ",\"actions\":{\"upload\":{\"href\":\"x\",%s}}", members);
	assert_int_equal(parse_one(&b, text), 0);
	at = b.objects[0].actions[LFS_ACTION_UPLOAD]->expires_at;
	lfs_batch_release(&b);
	return at;
}

static void when_actions_end(void **state)
{
	(void)state;
	assert_int_equal(expiry("\"expires_in\":10"), NOW + 10);
	assert_int_equal(expiry("\"expires_in\":-10"), NOW - 10);
	assert_int_equal(
		expiry("\"expires_in\":10,\"expires_at\":\"2001-09-09T01:46:41Z\""), NOW + 10);
	assert_int_equal(expiry("\"expires_at\":\"2001-09-09T03:46:41.123456789+02:00\""), NOW + 1);
	assert_int_equal(
		expiry("\"expires_in\":0,\"expires_at\":\"2001-09-09T01:46:41Z\""), NOW + 1);
	assert_int_equal(expiry("\"expires_at\":\"0001-01-01T00:00:00Z\""), 0);
	assert_int_equal(expiry("\"expires_at\":\"\""), 0);
	assert_int_equal(expiry("\"expires_in\":null"), 0);
	assert_true(expiry("\"expires_in\":1e300") > NOW);
	assert_int_equal(expiry("\"expires_in\":-1e300"), 1);
}

static void forms_of_servers(void **state)
{
	struct lfs_batch b;

	(void)state;
	assert_int_equal(parse_one(&b, ",\"_links\":{\"download\":{\"href\":\"/x\"}}"), 0);
	assert_non_null(b.objects[0].actions[LFS_ACTION_DOWNLOAD]);
	lfs_batch_release(&b);
	assert_int_equal(parse_one(&b, ",\"actions\":null,\"error\":null,\"more\":[{}]"), 0);
	assert_null(b.objects[0].error);
	lfs_batch_release(&b);
	assert_int_equal(parse_answer(&b, "{\"objects\":[{\"oid\":\"" OID "\",\"error\":{}}]}"), 0);
	assert_true(b.objects[0].size == LFS_SIZE_UNKNOWN);
	assert_int_equal(b.objects[0].error_code, 500);
	lfs_batch_release(&b);
	assert_int_equal(
		parse_one(&b, ",\"error\":{\"code\":410,\"message\":\"a\\nb\\u001b[2J\"}"), 0);
	assert_string_equal(b.objects[0].error, "a b?[2J");
	lfs_batch_release(&b);
	assert_int_equal(parse_answer(&b, "{\"transfer\":\"own\",\"objects\":[]}"), 0);
	assert_string_equal(b.transfer, "own");
	lfs_batch_release(&b);
}

static void answers_refused(void **state)
{
	(void)state;
	refuses_answer(ERR_INVALID, "<html>");
	refuses_answer(ERR_INVALID, "{\"objects\":{}}");
	refuses_answer(ERR_INVALID, "{\"transfer\":\"basic\"}");
	refuses_answer(ERR_INVALID, "{\"objects\":[]} and more");
	refuses_answer(ERR_INVALID, "{\"objects\":[null]}");
	refuses_one(ERR_INVALID, ",\"actions\":7");
	refuses_one(ERR_INVALID, ",\"actions\":{\"upload\":{}}");
	refuses_one(ERR_INVALID, ",\"actions\":{\"upload\":{\"href\":\"\"}}");
	refuses_one(ERR_INVALID, ",\"actions\":{\"upload\":{\"href\":\"http://a\\nb\"}}");
	refuses_one(ERR_INVALID,
		",\"actions\":{\"upload\":{\"href\":\"x\",\"header\":{\"A\":\"b\\r\\nC: d\"}}}");
	refuses_one(ERR_INVALID,
		",\"actions\":{\"upload\":{\"href\":\"x\",\"header\":{\"A:b\":\"c\"}}}");
	refuses_one(ERR_INVALID, ",\"actions\":{\"upload\":{\"href\":\"x\",\"header\":{\"A\":1}}}");
	refuses_one(
		ERR_INVALID, ",\"actions\":{\"upload\":{\"href\":\"x\",\"expires_at\":\"soon\"}}");
	refuses_one(ERR_INVALID, ",\"error\":\"no\"");
	refuses_one(ERR_INVALID, ",\"authenticated\":\"yes\"");
}

static void verifications(void **state)
{
	struct buf text = BUF_INIT;
	struct oid oid, got;
	uint64_t size;

	(void)state;
	oid_of(&oid, "x", 1);
	assert_int_equal(lfsjson_verify_format(&text, &oid, 1234567890123456789), 0);
	assert_int_equal(lfsjson_verify_parse(&got, &size, text.p, text.len), 0);
	assert_true(oid_eq(&oid, &got));
	assert_true(size == 1234567890123456789);
	assert_int_equal(lfsjson_verify_parse(&got, &size, "{}", 2), ERR_INVALID);
	buf_release(&text);
}

static void error_says(const char *text, const char *expect)
{
	struct buf message = BUF_INIT;

	assert_int_equal(lfsjson_error_parse(&message, text, strlen(text)), 0);
	assert_string_equal(buf_str(&message), expect);
	buf_release(&message);
}

static void errors(void **state)
{
	struct buf text = BUF_INIT, message = BUF_INIT;

	(void)state;
	error_says("{\"message\":\"no \\\"way\\\"\"}", "no \"way\"");
	error_says("{\"message\":\"no\",\"documentation_url\":\"https://x/y\"}",
		"no; see https://x/y");
	error_says("{\"message\":\"a\\nb \\u0007 c\\n\"}", "a b ? c");
	error_says("<html>no</html>", "");
	error_says("{\"message\":7}", "");
	error_says("", "");
	buf_addstr(&text, "{\"message\":\"");
	for (int i = 0; i < 10000; i++)
		buf_addstr(&text, "\xc3\xbc");
	buf_addstr(&text, "\"}");
	assert_int_equal(lfsjson_error_parse(&message, text.p, text.len), 0);
	assert_in_range(message.len, 100, 1000);
	assert_int_equal(message.len % 2, 0);
	buf_release(&message);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(requests_refused),
		cmocka_unit_test(a_request_has_an_end),
		cmocka_unit_test(answers),
		cmocka_unit_test(when_actions_end),
		cmocka_unit_test(forms_of_servers),
		cmocka_unit_test(answers_refused),
		cmocka_unit_test(verifications),
		cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
