/*
 * A hash map from object ids to 32-bit numbers (mostly places in an array of the caller).  Ids are
 * hashes already, so their first bytes are the hash; open addressing keeps it one array, cheap to
 * fill with 100,000 ids.
 */
#ifndef LIB_STORE_OIDMAP_H
#define LIB_STORE_OIDMAP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/store/oid.h"

struct oidmap_slot;

struct oidmap {
	struct oidmap_slot *slots; /* NULL: empty */
	size_t n;
	size_t mask; /* number of slots - 1 */
};

#define OIDMAP_INIT                                                                                \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void oidmap_release(struct oidmap *m);
/* Make room for `n` ids in all.  0 or ERR_NOMEM. */
int oidmap_reserve(struct oidmap *m, size_t n);
/* Put an id that is not there yet: 1.  One that is there keeps its value: 0.  Or ERR_NOMEM. */
int oidmap_add(struct oidmap *m, const struct oid *id, uint32_t value);
/* Put or replace: 1 when it is new, else 0.  Or ERR_NOMEM. */
int oidmap_set(struct oidmap *m, const struct oid *id, uint32_t value);
/* 1 and *value (may be NULL), or 0. */
int oidmap_get(const struct oidmap *m, const struct oid *id, uint32_t *value);

#endif
