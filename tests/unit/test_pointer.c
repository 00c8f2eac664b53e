/*
 * Pointers by docs/pointer.md: what is written, what else is read, and what is refused.  Each text
 * is handed over in memory of exactly its size, so that a sanitizer sees a read behind its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/store/pointer.h"

#define V1	  "version https://git-lfs.github.com/spec/v1\n"
#define HEX	  "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
#define OID	  "oid sha256:" HEX "\n"
#define SIZE	  "size 12345\n"
#define EXT(n)	  "ext-" #n "-foo sha256:" HEX "\n"
#define CANONICAL V1 OID SIZE

static int parse(struct pointer *out, const char *text, size_t len)
{
	char *exact = malloc(len ? len : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, text, len);
	rc = pointer_parse(out, exact, len);
	free(exact);
	return rc;
}

static void test_canonical_text(void **state)
{
	struct pointer p;
	struct oid expected;

	(void)state;
	assert_int_equal(parse(&p, CANONICAL, strlen(CANONICAL)), 0);
	assert_int_equal(oid_from_hex(&expected, HEX), 0);
	assert_true(oid_eq(&p.oid, &expected));
	assert_int_equal(p.size, 12345);
	assert_true(p.canonical);
}

static void test_written_text_is_read_back(void **state)
{
	static const uint64_t sizes[] = {0, 1, 9, 10, 4294967296, INT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char text[POINTER_CANONICAL_MAX];
		struct oid oid = {{(uint8_t)i, 1, 2}};
		struct pointer p;
		size_t len = pointer_format(text, &oid, sizes[i]);

		assert_int_equal(len, strlen(text));
		assert_int_equal(parse(&p, text, len), 0);
		assert_true(oid_eq(&p.oid, &oid));
		assert_true(p.size == sizes[i]);
		assert_true(p.canonical);
	}
}

static void test_written_text(void **state)
{
	char text[POINTER_CANONICAL_MAX];
	struct oid oid;

	(void)state;
	assert_int_equal(oid_from_hex(&oid, HEX), 0);
	assert_int_equal(pointer_format(text, &oid, 12345), strlen(CANONICAL));
	assert_string_equal(text, CANONICAL);
}

static void test_valid_but_not_canonical(void **state)
{
	static const char *const texts[] = {V1 OID "size 12345", /* no LF at the end */
		"\n \t\r\n" CANONICAL, CANONICAL "\n", CANONICAL " \t\r\n\v\f",
		V1 "\n" OID "\n\n" SIZE, V1 OID "size 0012345\n",
		"version https://git-lfs.github.com/spec/v1\r\noid sha256:" HEX
		"\r\nsize 12345\r\n",
		"version http://git-media.io/v/2\n" OID SIZE,
		"version https://hawser.github.com/spec/v1\n" OID SIZE, V1 EXT(0) OID SIZE,
		V1 EXT(0) EXT(9) OID SIZE, V1 OID EXT(1) SIZE};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct pointer p;

		if (parse(&p, texts[i], strlen(texts[i])) < 0)
			fail_msg("%s: %s", err_msg(), texts[i]);
		assert_int_equal(p.size, 12345);
		assert_int_equal(p.oid.id[0], 0x4d);
		assert_false(p.canonical);
	}
}

