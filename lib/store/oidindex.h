/*
 * Finds elements of the caller's array by object id.  The ids stay in the array alone, so that an
 * element costs some ten bytes here where it takes fifty in an oidmap: for arrays that may have a
 * million elements.
 */
#ifndef LIB_STORE_OIDINDEX_H
#define LIB_STORE_OIDINDEX_H

#include <stddef.h>
#include <stdint.h>

#include "lib/store/oid.h"

struct oidindex_slot;

/* Zero: empty. */
struct oidindex {
	struct oidindex_slot *slots;
	size_t n;
	size_t mask; /* number of slots - 1 */
};

/* The array as it is at the moment: each element of `size` bytes begins with its id. */
struct oidarray {
	const void *v;
	size_t size;
};

#define OIDARRAY(v) ((struct oidarray){(v), sizeof(*(v))})

void oidindex_release(struct oidindex *x);
/* Make room for `n` elements in all.  0 or ERR_NOMEM. */
int oidindex_reserve(struct oidindex *x, size_t n);
/* Element `number` of the array is new: 1.  If another has its id, that one is found as before: 0.
 * Or ERR_NOMEM. */
int oidindex_add(struct oidindex *x, struct oidarray a, uint32_t number);
/* The same, but from now on element `number` is found. */
int oidindex_set(struct oidindex *x, struct oidarray a, uint32_t number);
/* 1 and *number (may be NULL), or 0. */
int oidindex_get(
	const struct oidindex *x, struct oidarray a, const struct oid *id, uint32_t *number);

#endif
