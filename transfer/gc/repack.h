/*
 * Copies what is alive in packs into new ones, entry by entry, as it is stored (docs/remote-gc.md,
 * "Compaction").
 */
#ifndef TRANSFER_REPACK_H
#define TRANSFER_REPACK_H

#include "transfer/gc/gcview.h"
#include "transfer/blob/packtable.h"

struct repack;

int repack_new(struct repack **out, struct gcview *v);
void repack_free(struct repack *r);

/* Copy the live entries of a pack, each decoded and its hash compared.  0, or ERR_CORRUPT with the
 * place of what is bad. */
int repack_copy(struct repack *r, uint32_t pack);
/* Everything that was copied is durable. */
int repack_finish(struct repack *r);
/* How many packs were written, bytes of entries in them; and the i-th. */
size_t repack_packs(const struct repack *r, uint64_t *bytes);
void repack_pack_at(const struct repack *r, size_t i, struct oid *name, uint64_t *size);

/* Where the entries of an extent of a pack that was copied lie now: appended to `out`, `pack` being
 * a number for repack_pack_at. */
int repack_translate(const struct repack *r, const struct gcview_range *from, struct extents *out);

#endif
