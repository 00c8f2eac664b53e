/*
 * Which ranges to read for many small objects: neighbours in a pack are read together.  Pure.
 */
#ifndef TRANSFER_PLAN_H
#define TRANSFER_PLAN_H

#include "lib/store/oid.h"

/* Bytes that are wanted, and for whom. */
struct plan_item {
	struct oid pack;
	uint64_t offset;
	uint32_t length;
	size_t tag; /* the caller's */
};

/* One read: the items [first, first + n) of the sorted list lie in it. */
struct plan_run {
	size_t first, n;
	uint64_t offset;
	uint64_t length;
};

/* Sort `items` by pack and offset, and join neighbours with at most `gap` bytes between them into
 * reads of at most `max` bytes (an item longer than that is a read of its own).  Items may overlap.
 * `runs` has room for n.  Returns the number of runs. */
size_t plan_runs(
	struct plan_item *items, size_t n, uint64_t gap, uint64_t max, struct plan_run *runs);

#endif
