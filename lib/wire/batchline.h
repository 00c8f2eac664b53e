/*
 * The lines of the batch protocol (docs/agent-protocol.md), both directions: pure parsing and
 * formatting.  The client is batch.c, the server is git-dvx-transfer.
 */
#ifndef LIB_WIRE_BATCHLINE_H
#define LIB_WIRE_BATCHLINE_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

enum {
	BATCH_LINE_MAX = 16384,	      /* bytes of a line, LF included */
	BATCH_REQUESTS_MAX = 16777216 /* of one run */
};

#define BATCH_SIZE_UNKNOWN UINT64_MAX

struct batch_request {
	struct oid oid;
	uint64_t size; /* BATCH_SIZE_UNKNOWN: whatever the remote has under that id */
	struct oid base;
	int has_base;
	const char *path; /* decoded, inside the line that was parsed; NULL: none */
};

/* Parse one request; `line` (without its LF, NUL-terminated at line[len]) is changed by the
 * decoding. 0 or ERR_INVALID. */
int batch_request_parse(struct batch_request *out, char *line, size_t len);
/* Append one request with its LF.  0, ERR_LIMIT (path too long), ERR_NOMEM. */
int batch_request_format(struct buf *out, const struct batch_request *r);

enum batch_answer_kind {
	BATCH_ANSWER_UNKNOWN = 0, /* a word of a later version: skip */
	BATCH_ANSWER_REMOTE,
	BATCH_ANSWER_OK,
	BATCH_ANSWER_PRESENT,
	BATCH_ANSWER_ERROR,
	BATCH_ANSWER_PROGRESS,
	BATCH_ANSWER_FATAL,
	BATCH_ANSWER_DONE
};

struct batch_answer {
	enum batch_answer_kind kind;
	struct oid oid;	  /* OK, PRESENT, ERROR */
	uint64_t objects; /* PROGRESS */
	uint64_t bytes;	  /* OK, PROGRESS */
	int code;	  /* ERROR, FATAL: negative enum err */
	const char *text; /* REMOTE: its name; ERROR, FATAL: message; decoded, inside the line */
};

/* As batch_request_parse. */
int batch_answer_parse(struct batch_answer *out, char *line, size_t len);
/* Append one answer with its LF; a text that is too long is cut.  0 or ERR_NOMEM. */
int batch_answer_format(struct buf *out, const struct batch_answer *a);

/* Names of error codes, "notfound"…: what is none of ours is "remote". */
const char *batch_code_name(int code);
int batch_code_of_name(const char *name, size_t len);

#endif
