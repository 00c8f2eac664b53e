/*
 * Any bytes as a stream of packets: never a crash, never a payload longer than the format allows,
 * and what was read, written again, reads the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/wire/pktline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* A file in memory with these bytes, at its start. */
static int file_of(const void *data, size_t size)
{
	int fd = memfd_create("packets", MFD_CLOEXEC);

	require(fd >= 0 && fs_write_full(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Read packets from `fd`; their payloads in `all` with a mark for each, and again through `w` (may
 * be NULL). What ended it: PKT_EOF or an error. */
static int read_packets(int fd, struct buf *all, struct pkt_writer *w)
{
	struct pkt_reader r;
	const uint8_t *payload;
	size_t len;
	int kind;

	require(pkt_reader_init(&r, fd) == 0);
	while ((kind = pkt_read(&r, &payload, &len)) > 0) {
		require(len <= PKT_PAYLOAD_MAX && (kind == PKT_DATA || len == 0));
		require(buf_add(all, payload, len) == 0);
		if (kind == PKT_DATA && len == 0)
			continue; /* our writer makes none */
		require(buf_addch(all, (char)kind) == 0);
		if (w && kind == PKT_DATA)
			require(pkt_write(w, payload, len) == 0);
		else if (w && kind == PKT_DELIM)
			require(pkt_write_delim(w) == 0);
		else if (w)
			require(pkt_write_flush(w) == 0);
	}
	pkt_reader_release(&r);
	return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	int in = file_of(data, size), out = file_of("", 0);
	struct pkt_writer w;

	require(pkt_writer_init(&w, out) == 0);
	read_packets(in, &first, &w);
	require(pkt_out_flush(&w) == 0 && lseek(out, 0, SEEK_SET) == 0);
	require(read_packets(out, &second, NULL) == PKT_EOF);
	require(first.len == second.len);
	require(first.len == 0 || memcmp(first.p, second.p, first.len) == 0);
	pkt_writer_release(&w);
	buf_release(&first);
	buf_release(&second);
	close(in);
	close(out);
	return 0;
}
