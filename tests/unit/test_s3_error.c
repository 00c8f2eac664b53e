/*
 * What S3's errors mean: a line for each, the code for callers, what may be done about it, and the
 * words that a person needs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transfer/s3/s3_error.c"

enum { NOW = 1369353600 };

static struct s3_failure failure(enum s3_operation op, int status)
{
	return (struct s3_failure){.op = op,
		.status = status,
		.remote = "storage",
		.bucket = "models",
		.place = "s3://models/p/packs/ab/abcd.pack",
		.endpoint = "https://s3.example.com",
		.region = "us-east-1",
		.credentials = "profile 'ml' in /h/.aws/credentials, access key AKIA…MPLE",
		.server_date = NOW,
		.now = NOW};
}

/* code of S3, status, operation, what comes out, and words of the message */
static const struct {
	const char *code;
	int status;
	enum s3_operation op;
	enum err err;
	enum s3_remedy remedy;
	const char *words[4];
} cases[] = {
	{"ExpiredToken", 400, S3_PUT, ERR_DENIED, S3_REMEDY_KEYS,
		{"session token has expired", "profile 'ml'", "get new keys"}},
	{"ExpiredTokenException", 400, S3_PUT, ERR_DENIED, S3_REMEDY_KEYS, {"has expired"}},
	{"TokenRefreshRequired", 400, S3_GET, ERR_DENIED, S3_REMEDY_KEYS, {"has expired"}},
	{"InvalidToken", 400, S3_GET, ERR_DENIED, S3_REMEDY_KEYS,
		{"does not belong to the access key", "session_token"}},
	{"InvalidAccessKeyId", 403, S3_LIST, ERR_DENIED, S3_REMEDY_KEYS,
		{"does not know the access key", "AKIA…MPLE",
			"git dvx remote modify storage access_key_id", "https://s3.example.com"}},
	{"SignatureDoesNotMatch", 403, S3_LIST, ERR_DENIED, S3_REMEDY_NONE,
		{"secret access key is wrong", "proxy",
			"git dvx remote modify storage secret_access_key"}},
	{"AccessDenied", 403, S3_LIST, ERR_DENIED, S3_REMEDY_NONE,
		{"cannot list", "s3:ListBucket", "ask the owner"}},
	{"AccessDenied", 403, S3_HEAD, ERR_DENIED, S3_REMEDY_NONE,
		{"cannot look at", "s3:GetObject"}},
	{"AccessDenied", 403, S3_GET, ERR_DENIED, S3_REMEDY_NONE, {"cannot read", "s3:GetObject"}},
	{"AccessDenied", 403, S3_PUT, ERR_DENIED, S3_REMEDY_NONE, {"cannot write", "s3:PutObject"}},
	{"AccessDenied", 403, S3_DELETE, ERR_DENIED, S3_REMEDY_NONE,
		{"cannot remove", "s3:DeleteObject"}},
	{"AccessDenied", 403, S3_LOCATION, ERR_DENIED, S3_REMEDY_NONE, {"s3:GetBucketLocation"}},
	{"AccessDenied", 403, S3_PROBE, ERR_DENIED, S3_REMEDY_NONE,
		{"cannot try out", "s3:PutObject"}},
	{"AllAccessDisabled", 403, S3_GET, ERR_DENIED, S3_REMEDY_NONE, {"closed this account"}},
	{"AccountProblem", 403, S3_GET, ERR_DENIED, S3_REMEDY_NONE, {"closed this account"}},
	{"NotSignedUp", 403, S3_GET, ERR_DENIED, S3_REMEDY_NONE, {"closed this account"}},
	{"UserSuspended", 403, S3_GET, ERR_DENIED, S3_REMEDY_NONE,
		{"closed this account", "UserSuspended, HTTP 403"}},
	{"InvalidObjectState", 403, S3_GET, ERR_DENIED, S3_REMEDY_NONE, {"archived", "restore"}},
	{"NoSuchBucket", 404, S3_LIST, ERR_NOTFOUND, S3_REMEDY_NONE,
		{"bucket 'models' does not exist", "https://s3.example.com",
			"git dvx remote modify storage url"}},
	{"InvalidBucketName", 400, S3_LIST, ERR_INVALID, S3_REMEDY_NONE,
		{"'models' is no name for a bucket", "remote modify storage url"}},
	{"NoSuchKey", 404, S3_GET, ERR_NOTFOUND, S3_REMEDY_NONE,
		{"s3://models/p/packs/ab/abcd.pack", "it is not there"}},
	{"NoSuchVersion", 404, S3_GET, ERR_NOTFOUND, S3_REMEDY_NONE, {"it is not there"}},
	{"PermanentRedirect", 301, S3_GET, ERR_INVALID, S3_REMEDY_NONE,
		{"not where it was asked for", "'us-east-1'", "region …", "endpointurl …"}},
	{"Redirect", 307, S3_GET, ERR_INVALID, S3_REMEDY_NONE, {"not where it was asked for"}},
	{"TemporaryRedirect", 307, S3_GET, ERR_INVALID, S3_REMEDY_NONE, {"not where it was asked"}},
	{"IllegalLocationConstraintException", 400, S3_GET, ERR_INVALID, S3_REMEDY_NONE,
		{"not where it was asked for"}},
	{"InvalidRegion", 400, S3_GET, ERR_INVALID, S3_REMEDY_NONE, {"not where it was asked for"}},
	{"AuthorizationHeaderMalformed", 400, S3_GET, ERR_INVALID, S3_REMEDY_NONE,
		{"region 'us-east-1'", "remote modify storage region"}},
	{"AuthorizationQueryParametersError", 400, S3_GET, ERR_INVALID, S3_REMEDY_NONE,
		{"does not accept the signature"}},
	{"RequestTimeTooSkewed", 403, S3_PUT, ERR_DENIED, S3_REMEDY_NONE,
		{"clock of this machine", "2013-05-24 00:00:00Z", "set the clock"}},
	{"RequestExpired", 400, S3_PUT, ERR_DENIED, S3_REMEDY_NONE, {"clock of this machine"}},
	{"SlowDown", 503, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests", "-j"}},
	{"SlowDownWrite", 503, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"ThrottlingException", 400, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"RequestThrottled", 400, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"RequestLimitExceeded", 503, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"TooManyRequests", 429, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"BandwidthLimitExceeded", 509, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"Busy", 503, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"ServerBusy", 503, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"ServiceUnavailable", 503, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"server failed"}},
	{"InternalError", 500, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY,
		{"server failed", "InternalError, HTTP 500"}},
	{"InternalError", 200, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"server failed", "HTTP 200"}},
	{"InternalFailure", 500, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"server failed"}},
	{"SomethingNew", 200, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"SomethingNew, HTTP 200"}},
	{"SomethingNew", 500, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"SomethingNew, HTTP 500"}},
	{"SomethingNew", 503, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"overloaded", "SomethingNew"}},
	{"SomethingNew", 400, S3_PUT, ERR_INVALID, S3_REMEDY_NONE,
		{"refuses the request: SomethingNew, HTTP 400"}},
	{"SomethingNew", 403, S3_PUT, ERR_INVALID, S3_REMEDY_NONE, {"SomethingNew, HTTP 403"}},
	{"OperationAborted", 409, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"another writer"}},
	{"ConditionalRequestConflict", 409, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY,
		{"another writer"}},
	{"RequestTimeout", 400, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"waited too long"}},
	{"BadDigest", 400, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"damaged on the way"}},
	{"IncompleteBody", 400, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"damaged on the way"}},
	{"XAmzContentSHA256Mismatch", 400, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY,
		{"damaged on the way", "proxy"}},
	{"XAmzContentChecksumMismatch", 400, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY,
		{"damaged on the way"}},
	{"PreconditionFailed", 412, S3_PUT, ERR_EXISTS, S3_REMEDY_EXISTS, {"there already"}},
	{"InvalidRange", 416, S3_GET, ERR_CORRUPT, S3_REMEDY_NONE, {"shorter", "fsck"}},
	{"EntityTooLarge", 400, S3_PUT, ERR_LIMIT, S3_REMEDY_NONE, {"objects of this size"}},
	{"MaxMessageLengthExceeded", 400, S3_PUT, ERR_LIMIT, S3_REMEDY_NONE, {"of this size"}},
	{"QuotaExceeded", 403, S3_PUT, ERR_LIMIT, S3_REMEDY_NONE, {"quota", "git dvx gc --remote"}},
	{"InsufficientCapacity", 503, S3_PUT, ERR_LIMIT, S3_REMEDY_NONE, {"store is full"}},
	{"XMinioStorageFull", 507, S3_PUT, ERR_LIMIT, S3_REMEDY_NONE, {"store is full"}},
	{"InvalidStorageClass", 400, S3_PUT, ERR_INVALID, S3_REMEDY_NONE,
		{"no storage class 'STANDARD'", "remote modify storage storageclass"}},
	{"KMS.NotFoundException", 400, S3_PUT, ERR_DENIED, S3_REMEDY_NONE,
		{"the key of the bucket's encryption", "kms:GenerateDataKey", "ssekmskeyid"}},
	{"KMS.ThrottlingException", 400, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"KMS.InternalException", 500, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"server failed"}},
	{"NotImplemented", 501, S3_PUT, ERR_UNSUPPORTED, S3_REMEDY_FALLBACK,
		{"does not support this kind of request"}},
	{"MethodNotAllowed", 405, S3_PUT, ERR_UNSUPPORTED, S3_REMEDY_NONE, {"S3 address"}},
	/* without a document: HEAD, proxies */
	{"", 301, S3_HEAD, ERR_INVALID, S3_REMEDY_NONE, {"not where it was asked for"}},
	{"", 302, S3_GET, ERR_INVALID, S3_REMEDY_NONE, {"not where it was asked for"}},
	{"", 307, S3_GET, ERR_INVALID, S3_REMEDY_NONE, {"not where it was asked for"}},
	{"", 308, S3_GET, ERR_INVALID, S3_REMEDY_NONE, {"not where it was asked for"}},
	{"", 400, S3_HEAD, ERR_INVALID, S3_REMEDY_NONE,
		{"refuses the request (HTTP 400)", "region ('us-east-1')"}},
	{"", 401, S3_HEAD, ERR_DENIED, S3_REMEDY_NONE, {"another kind of login"}},
	{"", 403, S3_HEAD, ERR_DENIED, S3_REMEDY_NONE, {"access denied", "s3:GetObject"}},
	{"", 404, S3_HEAD, ERR_NOTFOUND, S3_REMEDY_NONE, {"it is not there"}},
	{"", 404, S3_GET, ERR_NOTFOUND, S3_REMEDY_NONE, {"it is not there"}},
	{"", 404, S3_LIST, ERR_NOTFOUND, S3_REMEDY_NONE,
		{"knows no bucket 'models'", "endpointurl", "S3 address"}},
	{"", 404, S3_PUT, ERR_NOTFOUND, S3_REMEDY_NONE, {"knows no bucket 'models'"}},
	{"", 405, S3_PUT, ERR_UNSUPPORTED, S3_REMEDY_NONE, {"S3 address"}},
	{"", 407, S3_PUT, ERR_DENIED, S3_REMEDY_NONE, {"proxy wants a login", "no_proxy"}},
	{"", 408, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"HTTP 408"}},
	{"", 409, S3_PUT, ERR_REMOTE, S3_REMEDY_RETRY, {"another writer"}},
	{"", 412, S3_PUT, ERR_EXISTS, S3_REMEDY_EXISTS, {"there already"}},
	{"", 413, S3_PUT, ERR_LIMIT, S3_REMEDY_NONE, {"client_max_body_size"}},
	{"", 416, S3_GET, ERR_CORRUPT, S3_REMEDY_NONE, {"shorter"}},
	{"", 418, S3_GET, ERR_INVALID, S3_REMEDY_NONE, {"refuses the request: HTTP 418"}},
	{"", 425, S3_GET, ERR_REMOTE, S3_REMEDY_RETRY, {"HTTP 425"}},
	{"", 429, S3_GET, ERR_REMOTE, S3_REMEDY_RETRY, {"fewer requests"}},
	{"", 500, S3_GET, ERR_REMOTE, S3_REMEDY_RETRY, {"HTTP 500"}},
	{"", 501, S3_PUT, ERR_UNSUPPORTED, S3_REMEDY_FALLBACK, {"does not support"}},
	{"", 502, S3_GET, ERR_REMOTE, S3_REMEDY_RETRY, {"HTTP 502"}},
	{"", 503, S3_GET, ERR_REMOTE, S3_REMEDY_RETRY, {"overloaded", "HTTP 503"}},
	{"", 504, S3_GET, ERR_REMOTE, S3_REMEDY_RETRY, {"HTTP 504"}},
	{"", 507, S3_PUT, ERR_LIMIT, S3_REMEDY_NONE, {"store is full"}},
	{"", 522, S3_GET, ERR_REMOTE, S3_REMEDY_RETRY, {"HTTP 522"}},
	{"", 0, S3_GET, ERR_REMOTE, S3_REMEDY_RETRY, {"HTTP 0"}},
};

