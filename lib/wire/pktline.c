/*
 * Git's packet framing for the filter process and the SSH protocols (see pktline.h).  Both
 * directions are buffered: Git answers a burst of small requests with one write, and a burst of
 * small packets costs us one read.
 */
#include "lib/wire/pktline.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PKT_HEADER = 4,
	PKT_MAX = PKT_HEADER + PKT_PAYLOAD_MAX,
	BUFFER_SIZE = 2 * PKT_MAX /* a whole packet always fits behind the rest of another */
};

int pkt_reader_init(struct pkt_reader *r, int fd)
{
	*r = (struct pkt_reader){.fd = fd, .cap = BUFFER_SIZE};
	r->buffer = malloc(r->cap + 1);
	if (!r->buffer)
		return err_set(ERR_NOMEM, "out of memory");
	r->buffer[r->cap] = '\0'; /* sanitizers want an end behind what strndup gets */
	return 0;
}

void pkt_reader_release(struct pkt_reader *r)
{
	free(r->buffer);
	r->buffer = NULL;
	r->start = r->end = r->cap = 0;
}

/* One read() into the free room.  The count, 0 at the end, or an error. */
static ssize_t read_some(struct pkt_reader *r)
{
	for (;;) {
		struct pollfd p = {.fd = r->fd, .events = POLLIN};
		int rc = r->wait ? r->wait(r->fd, POLLIN, r->wait_data) : 0;
		ssize_t n;

		if (rc < 0)
			return rc;
		n = read(r->fd, r->buffer + r->end, r->cap - r->end);
		if (n >= 0)
			return n;
		if (errno == EAGAIN)
			poll(&p, 1, -1);
		else if (errno != EINTR)
			return err_sys("read failed");
	}
}

/* Have at least `want` bytes buffered.  1; 0 at a clean end (nothing buffered at all); negative. */
static int fill(struct pkt_reader *r, size_t want)
{
	while (r->end - r->start < want) {
		ssize_t n;

		if (r->cap - r->start < want) {
			memmove(r->buffer, r->buffer + r->start, r->end - r->start);
			r->end -= r->start;
			r->start = 0;
		}
		n = read_some(r);
		if (n < 0)
			return (int)n;
		if (n == 0 && r->end == r->start)
			return 0;
		if (n == 0)
			return err_set(ERR_CORRUPT, "the stream ends inside a packet");
		r->end += (size_t)n;
	}
	return 1;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The length in a packet's header, or ERR_CORRUPT. */
static int parse_length(const uint8_t *header)
{
	int length = 0;

	for (int i = 0; i < PKT_HEADER; i++) {
		int digit = hex_digit(header[i]);

		if (digit < 0)
			return err_set(ERR_CORRUPT, "bad packet length");
		length = length << 4 | digit;
	}
	if (length > PKT_MAX || length == 2 || length == 3)
		return err_set(ERR_CORRUPT, "bad packet length %d", length);
	return length;
}

int pkt_read(struct pkt_reader *r, const uint8_t **data, size_t *len)
{
	int rc, length;

	*data = NULL;
	*len = 0;
	if (r->start == r->end)
		r->start = r->end = 0;
	rc = fill(r, PKT_HEADER);
	if (rc <= 0)
		return rc < 0 ? rc : PKT_EOF;
	length = parse_length(r->buffer + r->start);
	if (length < 0)
		return length;
	if (length < PKT_HEADER) {
		r->start += PKT_HEADER;
		return length ? PKT_DELIM : PKT_FLUSH;
	}
	rc = fill(r, (size_t)length);
	if (rc < 0)
		return rc;
	*data = r->buffer + r->start + PKT_HEADER;
	*len = (size_t)length - PKT_HEADER;
	r->start += (size_t)length;
	return PKT_DATA;
}

int pkt_writer_init(struct pkt_writer *w, int fd)
{
	*w = (struct pkt_writer){.fd = fd, .cap = BUFFER_SIZE};
	w->buffer = malloc(w->cap);
	return w->buffer ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void pkt_writer_release(struct pkt_writer *w)
{
	free(w->buffer);
	w->buffer = NULL;
	w->len = w->cap = 0;
}

static int write_patiently(struct pkt_writer *w)
{
	for (size_t done = 0; done < w->len;) {
		int rc = w->wait(w->fd, POLLOUT, w->wait_data);
		ssize_t n;

		if (rc < 0)
			return rc;
		n = write(w->fd, w->buffer + done, w->len - done);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys("write failed");
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int pkt_out_flush(struct pkt_writer *w)
{
	int rc = w->wait ? write_patiently(w) : fs_write_full(w->fd, w->buffer, w->len);

	w->len = 0;
	return rc;
}

static void put_header(uint8_t *out, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < PKT_HEADER; i++)
		out[i] = (uint8_t)digits[length >> (12 - 4 * i) & 15];
}

/* Room for a packet with `payload` bytes, header written; *at is where the payload goes. */
static int begin_packet(struct pkt_writer *w, size_t payload, uint8_t **at)
{
	if (w->cap - w->len < PKT_HEADER + payload) {
		int rc = pkt_out_flush(w);

		if (rc < 0)
			return rc;
	}
	put_header(w->buffer + w->len, PKT_HEADER + payload);
	*at = w->buffer + w->len + PKT_HEADER;
	w->len += PKT_HEADER + payload;
	return 0;
}

int pkt_write(struct pkt_writer *w, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		size_t n = len < PKT_PAYLOAD_MAX ? len : PKT_PAYLOAD_MAX;
		uint8_t *at;
		int rc = begin_packet(w, n, &at);

		if (rc < 0)
			return rc;
		memcpy(at, p, n);
		p += n;
		len -= n;
	}
	return 0;
}

int pkt_write_line(struct pkt_writer *w, const char *text)
{
	size_t len = strlen(text);
	uint8_t *at;
	int rc;

	if (len >= PKT_PAYLOAD_MAX)
		return err_set(ERR_LIMIT, "line of %zu bytes is too long for a packet", len);
	rc = begin_packet(w, len + 1, &at);
	if (rc < 0)
		return rc;
	memcpy(at, text, len);
	at[len] = '\n';
	return 0;
}

/* A packet that is nothing but its header. */
static int write_mark(struct pkt_writer *w, size_t length)
{
	if (w->cap - w->len < PKT_HEADER) {
		int rc = pkt_out_flush(w);

		if (rc < 0)
			return rc;
	}
	put_header(w->buffer + w->len, length);
	w->len += PKT_HEADER;
	return 0;
}

int pkt_write_flush(struct pkt_writer *w)
{
	return write_mark(w, 0);
}

int pkt_write_delim(struct pkt_writer *w)
{
	return write_mark(w, 1);
}
