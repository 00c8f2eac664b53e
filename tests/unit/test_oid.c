/*
 * Object ids: known digests (FIPS 180-4's examples, Git's own ids), streaming, and the one spelling
 * in hex.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/store/oid.h"

static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void assert_hex(const struct oid *o, const char *expected)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, o);
	assert_string_equal(hex, expected);
}

static void test_known_digests(void **state)
{
	struct oid o;

	(void)state;
	oid_of(&o, "abc", 3);
	assert_hex(&o, ABC);
	oid_of(&o, "", 0);
	assert_hex(&o, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_true(oid_eq(&o, &oid_of_empty));
}

static void test_streaming_in_any_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 200; piece++) {
		static char data[10000];
		struct oid whole, streamed;
		struct oid_ctx c;

		memset(data, 'a', sizeof data);
		oid_of(&whole, data, sizeof data);
		oid_init(&c);
		for (size_t i = 0; i < sizeof data; i += piece)
			oid_update(&c, data + i, sizeof data - i < piece ? sizeof data - i : piece);
		oid_final(&c, &streamed);
		assert_true(oid_eq(&whole, &streamed));
	}
}

static void test_hex_round_trip(void **state)
{
	struct oid o;

	(void)state;
	assert_int_equal(oid_from_hex(&o, ABC), 0);
	assert_hex(&o, ABC);
	assert_int_equal(o.id[0], 0xba);
	assert_int_equal(o.id[31], 0xad);
}

static void test_hex_ends_after_64_digits(void **state)
{
	char text[OID_HEX_LEN + 8];
	struct oid o;

	(void)state;
	snprintf(text, sizeof text, "%s.pack", ABC);
	assert_int_equal(oid_from_hex(&o, text), 0);
	assert_hex(&o, ABC);
}

/* Each wrong character at each place; NUL is one of them, so nothing behind the string's end is
 * read. */
static void test_wrong_hex_is_refused(void **state)
{
	static const char wrong[] = {'g', 'A', 'F', '/', ':', '@', '`', ' ', '\0', (char)0xff};

	(void)state;
	for (size_t place = 0; place < OID_HEX_LEN; place++) {
		for (size_t i = 0; i < sizeof wrong; i++) {
			char hex[sizeof ABC];
			struct oid o = {{7}};

			memcpy(hex, ABC, sizeof hex);
			hex[place] = wrong[i];
			assert_int_equal(oid_from_hex(&o, hex), ERR_INVALID);
			assert_int_equal(o.id[0], 7);
		}
	}
}

static void test_order_is_by_bytes(void **state)
{
	struct oid small = {{1, 0xff}}, large = {{0x80}};

	(void)state;
	assert_true(oid_cmp(&small, &large) < 0);
	assert_true(oid_cmp(&large, &small) > 0);
	assert_int_equal(oid_cmp(&small, &small), 0);
	assert_false(oid_eq(&small, &large));
}

static void assert_bytes_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	char hex[2 * 32 + 1] = "";

	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(hex, expected);
}

/* As `printf 'hello\n' | git hash-object --stdin` says in repositories of either kind. */
static void test_git_blob_ids(void **state)
{
	uint8_t id[32];

	(void)state;
	githash_blob(id, 20, "hello\n", 6);
	assert_bytes_hex(id, 20, "ce013625030ba8dba906f756967f9e9ca394464a");
	githash_blob(id, 32, "hello\n", 6);
	assert_bytes_hex(
		id, 32, "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4");
	githash_blob(id, 20, "", 0);
	assert_bytes_hex(id, 20, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

static void test_git_hash_in_pieces(void **state)
{
	struct githash_ctx c;
	uint8_t id[32];

	(void)state;
	githash_init(&c, 20);
	githash_update(&c, "a", 1);
	githash_update(&c, "bc", 2);
	githash_final(&c, id);
	assert_bytes_hex(id, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	githash_init(&c, 32);
	githash_update(&c, "ab", 2);
	githash_update(&c, "c", 1);
	githash_final(&c, id);
	assert_bytes_hex(id, 32, ABC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_digests),
		cmocka_unit_test(test_streaming_in_any_pieces),
		cmocka_unit_test(test_hex_round_trip),
		cmocka_unit_test(test_hex_ends_after_64_digits),
		cmocka_unit_test(test_wrong_hex_is_refused),
		cmocka_unit_test(test_order_is_by_bytes),
		cmocka_unit_test(test_git_blob_ids),
		cmocka_unit_test(test_git_hash_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