/* Rules for every message: where, no loose ends of a template, one line. */
static void check_shape(const struct s3_verdict *v)
{
	assert_int_equal(strncmp(v->message, "cannot ", 7), 0);
	assert_null(strpbrk(v->message, "{}\n"));
	assert_non_null(strstr(v->message, ": "));
	assert_int_not_equal(v->message[strlen(v->message) - 1], '.');
	assert_true((v->remedy == S3_REMEDY_RETRY) == (v->code == ERR_REMOTE));
}

static void every_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct s3_failure f = failure(cases[i].op, cases[i].status);
		struct s3_xml_error doc = {0};
		struct s3_verdict v;

		strcpy(doc.code, cases[i].code);
		if (*cases[i].code)
			f.doc = &doc;
		f.retry_after_ms = 1500;
		s3_error_explain(&v, &f);
		assert_int_equal(v.code, cases[i].err);
		assert_int_equal(v.remedy, cases[i].remedy);
		assert_int_equal(v.retry_ms, v.remedy == S3_REMEDY_RETRY ? 1500 : 0);
		for (int w = 0; w < 4 && cases[i].words[w]; w++)
			assert_non_null(strstr(v.message, cases[i].words[w]));
		check_shape(&v);
	}
}

/* No rule is without a line above, and each template only has words that exist. */
static void every_rule_has_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof by_code / sizeof *by_code; i++) {
		int found = 0;

		for (size_t k = 0; k < sizeof cases / sizeof *cases && !found; k++)
			found = code_matches(by_code[i].code, cases[k].code);
		if (!found)
			fail_msg("no line for %s", by_code[i].code);
	}
	for (size_t i = 0; i < sizeof by_status / sizeof *by_status; i++) {
		int found = 0;

		for (size_t k = 0; k < sizeof cases / sizeof *cases && !found; k++)
			found = !*cases[k].code && by_status[i].status == cases[k].status;
		if (!found)
			fail_msg("no line for %d", by_status[i].status);
	}
}

