/*
 * Signatures: the published examples of the S3 API Reference ("Examples: Signature Calculations"),
 * RFC 4231's HMAC vectors, and what signing must not depend on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "transfer/s3/sigv4.c" /* programs have no archive to link against */

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define CREDENTIAL                                                                                 \
	"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "

static char id[] = "AKIAIOSFODNN7EXAMPLE", secret[] = SECRET;
static const struct sigv4_keys example_keys = {.id = id, .secret = secret};
static const struct sigv4_scope example_scope = {
	.region = "us-east-1", .service = "s3", .now = 1369353600 /* 20130524T000000Z */};

static struct sigv4_request example(const char *method, const char *path)
{
	return (struct sigv4_request){.method = method,
		.host = "examplebucket.s3.amazonaws.com",
		.path = path,
		.payload_sha256 = SIGV4_EMPTY_PAYLOAD};
}

/* The Authorization header for a request, on the heap. */
static char *sign(const struct sigv4_request *r, const struct sigv4_keys *keys)
{
	struct strvec out = STRVEC_INIT;
	char *result;

	assert_int_equal(sigv4_sign(&out, r, keys, &example_scope), 0);
	assert_int_equal(strncmp(out.v[out.n - 1], "Authorization: ", 15), 0);
	result = strdup(out.v[out.n - 1] + 15);
	assert_non_null(result);
	strvec_release(&out);
	return result;
}

static void expect(const struct sigv4_request *r, const char *rest)
{
	struct buf whole = BUF_INIT;
	char *got = sign(r, &example_keys);

	assert_int_equal(buf_addf(&whole, "%s%s", CREDENTIAL, rest), 0);
	assert_string_equal(got, whole.p);
	free(got);
	buf_release(&whole);
}

