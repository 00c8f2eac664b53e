/*
 * What an upload knows of packs and chunks: the packs of this run and those it may refer to, and
 * for each known chunk where it lies.  Pure bookkeeping; packer.c does the writing.
 */
#ifndef TRANSFER_PACKTABLE_H
#define TRANSFER_PACKTABLE_H

#include "lib/store/fragment.h"
#include "lib/store/oidmap.h"
#include "lib/store/pack.h"

struct known_pack {
	struct oid name; /* valid once size is not 0 */
	uint64_t size;	 /* 0: still being written */
	int ours;	 /* put by this run, or by a killed one of this clone */
	int named;	 /* by a fragment of this run */
};

struct packtable {
	struct known_pack *packs;
	size_t n_packs, cap_packs;
	struct oidmap by_name;		/* pack name → number */
	struct fragment_extent *places; /* `pack` is a number in this table */
	size_t n_places, cap_places;
	struct oidmap chunks; /* chunk id → number of its place */
};

void packtable_release(struct packtable *t);
/* A pack that is to be written: its number, or a negative error. */
int packtable_begin(struct packtable *t);
/* It has its name now. */
int packtable_name(struct packtable *t, uint32_t pack, const struct oid *name, uint64_t size);
/* A pack that is on the remote with all its chunks.  1, or 0 when it was known. */
int packtable_add(struct packtable *t, const struct oid *name, uint64_t size,
	const struct pack_index *x, int ours);
/* 1 if a pack of this name is known. */
int packtable_has(const struct packtable *t, const struct oid *name);
/* A chunk; one that is known stays where it is. */
int packtable_add_chunk(
	struct packtable *t, const struct oid *id, const struct fragment_extent *at);
/* 1 and its place, or 0. */
int packtable_find(const struct packtable *t, const struct oid *id, struct fragment_extent *at);

/* Extents of objects as they grow: adjacent ones of one object are joined. */
struct extents {
	struct fragment_extent *v;
	size_t n, cap;
	size_t first; /* of the object at hand */
};
void extents_release(struct extents *x);
int extents_add(struct extents *x, const struct fragment_extent *e);

#endif