static void check_template(const struct rule *r)
{
	struct word words[N_WORDS];
	struct s3_failure f = failure(S3_GET, 400);

	set_words(words, &f, NOW);
	for (const char *p = strchr(r->text, '{'); p; p = strchr(p + 1, '{')) {
		size_t n = strcspn(p, "}");
		int found = 0;

		assert_int_equal(p[n], '}');
		for (int i = 0; i < N_WORDS; i++)
			found |= strlen(words[i].name) == n - 1 &&
				 memcmp(words[i].name, p + 1, n - 1) == 0;
		assert_int_equal(found, 1);
	}
}

static void templates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof by_code / sizeof *by_code; i++)
		check_template(&by_code[i]);
	for (size_t i = 0; i < sizeof by_status / sizeof *by_status; i++)
		check_template(&by_status[i]);
	check_template(&fails);
	check_template(&refuses);
	check_template(&missing_bucket);
	check_template(&wrong_region);
	check_template(&wrong_clock);
	check_template(&perhaps_expired);
}

static void the_right_region_is_told(void **state)
{
	static const struct {
		int status;
		const char *code, *header, *doc, *right;
	} regions[] = {
		{301, "PermanentRedirect", "eu-west-1", "", "eu-west-1"},
		{301, "", "eu-west-1", "", "eu-west-1"}, /* HEAD */
		{400, "", "eu-west-1", "", "eu-west-1"},
		{307, "TemporaryRedirect", "eu-west-1", "", "eu-west-1"},
		{400, "AuthorizationHeaderMalformed", NULL, "eu-west-1", "eu-west-1"},
		{400, "IllegalLocationConstraintException", "ap-south-2", "eu-west-1",
			"ap-south-2"},
		{400, "AuthorizationHeaderMalformed", NULL, "us-east-1", NULL}, /* that was it */
		{403, "AccessDenied", "us-east-1", "", NULL},
		{403, "AccessDenied", "eu-west-1", "", "eu-west-1"},
		{301, "PermanentRedirect", "eu west", "", NULL},
		{301, "PermanentRedirect", "", "", NULL},
		{301, "PermanentRedirect", "x\r\nY: z", "", NULL},
		{404, "NoSuchKey", "eu-west-1", "", NULL},
		{503, "SlowDown", "eu-west-1", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
		struct s3_failure f = failure(S3_LIST, regions[i].status);
		struct s3_xml_error doc = {0};
		struct s3_verdict v;

		strcpy(doc.code, regions[i].code);
		strcpy(doc.region, regions[i].doc);
		f.doc = *doc.code ? &doc : NULL;
		f.bucket_region = regions[i].header;
		s3_error_explain(&v, &f);
		check_shape(&v);
		if (!regions[i].right) {
			assert_int_not_equal(v.remedy, S3_REMEDY_REGION);
			assert_string_equal(v.region, "");
			continue;
		}
		assert_int_equal(v.remedy, S3_REMEDY_REGION);
		assert_int_equal(v.code, ERR_INVALID);
		assert_string_equal(v.region, regions[i].right);
		assert_non_null(strstr(v.message, regions[i].right));
		assert_non_null(strstr(v.message, "not in 'us-east-1'"));
		assert_non_null(strstr(v.message, "git dvx remote modify storage region "));
	}
}

static void clocks(void **state)
{
	struct s3_failure f = failure(S3_PUT, 403);
	struct s3_xml_error doc = {.code = "AccessDenied"};
	struct s3_verdict v;

	(void)state;
	f.server_date = NOW + SKEW_MAX; /* five minutes are no reason */
	s3_error_explain(&v, &f);
	assert_null(strstr(v.message, "clock"));
	f.server_date = NOW + SKEW_MAX + 1;
	s3_error_explain(&v, &f);
	assert_non_null(strstr(v.message,
		"this machine says 2013-05-24 00:00:00Z, the server's 2013-05-24 00:05:01Z"));
	f.doc = &doc;
	f.server_date = NOW - 1200;
	s3_error_explain(&v, &f);
	assert_non_null(strstr(v.message, "the server's 2013-05-23 23:40:00Z"));
	assert_int_equal(v.code, ERR_DENIED);
	assert_int_equal(v.remedy, S3_REMEDY_NONE);
	strcpy(doc.code, "InvalidAccessKeyId"); /* that has its own reason */
	s3_error_explain(&v, &f);
	assert_null(strstr(v.message, "clock"));
	strcpy(doc.code, "RequestTimeTooSkewed");
	strcpy(doc.server_time, "2013-05-24T01:00:00Z");
	s3_error_explain(&v, &f);
	assert_non_null(strstr(v.message, "the server's 2013-05-24 01:00:00Z"));
	strcpy(doc.server_time, "");
	f.server_date = 0;
	s3_error_explain(&v, &f);
	assert_non_null(strstr(v.message, "the server's another time"));
}

static void what_was_sent_is_named(void **state)
{
	struct s3_failure f = failure(S3_PUT, 400);
	struct s3_xml_error doc = {.code = "InvalidStorageClass"};
	struct s3_verdict v;

	(void)state;
	f.doc = &doc;
	f.storage_class = "GLACIAL";
	s3_error_explain(&v, &f);
	assert_non_null(strstr(v.message, "'GLACIAL'"));
	strcpy(doc.code, "KMS.DisabledException");
	strcpy(doc.message, "alias/ml is disabled. ");
	f.kms_key = "alias/ml";
	s3_error_explain(&v, &f);
	assert_non_null(strstr(v.message, "the key alias/ml cannot be used"));
	assert_non_null(
		strstr(v.message, "KMS.DisabledException, HTTP 400: alias/ml is disabled)"));
	strcpy(doc.code, "NotImplemented");
	strcpy(doc.header, "If-None-Match");
	s3_error_explain(&v, &f);
	assert_non_null(strstr(v.message, "does not support If-None-Match"));
}

/* HEAD has no body; with temporary keys, their end is what a bare 400 mostly means. */
static void head_with_a_session_token(void **state)
{
	struct s3_failure f = failure(S3_HEAD, 400);
	struct s3_verdict v;

	(void)state;
	f.has_token = 1;
	s3_error_explain(&v, &f);
	assert_int_equal(v.remedy, S3_REMEDY_KEYS);
	assert_non_null(strstr(v.message, "has the session token expired"));
	check_shape(&v);
}

static void with_nothing_known(void **state)
{
	struct s3_failure f = {.status = 403};
	struct s3_xml_error doc = {0};
	struct s3_verdict v;

	(void)state;
	s3_error_explain(&v, &f);
	assert_string_equal(v.message,
		"cannot list '?': access denied, the permission s3:ListBucket on the bucket is "
		"missing; "
		"ask the owner of the bucket to grant it (the access key in use)");
	memset(doc.code, 'A', sizeof doc.code - 1);
	memset(doc.message, '%', sizeof doc.message - 1);
	f.doc = &doc;
	s3_error_explain(&v, &f);
	assert_true(strlen(v.message) < sizeof v.message);
	assert_non_null(strstr(v.message, "%%%%%%"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line),
		cmocka_unit_test(every_rule_has_a_line),
		cmocka_unit_test(templates),
		cmocka_unit_test(the_right_region_is_told),
		cmocka_unit_test(clocks),
		cmocka_unit_test(what_was_sent_is_named),
		cmocka_unit_test(head_with_a_session_token),
		cmocka_unit_test(with_nothing_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