static void get_with_a_range(void **state)
{
	struct sigv4_request r = example("GET", "/test.txt");
	struct strvec headers = STRVEC_INIT;

	(void)state;
	assert_int_equal(strvec_push(&headers, "Range: bytes=0-9"), 0);
	r.headers = &headers;
	expect(&r, "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
		   "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	strvec_release(&headers);
}

static void put_with_headers_and_an_odd_name(void **state)
{
	struct sigv4_request r = example("PUT", NULL);
	struct strvec headers = STRVEC_INIT;
	struct buf path = BUF_INIT;

	(void)state;
	assert_int_equal(strvec_pushl(&headers, "x-amz-storage-class: REDUCED_REDUNDANCY",
				 "Date:   Fri, 24 May   2013 00:00:00 GMT ", NULL),
		0);
	assert_int_equal(sigv4_encode_path(&path, "/test$file.text"), 0);
	assert_string_equal(path.p, "/test%24file.text");
	r.path = path.p;
	r.headers = &headers;
	r.payload_sha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	expect(&r, "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
		   "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
	strvec_release(&headers);
	buf_release(&path);
}

static void get_of_a_subresource(void **state)
{
	struct sigv4_request r = example("GET", "/");
	struct strvec query = STRVEC_INIT;

	(void)state;
	assert_int_equal(strvec_push(&query, "lifecycle"), 0);
	r.query = &query;
	expect(&r, "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
		   "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	r.path = ""; /* the same as "/" */
	expect(&r, "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
		   "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	strvec_release(&query);
}

static void listing_in_any_order_of_parameters(void **state)
{
	static const char *const orders[][2] = {
		{"max-keys=2", "prefix=J"}, {"prefix=J", "max-keys=2"}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct sigv4_request r = example("GET", "/");
		struct strvec query = STRVEC_INIT;

		assert_int_equal(strvec_pushl(&query, orders[i][0], orders[i][1], NULL), 0);
		r.query = &query;
		expect(&r, "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
			   "Signature="
			   "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
		strvec_release(&query);
	}
}

static void a_session_token_is_sent_and_signed(void **state)
{
	struct sigv4_request r = example("GET", "/");
	struct sigv4_keys keys = {0};
	struct strvec out = STRVEC_INIT;

	(void)state;
	assert_int_equal(sigv4_keys_set(&keys, id, secret, "tok/en+=="), 0);
	assert_int_equal(sigv4_sign(&out, &r, &keys, &example_scope), 0);
	assert_int_equal(out.n, 4);
	assert_string_equal(out.v[0], "x-amz-content-sha256: " SIGV4_EMPTY_PAYLOAD);
	assert_string_equal(out.v[1], "x-amz-date: 20130524T000000Z");
	assert_string_equal(out.v[2], "x-amz-security-token: tok/en+==");
	assert_non_null(strstr(out.v[3],
		"SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "));
	strvec_release(&out);
	sigv4_keys_release(&keys);
}

/* A remembered key must not be used for another secret, day, region or service. */
static void the_remembered_key_is_the_right_one(void **state)
{
	static char other_secret[] = "another";
	const struct sigv4_keys other = {.id = id, .secret = other_secret};
	struct sigv4_request r = example("GET", "/");
	struct sigv4_scope scopes[4];
	struct strvec first = STRVEC_INIT, again = STRVEC_INIT;

	(void)state;
	for (int i = 0; i < 4; i++)
		scopes[i] = example_scope;
	scopes[1].region = "eu-west-1";
	scopes[2].service = "sts";
	scopes[3].now += 86400;
	for (int round = 0; round < 2; round++) {
		struct strvec *out = round ? &again : &first;

		for (int i = 0; i < 4; i++) {
			const struct sigv4_scope *s = &scopes[round ? 3 - i : i];

			assert_int_equal(sigv4_sign(out, &r, &example_keys, s), 0);
			assert_int_equal(sigv4_sign(out, &r, &example_keys, s), 0);
			assert_string_equal(out->v[out->n - 1], out->v[out->n - 4]);
			assert_int_equal(sigv4_sign(out, &r, &other, s), 0);
			assert_string_not_equal(out->v[out->n - 1], out->v[out->n - 4]);
		}
	}
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(first.v[i * 9 + 8], again.v[(3 - i) * 9 + 8]);
	strvec_release(&first);
	strvec_release(&again);
}

static void queries_are_sorted_by_name(void **state)
{
	struct strvec query = STRVEC_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(sigv4_add_query(&out, NULL), 0);
	assert_int_equal(sigv4_add_query(&out, &query), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(
		strvec_pushl(&query, "a-b=2", "a=z", "list-type=2", "a=b", "B=1", "acl", NULL), 0);
	assert_int_equal(sigv4_add_query(&out, &query), 0);
	assert_string_equal(out.p, "B=1&a=b&a=z&a-b=2&acl=&list-type=2");
	assert_string_equal(query.v[0], "a-b=2"); /* the caller's own is as it was */
	strvec_release(&query);
	buf_release(&out);
}

static void encoding(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(sigv4_encode(&out, "a/B9-._~ +=%&\xc3\xa4\x01"), 0);
	assert_string_equal(out.p, "a%2FB9-._~%20%2B%3D%25%26%C3%A4%01");
	buf_reset(&out);
	assert_int_equal(sigv4_encode_path(&out, "/b/a b/\xc3\xa4"), 0);
	assert_string_equal(out.p, "/b/a%20b/%C3%A4");
	buf_release(&out);
}

/* RFC 4231, cases 1, 2, 6 and 7 (keys shorter and longer than a block). */
static void hmac_vectors(void **state)
{
	static const char *const hash_first =
		"Test Using Larger Than Block-Size Key - Hash Key First";
	static const char *const hash_both =
		"This is a test using a larger than block-size key and a larger than block-size "
		"data. The key needs to be hashed before being used by the HMAC algorithm.";
	uint8_t key[131];
	char hex[OID_HEX_LEN + 1];
	struct oid out;

	(void)state;
	memset(key, 0x0b, 20);
	hmac(&out, key, 20, "Hi There", 8);
	oid_to_hex(hex, &out);
	assert_string_equal(
		hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac(&out, "Jefe", 4, "what do ya want for nothing?", 28);
	oid_to_hex(hex, &out);
	assert_string_equal(
		hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	hmac(&out, key, sizeof key, hash_first, strlen(hash_first));
	oid_to_hex(hex, &out);
	assert_string_equal(
		hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	hmac(&out, key, sizeof key, hash_both, strlen(hash_both));
	oid_to_hex(hex, &out);
	assert_string_equal(
		hex, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

/* Header injection through a pasted key, and never the key in the message. */
static void keys_that_no_header_can_hold(void **state)
{
	static const char *const bad[] = {"", "geheim\n", "geheim\r\nX: y", "geh eim", "g\xc3\xa4"};
	struct sigv4_keys keys;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(sigv4_keys_set(&keys, bad[i], "s", NULL), ERR_INVALID);
		assert_int_equal(sigv4_keys_set(&keys, "a", bad[i], NULL), ERR_INVALID);
		assert_null(strstr(err_msg(), "geh"));
		if (*bad[i])
			assert_int_equal(sigv4_keys_set(&keys, "a", "s", bad[i]), ERR_INVALID);
		assert_null(keys.id);
	}
	assert_int_equal(sigv4_keys_set(&keys, NULL, "s", NULL), ERR_INVALID);
	assert_int_equal(sigv4_keys_set(&keys, "a", "s", ""), 0);
	assert_null(keys.token);
	sigv4_keys_release(&keys);
	sigv4_keys_release(&keys);
}

static void a_header_needs_a_name(void **state)
{
	struct sigv4_request r = example("GET", "/");
	struct strvec headers = STRVEC_INIT, out = STRVEC_INIT;

	(void)state;
	assert_int_equal(strvec_push(&headers, "no colon"), 0);
	r.headers = &headers;
	assert_int_equal(sigv4_sign(&out, &r, &example_keys, &example_scope), ERR_INVALID);
	assert_int_equal(out.n, 0);
	strvec_release(&headers);
	strvec_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_with_a_range),
		cmocka_unit_test(put_with_headers_and_an_odd_name),
		cmocka_unit_test(get_of_a_subresource),
		cmocka_unit_test(listing_in_any_order_of_parameters),
		cmocka_unit_test(a_session_token_is_sent_and_signed),
		cmocka_unit_test(the_remembered_key_is_the_right_one),
		cmocka_unit_test(queries_are_sorted_by_name),
		cmocka_unit_test(encoding),
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(keys_that_no_header_can_hold),
		cmocka_unit_test(a_header_needs_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
