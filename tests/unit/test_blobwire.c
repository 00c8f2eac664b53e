/*
 * The protocol of blobs over SSH, as bytes: what one half writes the other reads, the bytes are
 * those of docs/ssh-protocol.md, and what is malformed is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/wire/blobwire.h"

/* ---- hello ---- */

static ssize_t hello(struct blobwire_hello *h, const char *text, int at_end)
{
	return blobwire_hello_parse(h, text, strlen(text), at_end);
}

static void our_hello_is_understood(void **state)
{
	struct buf line = BUF_INIT;
	struct blobwire_hello h;

	(void)state;
	for (unsigned caps = 0; caps < 4; caps++) {
		buf_reset(&line);
		assert_int_equal(blobwire_hello_format(&line, caps), 0);
		assert_int_equal(blobwire_hello_parse(&h, line.p, line.len, 0), line.len);
		assert_int_equal(h.protocol, 1);
		assert_int_equal(h.capabilities, caps);
		assert_string_equal(h.program, DVX_VERSION);
		for (size_t i = 0; i < line.len; i++)
			assert_int_equal(blobwire_hello_parse(&h, line.p, i, 0), 0);
	}
	buf_release(&line);
}

static void hellos_of_others(void **state)
{
	struct blobwire_hello h;

	(void)state;
	assert_int_equal(hello(&h, "git-dvx-blobs 1 9.8 no-remove new-thing\n\1\2", 0), 40);
	assert_int_equal(h.capabilities, BLOBWIRE_NO_REMOVE);
	assert_string_equal(h.program, "9.8");
	assert_int_equal(hello(&h, "git-dvx-blobs 2 9.8\n", 0), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_msg(), "9.8"));
	assert_int_equal(hello(&h, "git-dvx-blobs 1\n", 0), ERR_CORRUPT);
	assert_int_equal(hello(&h, "git-dvx-blobs 1 \n", 0), ERR_CORRUPT);
	assert_int_equal(hello(&h, "git-dvx-blobs x 9\n", 0), ERR_CORRUPT);
	assert_int_equal(hello(&h, "git-dvx-blobs 99999999999 9\n", 0), ERR_CORRUPT);
	assert_int_equal(hello(&h, "git-dvx-blobs 1 \1\n", 0), ERR_CORRUPT);
	assert_int_equal(hello(&h, "git-dvx-blobs 1 9 \xc3\xa9\n", 0), ERR_CORRUPT);
	assert_int_equal(blobwire_hello_parse(&h, "git-dvx-blobs 1 \0009\n", 19, 0), ERR_CORRUPT);
}

static void noise_is_shown(void **state)
{
	struct blobwire_hello h;
	char lots[2000];

	(void)state;
	assert_int_equal(hello(&h, "\r\nWelcome\r\nto the machine\n", 0), ERR_CORRUPT);
	assert_string_equal(err_msg(), "Welcome");
	assert_int_equal(hello(&h, "Password: ", 0), 0);
	assert_int_equal(hello(&h, "Password: ", 1), ERR_CORRUPT);
	assert_string_equal(err_msg(), "Password: ");
	assert_int_equal(hello(&h, "", 1), ERR_CORRUPT);
	assert_int_equal(hello(&h, "git-dvx-blo", 1), ERR_CORRUPT);
	memset(lots, 'x', sizeof lots);
	assert_int_equal(blobwire_hello_parse(&h, lots, 1023, 0), 0);
	assert_int_equal(blobwire_hello_parse(&h, lots, 1024, 0), ERR_CORRUPT);
	assert_in_range(strlen(err_msg()), 100, 300);
	assert_int_equal(hello(&h, "\x1b[2J\n", 0), ERR_CORRUPT);
	assert_string_equal(err_msg(), "?[2J");
}

/* ---- frames ---- */

static void a_frame_has_the_bytes_of_the_page(void **state)
{
	static const uint8_t expected[] = {0, 0, 0, 45, 1, 2, 3, 4, 3, 0, 0, 0, 2};
	struct blobwire_request r = {.type = BLOBWIRE_GET,
		.id = 0x01020304,
		.class = 2,
		.offset = 0x1122334455,
		.length = 0x010203};
	struct buf out = BUF_INIT;

	(void)state;
	memset(r.name.id, 0xab, OID_LEN);
	assert_int_equal(blobwire_request_format(&out, &r), 0);
	assert_int_equal(out.len, 12 + 45);
	assert_memory_equal(out.p, expected, sizeof expected);
	assert_memory_equal(out.p + 13, r.name.id, OID_LEN);
	assert_memory_equal(out.p + 45, "\0\0\0\x11\x22\x33\x44\x55\0\1\2\3", 12);
	buf_release(&out);
}

