/*
 * Whole objects that were read not long ago, "<state>/cache/<aa>/<oid>", up to a number of bytes;
 * what was not used for longest goes first.  Nothing in it is flushed to the disk, so it is emptied
 * when the machine was started anew.
 */
#ifndef TRANSFER_DEPOT_CACHE_H
#define TRANSFER_DEPOT_CACHE_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

struct depot_cache;

/* Nothing is made before the first file comes. */
int depot_cache_open(struct depot_cache **out, const char *state, uint64_t max_bytes);
void depot_cache_close(struct depot_cache *c);

/* A descriptor (the caller's) and the size, or ERR_NOTFOUND (without a message).  What another
 * process left is hashed at its first use, and removed when it is not what its name says. */
int depot_cache_get(struct depot_cache *c, const struct oid *oid, uint64_t *size);
/* 1 and *size if it is there, and was hashed by this process. */
int depot_cache_has(struct depot_cache *c, const struct oid *oid, uint64_t *size);
/* Move a checked file in; it is gone from `file` in every case. */
void depot_cache_take(
	struct depot_cache *c, const struct oid *oid, uint64_t size, const char *file);

#endif
