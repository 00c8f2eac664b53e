/*
 * Which object that the store has is most like this one?  Without paths there is no "older version
 * of the same file", so each large object leaves a sketch: the SIMILAR_HASHES smallest hashes of
 * its chunks.  Two objects that share most chunks share most of these (docs/lfs-server.md,
 * "Sketches").  The answer is a hint: a wrong one costs bytes, never correctness.
 *
 * May be called from many threads, and several processes may share the file.
 */
#ifndef TRANSFER_SIMILAR_H
#define TRANSFER_SIMILAR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/store/oid.h"

enum { SIMILAR_HASHES = 8, SIMILAR_RECORDS_MAX = 128 * 1024 };

struct sketch {
	uint64_t hashes[SIMILAR_HASHES]; /* ascending */
	unsigned n;
};

/* The sketch of the bytes in a file, from its start to its end.  0, ERR_IO, ERR_NOMEM. */
int sketch_of_file(struct sketch *out, int fd);

struct similar;

/* With the sketches in `path`; a file that is not there yet is made at the first similar_add, a
 * damaged one is cut where the damage begins.  0, ERR_IO, ERR_NOMEM. */
int similar_open(struct similar **out, const char *path);
void similar_close(struct similar *s);
/* Take up what other processes added since. */
int similar_refresh(struct similar *s);
/* The object that shares most hashes, of equals the one added last, never `self`: 1, or 0 when
 * none shares any. */
int similar_find(
	struct similar *s, const struct sketch *k, const struct oid *self, struct oid *base);
/* Both for the object in `file`: its sketch, and *base (malloc'ed, the caller's) unless there is
 * none.  Best effort, without a message. */
void similar_base(struct similar *s, const char *file, const struct oid *self, struct sketch *k,
	struct oid **base);
/* From now on it is found.  One that is known already is not added twice.  0, ERR_IO, ERR_NOMEM. */
int similar_add(struct similar *s, const struct oid *oid, const struct sketch *k);

#endif