static void frames_come_in_pieces(void **state)
{
	struct buf out = BUF_INIT;
	struct blobwire_frame f;

	(void)state;
	assert_int_equal(blobwire_value_format(&out, BLOBWIRE_DONE, 7, 99), 0);
	for (size_t i = 0; i < out.len; i++)
		assert_int_equal(blobwire_frame_parse(&f, out.p, i), 0);
	assert_int_equal(blobwire_frame_parse(&f, out.p, out.len), out.len);
	assert_int_equal(f.id, 7);
	assert_int_equal(f.len, 8);
	out.p[1] = 4; /* a length of 256 KiB is the most */
	out.p[3] = 0;
	assert_int_equal(blobwire_frame_parse(&f, out.p, 12), 0);
	out.p[3] = 1;
	assert_int_equal(blobwire_frame_parse(&f, out.p, 12), ERR_CORRUPT);
	out.p[1] = 0;
	out.p[9] = 1;
	assert_int_equal(blobwire_frame_parse(&f, out.p, 12), ERR_CORRUPT);
	buf_release(&out);
}

/* ---- requests ---- */

static int parse_request(struct blobwire_request *r, const struct buf *bytes)
{
	struct blobwire_frame f;

	assert_int_equal(blobwire_frame_parse(&f, bytes->p, bytes->len), bytes->len);
	return blobwire_request_parse(r, &f);
}

static void requests_survive_the_wire(void **state)
{
	for (uint8_t type = BLOBWIRE_LIST; type <= BLOBWIRE_PING; type++) {
		struct blobwire_request in = {.type = type,
			.id = UINT32_MAX,
			.listing = 2,
			.class = 3,
			.offset = 1234567890123,
			.length = BLOBWIRE_GET_MAX,
			.size = INT64_MAX,
			.data = "bytes",
			.data_len = 5};
		struct blobwire_request r;
		struct buf out = BUF_INIT;

		(void)state;
		memset(in.name.id, type, OID_LEN);
		assert_int_equal(blobwire_request_format(&out, &in), 0);
		assert_int_equal(parse_request(&r, &out), 0);
		assert_int_equal(r.type, type);
		assert_int_equal(r.id, in.id);
		if (type == BLOBWIRE_LIST)
			assert_int_equal(r.listing, 2);
		if (type == BLOBWIRE_PUT)
			assert_true(r.size == INT64_MAX);
		if (type == BLOBWIRE_GET)
			assert_true(r.offset == in.offset && r.length == in.length);
		if (type == BLOBWIRE_PUT_DATA)
			assert_memory_equal(r.data, "bytes", 5);
		if (r.class)
			assert_true(r.class == 3 && oid_eq(&r.name, &in.name));
		buf_release(&out);
	}
}

static void bad_requests_are_refused(void **state)
{
	struct blobwire_request good = {.type = BLOBWIRE_GET, .id = 1, .class = 1, .length = 1}, r;
	struct blobwire_request bad[5];
	struct buf out = BUF_INIT;
	struct blobwire_frame f = {.type = 99, .id = 5};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		bad[i] = good;
	bad[0].class = 0;
	bad[1].class = 5;
	bad[2].length = 0;
	bad[3].length = BLOBWIRE_GET_MAX + 1;
	bad[4].offset = UINT64_MAX;
	for (size_t i = 0; i < 5; i++) {
		buf_reset(&out);
		assert_int_equal(blobwire_request_format(&out, &bad[i]), 0);
		assert_int_equal(parse_request(&r, &out), ERR_CORRUPT);
	}
	bad[0] = (struct blobwire_request){.type = BLOBWIRE_PING, .id = 0};
	buf_reset(&out);
	assert_int_equal(blobwire_request_format(&out, &bad[0]), 0);
	assert_int_equal(parse_request(&r, &out), ERR_CORRUPT);
	assert_int_equal(blobwire_request_parse(&r, &f), ERR_UNSUPPORTED);
	assert_int_equal(r.id, 5);
	f = (struct blobwire_frame){
		.type = BLOBWIRE_SIZE, .id = 5, .payload = r.name.id, .len = 32};
	assert_int_equal(blobwire_request_parse(&r, &f), ERR_CORRUPT);
	buf_release(&out);
}

