/*
 * The protocol of blobs over SSH (docs/ssh-protocol.md), both halves: hello lines, frames, requests
 * and answers, to and from bytes.  Pure; whatever the bytes are, nothing is read or written outside
 * of them.
 */
#ifndef LIB_WIRE_BLOBWIRE_H
#define LIB_WIRE_BLOBWIRE_H

#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/store/oid.h"

enum {
	BLOBWIRE_PROTOCOL = 1,
	BLOBWIRE_HELLO_MAX = 1024, /* bytes of the line, LF included */
	BLOBWIRE_HEADER_LEN = 12,
	BLOBWIRE_PAYLOAD_MAX = 256 * 1024,
	BLOBWIRE_FRAME_MAX = BLOBWIRE_HEADER_LEN + BLOBWIRE_PAYLOAD_MAX,
	BLOBWIRE_ENTRY_LEN = 1 + OID_LEN + 8 + 8,
	BLOBWIRE_ENTRIES_MAX = BLOBWIRE_PAYLOAD_MAX / BLOBWIRE_ENTRY_LEN, /* of a frame */
	BLOBWIRE_LISTING_MAX = 16 * 1024 * 1024,			  /* entries of a listing */
	BLOBWIRE_MESSAGE_MAX = 2000,
	BLOBWIRE_GET_MAX = 64 * 1024 * 1024,
	BLOBWIRE_REQUESTS_MAX = 128, /* without a last answer */
	BLOBWIRE_PUTS_MAX = 32	     /* among them */
};

/* ---- hello ---- */

enum blobwire_capability { BLOBWIRE_READ_ONLY = 1, BLOBWIRE_NO_REMOVE = 2 };

struct blobwire_hello {
	unsigned protocol;
	unsigned capabilities; /* of enum blobwire_capability; unknown ones are left out */
	char program[64];      /* its version */
};

/* Append our line.  0 or ERR_NOMEM. */
int blobwire_hello_format(struct buf *out, unsigned capabilities);
/* Read the other side's line from the front of what has arrived.  Its length; 0 when more bytes are
 * needed; ERR_CORRUPT when it is something else, with the first line of that as the message;
 * ERR_UNSUPPORTED for another protocol.  `at_end`: no more bytes will come. */
ssize_t blobwire_hello_parse(struct blobwire_hello *out, const void *p, size_t len, int at_end);

/* ---- frames ---- */

enum blobwire_type {
	/* requests */
	BLOBWIRE_LIST = 1,
	BLOBWIRE_SIZE = 2,
	BLOBWIRE_GET = 3,
	BLOBWIRE_PUT = 4,
	BLOBWIRE_PUT_DATA = 5,
	BLOBWIRE_COMMIT = 6,
	BLOBWIRE_REMOVE = 7,
	BLOBWIRE_PING = 8,
	/* answers */
	BLOBWIRE_ENTRIES = 65,
	BLOBWIRE_DATA = 66,
	BLOBWIRE_DONE = 67,
	BLOBWIRE_ERROR = 68,
	BLOBWIRE_READY = 69,
	BLOBWIRE_RECEIVED = 70
};

struct blobwire_frame {
	uint8_t type;
	uint32_t id;
	const uint8_t *payload; /* borrowed from the bytes that were parsed */
	size_t len;
};

/* The frame at the front of what has arrived.  Its length; 0 when more bytes are needed;
 * ERR_CORRUPT. */
ssize_t blobwire_frame_parse(struct blobwire_frame *out, const void *p, size_t len);
/* The header of a frame with `len` bytes of payload (at most BLOBWIRE_PAYLOAD_MAX). */
void blobwire_header(
	uint8_t out[static BLOBWIRE_HEADER_LEN], uint8_t type, uint32_t id, size_t len);

/* ---- what is in them ---- */

enum blobwire_class {
	BLOBWIRE_PACK = 1,
	BLOBWIRE_FRAGMENT = 2,
	BLOBWIRE_NOTICE = 3,
	BLOBWIRE_RUNS = 4
};
enum blobwire_listing { BLOBWIRE_FRAGMENTS = 1, BLOBWIRE_PACKS = 2, BLOBWIRE_RUN_BUNDLES = 3 };

struct blobwire_request {
	uint8_t type;
	uint32_t id;
	uint8_t listing;  /* LIST */
	uint8_t class;	  /* SIZE, GET, PUT, REMOVE */
	struct oid name;  /* the same */
	uint64_t offset;  /* GET; at most INT64_MAX */
	uint32_t length;  /* GET; 1 to BLOBWIRE_GET_MAX */
	uint64_t size;	  /* PUT; at most INT64_MAX */
	const void *data; /* PUT_DATA, borrowed */
	size_t data_len;
};

/* 0; ERR_UNSUPPORTED for a type that is no request (id is set); ERR_CORRUPT. */
int blobwire_request_parse(struct blobwire_request *out, const struct blobwire_frame *f);
/* Append a request (PUT_DATA with its data) as a frame.  0 or ERR_NOMEM. */
int blobwire_request_format(struct buf *out, const struct blobwire_request *r);

struct blobwire_entry {
	uint8_t class;
	struct oid name;
	uint64_t size; /* at most INT64_MAX */
	int64_t mtime;
};

struct blobwire_answer {
	uint8_t type;
	uint32_t id;
	uint64_t value;	     /* DONE (at most INT64_MAX), RECEIVED */
	int code;	     /* ERROR: negative enum err; what is unknown or the far side's own
				business is ERR_REMOTE */
	const uint8_t *data; /* DATA: the bytes.  ENTRIES: for blobwire_entry_parse.  ERROR: the
				message, not terminated.  Borrowed. */
	size_t data_len;
};

/* 0 or ERR_CORRUPT. */
int blobwire_answer_parse(struct blobwire_answer *out, const struct blobwire_frame *f);
/* Entry `i` of an ENTRIES answer, of which there are data_len / BLOBWIRE_ENTRY_LEN.  0 or
 * ERR_CORRUPT. */
int blobwire_entry_parse(struct blobwire_entry *out, const uint8_t p[static BLOBWIRE_ENTRY_LEN]);

/* Append a frame.  0 or ERR_NOMEM.  A message that is too long is cut. */
int blobwire_value_format(struct buf *out, uint8_t type, uint32_t id, uint64_t value);
int blobwire_ready_format(struct buf *out, uint32_t id);
int blobwire_error_format(struct buf *out, uint32_t id, int code, const char *message);
void blobwire_entry_format(uint8_t out[static BLOBWIRE_ENTRY_LEN], const struct blobwire_entry *e);

#endif
