/*
 * pkt-line: framing in both directions, odd chunks, bad lengths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/wire/pktline.h"

/* A reader over these bytes, which must fit into a pipe. */
static void reader_of(struct pkt_reader *r, const void *bytes, size_t len)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fs_write_full(ends[1], bytes, len), 0);
	close(ends[1]);
	assert_int_equal(pkt_reader_init(r, ends[0]), 0);
}

static void reader_done(struct pkt_reader *r)
{
	close(r->fd);
	pkt_reader_release(r);
}

static void assert_packet(struct pkt_reader *r, const char *expected)
{
	const uint8_t *data;
	size_t len;

	assert_int_equal(pkt_read(r, &data, &len), PKT_DATA);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(data, expected, len);
}

static void test_read(void **state)
{
	static const char text[] = "0009hello"
				   "0004"
				   "0001"
				   "00080123"
				   "0000"
				   "000AhELLO!";
	struct pkt_reader r;
	const uint8_t *data;
	size_t len;

	(void)state;
	reader_of(&r, text, sizeof text - 1);
	assert_packet(&r, "hello");
	assert_packet(&r, "");
	assert_int_equal(pkt_read(&r, &data, &len), PKT_DELIM);
	assert_packet(&r, "0123");
	assert_int_equal(pkt_read(&r, &data, &len), PKT_FLUSH);
	assert_packet(&r, "hELLO!");
	assert_int_equal(pkt_read(&r, &data, &len), PKT_EOF);
	assert_int_equal(pkt_read(&r, &data, &len), PKT_EOF);
	reader_done(&r);
}

static void test_bad_input(void **state)
{
	static const char *const table[] = {"0", "00", "000", "0005", "0009hell", "zzzzx",
		"00 9hello", "-001", "0002", "0003", "fff1", "FFFF", "+009hello", "0x09hello"};
	const uint8_t *data;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct pkt_reader r;

		reader_of(&r, table[i], strlen(table[i]));
		assert_int_equal(pkt_read(&r, &data, &len), ERR_CORRUPT);
		reader_done(&r);
	}
}

static void test_read_error(void **state)
{
	struct pkt_reader r;
	const uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(pkt_reader_init(&r, -1), 0);
	assert_int_equal(pkt_read(&r, &data, &len), ERR_IO);
	pkt_reader_release(&r);
}

struct stream {
	int fd;
	const uint8_t *data;
	size_t len;
	int rc;
};

/* Sends the data in lines, cut packets and flushes. */
static void *send_stream(void *arg)
{
	struct stream *s = arg;
	struct pkt_writer w;

	s->rc = pkt_writer_init(&w, s->fd);
	for (size_t at = 0, step = 1; s->rc == 0 && at < s->len; step = step * 7 % 300007) {
		size_t n = step < s->len - at ? step : s->len - at;

		s->rc = pkt_write(&w, s->data + at, n);
		if (s->rc == 0)
			s->rc = pkt_write_flush(&w);
		at += n;
	}
	if (s->rc == 0)
		s->rc = pkt_write_line(&w, "end");
	if (s->rc == 0)
		s->rc = pkt_out_flush(&w);
	pkt_writer_release(&w);
	close(s->fd);
	return NULL;
}

static void test_round_trip(void **state)
{
	enum { SIZE = 3000000 };
	uint8_t *sent = malloc(SIZE + 4), *got = malloc(SIZE + 4);
	struct stream s = {-1, sent, SIZE, 0};
	struct pkt_reader r;
	size_t n = 0, largest = 0;
	int ends[2], kind;
	pthread_t id;

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		sent[i] = (uint8_t)(i * 2654435761u >> 7);
	memcpy(sent + SIZE, "end\n", 4);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s.fd = ends[1];
	assert_int_equal(pthread_create(&id, NULL, send_stream, &s), 0);
	assert_int_equal(pkt_reader_init(&r, ends[0]), 0);
	do {
		const uint8_t *data;
		size_t len;

		kind = pkt_read(&r, &data, &len);
		assert_true(kind >= 0);
		assert_true(n + len <= SIZE + 4);
		if (len)
			memcpy(got + n, data, len);
		n += len;
		largest = len > largest ? len : largest;
	} while (kind != PKT_EOF);
	pthread_join(id, NULL);
	assert_int_equal(s.rc, 0);
	assert_int_equal(n, SIZE + 4);
	assert_int_equal(largest, PKT_PAYLOAD_MAX);
	assert_memory_equal(sent, got, SIZE + 4);
	reader_done(&r);
	free(sent);
	free(got);
}

static void test_written_bytes(void **state)
{
	struct pkt_writer w;
	char got[64] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pkt_writer_init(&w, ends[1]), 0);
	assert_int_equal(pkt_write_line(&w, "status=success"), 0);
	assert_int_equal(pkt_write(&w, "x", 1), 0);
	assert_int_equal(pkt_write(&w, "", 0), 0);
	assert_int_equal(pkt_write_flush(&w), 0);
	assert_int_equal(pkt_write_delim(&w), 0);
	assert_true(read(ends[0], got, sizeof got) < 0); /* gathered until it is sent */
	assert_int_equal(pkt_out_flush(&w), 0);
	assert_int_equal(read(ends[0], got, sizeof got), 32);
	assert_memory_equal(got, "0013status=success\n0005x00000001", 32);
	assert_int_equal(pkt_out_flush(&w), 0);
	close(ends[0]);
	close(ends[1]);
	pkt_writer_release(&w);
}

static void test_line_limit(void **state)
{
	char *text = malloc(PKT_PAYLOAD_MAX + 1);
	struct pkt_writer w;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	memset(text, 'a', PKT_PAYLOAD_MAX);
	text[PKT_PAYLOAD_MAX] = '\0';
	assert_int_equal(pkt_writer_init(&w, fd), 0);
	assert_int_equal(pkt_write_line(&w, text), ERR_LIMIT);
	text[PKT_PAYLOAD_MAX - 1] = '\0';
	assert_int_equal(pkt_write_line(&w, text), 0);
	assert_int_equal(pkt_write_line(&w, text), 0);
	assert_int_equal(pkt_write_line(&w, text), 0);
	assert_int_equal(pkt_out_flush(&w), 0);
	close(fd);
	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	w.fd = fd;
	assert_int_equal(pkt_write_line(&w, "x"), 0);
	assert_int_equal(pkt_out_flush(&w), ERR_IO);
	close(fd);
	pkt_writer_release(&w);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_written_bytes),
		cmocka_unit_test(test_line_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
