/*
 * Cuts an object into chunks for an upload: where its older version (the base) is known, along the
 * chunks of that, so that an edit costs about one chunk; else by the ordinary rule of
 * lib/store/chunker.h.  Pure.  The rule is in docs/transfer.md.
 */
#ifndef TRANSFER_CUTTER_H
#define TRANSFER_CUTTER_H

#include "lib/store/chunker.h"
#include "lib/store/oid.h"
#include "lib/store/oidmap.h"

/* The chunks of a base, in order.  Zero is an empty one. */
struct cutter_base {
	struct cutter_chunk *v;
	size_t n, cap;
	struct oidmap numbers; /* chunk id → the first place where it is */
};

struct cutter_chunk {
	struct oid id;
	uint32_t len; /* 1…CHUNK_MAX */
};

void cutter_base_release(struct cutter_base *b);
/* The next chunk.  0, ERR_NOMEM, or ERR_LIMIT when there are too many already. */
int cutter_base_add(struct cutter_base *b, const struct oid *id, uint32_t len);

/* Where the cutting of one object is. */
struct cutter {
	const struct cutter_base *base;
	size_t next;  /* the base's chunk that should come now; base->n: not along the base */
	size_t until; /* bytes before the place where that one begins */
};

/* cutter_next needs no more than this many bytes at hand. */
enum { CUTTER_SEARCH = 1024 * 1024, CUTTER_AHEAD = CHUNK_MAX + CUTTER_SEARCH + CHUNK_MAX };

/* A new object.  `base` is borrowed; an empty one: all cuts are ordinary. */
void cutter_begin(struct cutter *c, const struct cutter_base *base);
/*
 * Length and id of the chunk that begins at `data`, as chunker_next: 0 means "call again with the
 * same and more", which happens only if !final and len < CUTTER_AHEAD, or len is 0.  The chunks do
 * not depend on how many bytes were at hand.  In CHUNK_MIN bytes no more than three chunks end.
 */
size_t cutter_next(struct cutter *c, const uint8_t *data, size_t len, int final, struct oid *id);

#endif