/* ---- answers ---- */

static int parse_answer(struct blobwire_answer *a, const struct buf *bytes)
{
	struct blobwire_frame f;

	assert_int_equal(blobwire_frame_parse(&f, bytes->p, bytes->len), bytes->len);
	return blobwire_answer_parse(a, &f);
}

static void answers_survive_the_wire(void **state)
{
	struct blobwire_answer a;
	struct buf out = BUF_INIT;
	char text[3000];

	(void)state;
	assert_int_equal(blobwire_value_format(&out, BLOBWIRE_RECEIVED, 3, 1ULL << 40), 0);
	assert_int_equal(parse_answer(&a, &out), 0);
	assert_true(a.value == 1ULL << 40 && a.id == 3);
	buf_reset(&out);
	assert_int_equal(blobwire_ready_format(&out, 3), 0);
	assert_int_equal(parse_answer(&a, &out), 0);
	buf_reset(&out);
	assert_int_equal(blobwire_error_format(&out, 3, ERR_DENIED, "no"), 0);
	assert_int_equal(parse_answer(&a, &out), 0);
	assert_int_equal(a.code, ERR_DENIED);
	assert_memory_equal(a.data, "no", a.data_len);
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	buf_reset(&out);
	assert_int_equal(blobwire_error_format(&out, 3, ERR_INTERRUPTED, text), 0);
	assert_int_equal(parse_answer(&a, &out), 0);
	assert_int_equal(a.code, ERR_REMOTE);
	assert_int_equal(a.data_len, BLOBWIRE_MESSAGE_MAX);
	buf_reset(&out);
	assert_int_equal(blobwire_value_format(&out, BLOBWIRE_DONE, 3, UINT64_MAX), 0);
	assert_int_equal(parse_answer(&a, &out), ERR_CORRUPT);
	buf_release(&out);
}

static void entries_survive_the_wire(void **state)
{
	struct blobwire_entry in = {.class = BLOBWIRE_NOTICE, .size = 77, .mtime = 1700000000}, e;
	uint8_t bytes[BLOBWIRE_ENTRY_LEN];

	(void)state;
	memset(in.name.id, 9, OID_LEN);
	blobwire_entry_format(bytes, &in);
	assert_int_equal(blobwire_entry_parse(&e, bytes), 0);
	assert_true(e.class == in.class && e.size == 77 && e.mtime == in.mtime &&
		    oid_eq(&e.name, &in.name));
	bytes[33] = 0x80;
	assert_int_equal(blobwire_entry_parse(&e, bytes), ERR_CORRUPT);
	bytes[33] = 0;
	bytes[0] = 0;
	assert_int_equal(blobwire_entry_parse(&e, bytes), ERR_CORRUPT);
}

static void bad_answers_are_refused(void **state)
{
	static const struct {
		uint8_t type;
		size_t len;
	} bad[] = {{BLOBWIRE_ENTRIES, 0}, {BLOBWIRE_ENTRIES, 50}, {BLOBWIRE_DATA, 0},
		{BLOBWIRE_DONE, 7}, {BLOBWIRE_DONE, 9}, {BLOBWIRE_ERROR, 0}, {BLOBWIRE_ERROR, 2002},
		{BLOBWIRE_READY, 1}, {BLOBWIRE_RECEIVED, 0}, {BLOBWIRE_GET, 45}, {0, 0}, {255, 0}};
	static const uint8_t zeros[4096];
	struct blobwire_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct blobwire_frame f = {
			.type = bad[i].type, .id = 1, .payload = zeros, .len = bad[i].len};

		assert_int_equal(blobwire_answer_parse(&a, &f), ERR_CORRUPT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_hello_is_understood),
		cmocka_unit_test(hellos_of_others),
		cmocka_unit_test(noise_is_shown),
		cmocka_unit_test(a_frame_has_the_bytes_of_the_page),
		cmocka_unit_test(frames_come_in_pieces),
		cmocka_unit_test(requests_survive_the_wire),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(answers_survive_the_wire),
		cmocka_unit_test(entries_survive_the_wire),
		cmocka_unit_test(bad_answers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
