/*
 * New packs and fragments never get a name that is under notice: whoever removes that name later
 * would remove them (docs/remote-gc.md).
 */
#ifndef TRANSFER_FRESH_H
#define TRANSFER_FRESH_H

#include "lib/store/fragment.h"
#include "lib/store/pack.h"
#include "transfer/blob/listing.h"

/* Begin a pack: with random bytes while any pack is under notice. */
int fresh_pack(const struct listing *l, struct pack_writer *w);
/* As fragment_writer_finish; with a random, empty object more if need be. */
int fresh_fragment(
	const struct listing *l, struct fragment_writer *w, struct buf *bytes, struct oid *name);

#endif
