/*
 * One run of gc over a blob store (docs/remote-gc.md): its steps, each after the one before.  The
 * command that calls them is gc_main.c.
 */
#ifndef TRANSFER_GC_H
#define TRANSFER_GC_H

#include "transfer/gc/gcview.h"

enum gc_count {
	GC_FRAGMENTS,
	GC_PACKS,
	GC_BYTES,
	GC_OBJECTS,
	GC_MISSING,
	GC_LIVE_BYTES,
	GC_NOTICED_FRAGMENTS,
	GC_NOTICED_PACKS,
	GC_NOTICED_BYTES,
	GC_REMOVED_FRAGMENTS,
	GC_REMOVED_PACKS,
	GC_REMOVED_BYTES,
	GC_RESCUED_FRAGMENTS,
	GC_MERGED_FRAGMENTS,
	GC_REPACKED_BYTES,
	GC_DUE,
	GC_COUNTS
};

struct gc {
	struct blobstore *blobstore;
	struct gcview view;
	int64_t grace;
	int64_t begun; /* listing_clock() when the program started */
	int dry_run;
	int repack;
	uint64_t count[GC_COUNTS];
};

/* Act on the notices that are due, and mark them spent; remove what was spent before. */
int gc_sweep(struct gc *g);
/* Merge fragments and repack packs; what was replaced is then needed by nobody. */
int gc_compact(struct gc *g);
/* Put what nobody needs under notice. */
int gc_mark(struct gc *g);

#endif