static void test_refused(void **state)
{
	static const char *const texts[] = {"", "\n", " ", "hello\n", V1, V1 OID, V1 SIZE, OID SIZE,
		/* another version */
		"version https://git-lfs.github.com/spec/v2\n" OID SIZE,
		"version  https://git-lfs.github.com/spec/v1\n" OID SIZE,
		"Version https://git-lfs.github.com/spec/v1\n" OID SIZE,
		"version https://git-lfs.github.com/spec/v1 \n" OID SIZE,
		/* order, repetition, unknown keys */
		V1 SIZE OID, OID V1 SIZE, V1 V1 OID SIZE, V1 OID OID SIZE, V1 OID SIZE SIZE,
		V1 "alpha 1\n" OID SIZE, CANONICAL "x y\n", CANONICAL "x\n", V1 "oid\n" SIZE,
		/* extensions */
		EXT(0) V1 OID SIZE, V1 OID SIZE EXT(0), V1 EXT(0) EXT(0) OID SIZE,
		V1 EXT(10) OID SIZE, V1 "ext-0- sha256:" HEX "\n" OID SIZE,
		V1 "ext-a-foo sha256:" HEX "\n" OID SIZE, V1 "ext-0-foo sha256:00\n" OID SIZE,
		V1 "ext-0-foo\n" OID SIZE,
		/* oid */
		V1 "oid " HEX "\n" SIZE, V1 "oid sha1:" HEX "\n" SIZE, V1 "oid sha256:\n" SIZE,
		V1 "oid sha256:" HEX "0\n" SIZE, V1 "oid sha256: " HEX "\n" SIZE,
		V1 "oid "
		   "sha256:4D7A214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n" SIZE,
		V1
		"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e239\n" SIZE,
		/* size */
		V1 OID "size \n", V1 OID "size\n", V1 OID "size -1\n", V1 OID "size +1\n",
		V1 OID "size 0x10\n", V1 OID "size 1.5\n", V1 OID "size 1 2\n", V1 OID "size  1\n",
		V1 OID "size 9223372036854775808\n", V1 OID "size 18446744073709551617\n",
		V1 OID "size 99999999999999999999999999\n"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct pointer p = {.size = 7};

		if (parse(&p, texts[i], strlen(texts[i])) != ERR_INVALID)
			fail_msg("taken for a pointer: %s", texts[i]);
		assert_int_equal(p.size, 7);
	}
}

static void test_longer_than_the_maximum(void **state)
{
	char text[POINTER_MAX + 1];
	struct pointer p;

	(void)state;
	memset(text, '\n', sizeof text);
	memcpy(text, CANONICAL, strlen(CANONICAL));
	assert_int_equal(parse(&p, text, POINTER_MAX - 1), 0);
	assert_int_equal(parse(&p, text, POINTER_MAX), ERR_INVALID);
	assert_int_equal(parse(&p, text, POINTER_MAX + 1), ERR_INVALID);
}

static void test_truncated_anywhere(void **state)
{
	size_t whole = strlen(CANONICAL);

	(void)state;
	for (size_t len = 0; len < whole - strlen("12345\n"); len++) {
		struct pointer p;

		assert_int_equal(parse(&p, CANONICAL, len), ERR_INVALID);
	}
}

/* A flipped bit gives no pointer, or one that says something else or is not canonical: never the
 * same. */
static void test_any_flipped_bit_is_noticed(void **state)
{
	size_t len = strlen(CANONICAL);
	struct pointer original;

	(void)state;
	assert_int_equal(parse(&original, CANONICAL, len), 0);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		char text[] = CANONICAL;
		struct pointer p;

		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		if (parse(&p, text, len) < 0)
			continue;
		assert_false(
			p.canonical && oid_eq(&p.oid, &original.oid) && p.size == original.size);
	}
}

static void test_nul_bytes(void **state)
{
	static const char text[] = V1 OID "size 123\0"
					  "45\n";
	struct pointer p;

	(void)state;
	assert_int_equal(parse(&p, text, sizeof text - 1), ERR_INVALID);
	assert_int_equal(parse(&p, CANONICAL, sizeof CANONICAL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical_text),
		cmocka_unit_test(test_written_text_is_read_back),
		cmocka_unit_test(test_written_text),
		cmocka_unit_test(test_valid_but_not_canonical),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_longer_than_the_maximum),
		cmocka_unit_test(test_truncated_anywhere),
		cmocka_unit_test(test_any_flipped_bit_is_noticed),
		cmocka_unit_test(test_nul_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
