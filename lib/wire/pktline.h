/*
 * Git's pkt-line framing (gitprotocol-common, gitprotocol-long-running-process): four hex digits of
 * length, payload up to 65516 bytes; "0000" flush, "0001" delimiter.  Buffered on both sides.
 */
#ifndef LIB_WIRE_PKTLINE_H
#define LIB_WIRE_PKTLINE_H

#include <stddef.h>
#include <stdint.h>

enum { PKT_PAYLOAD_MAX = 65516 };

enum pkt_kind { PKT_EOF = 0, PKT_DATA = 1, PKT_FLUSH = 2, PKT_DELIM = 3 };

/* Set by whoever must not wait for ever: called before each read or write of the descriptor, which
 * does not block, until that can go on (poll's events).  Negative: given up, with that error. */
typedef int pkt_wait_fn(int fd, short events, void *data);

struct pkt_reader {
	int fd;
	uint8_t *buffer; /* several packets are read at once */
	size_t start, end, cap;
	pkt_wait_fn *wait; /* NULL: wait as long as it takes */
	void *wait_data;
};
struct pkt_writer {
	int fd;
	uint8_t *buffer; /* gathered until pkt_out_flush or full */
	size_t len, cap;
	pkt_wait_fn *wait;
	void *wait_data;
};

int pkt_reader_init(struct pkt_reader *r, int fd);
void pkt_reader_release(struct pkt_reader *r);
/* Next packet.  An enum pkt_kind; PKT_EOF only between packets.  Negative: ERR_CORRUPT (bad length,
 * end inside a packet), ERR_IO, what `wait` returned.  The payload is borrowed until the next call.
 */
int pkt_read(struct pkt_reader *r, const uint8_t **data, size_t *len);

int pkt_writer_init(struct pkt_writer *w, int fd);
void pkt_writer_release(struct pkt_writer *w);
/* Any length: cut into packets. */
int pkt_write(struct pkt_writer *w, const void *data, size_t len);
/* "text\n" as one packet. */
int pkt_write_line(struct pkt_writer *w, const char *text);
/* A "0000" packet; a "0001" packet. */
int pkt_write_flush(struct pkt_writer *w);
int pkt_write_delim(struct pkt_writer *w);
/* Send what is gathered. */
int pkt_out_flush(struct pkt_writer *w);

#endif
