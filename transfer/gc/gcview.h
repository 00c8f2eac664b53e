/*
 * What a gc knows: every fragment and pack of a blob store, every needed object, and which fragment
 * each is to be had from (docs/remote-gc.md).  In memory; asks for one listing of packs.
 */
#ifndef TRANSFER_GCVIEW_H
#define TRANSFER_GCVIEW_H

#include "transfer/blob/blobstore.h"

#define GCVIEW_NOWHERE UINT32_MAX

struct gcview_pack {
	struct oid name;
	uint64_t size;
	int64_t mtime;
	uint64_t live; /* bytes of it that needed objects lie in */
	int gone;      /* removed by this run */
	int repacked;  /* by this run */
};

/* Of each fragment, by its number in blobstore->fragments. */
struct gcview_fragment {
	size_t placed; /* needed objects that are to be had from here */
	size_t held; /* needed objects that only fragments like this one name, without all packs */
};

/* Where a needed object is to be had from: the youngest fragment that is not under notice and
 * whose packs are there. */
struct gcview_place {
	uint32_t fragment; /* GCVIEW_NOWHERE: none */
	uint32_t index;	   /* of the object in it */
	int condemned;	   /* at least a fragment under notice has it whole */
};

struct gcview_range {
	uint32_t pack, offset, length;
};

struct gcview {
	struct blobstore *blobstore;
	const struct oidmap *needed; /* id → number */
	struct gcview_pack *packs;
	size_t n_packs, cap_packs;
	struct oidmap pack_numbers;
	struct gcview_fragment *fragments;
	uint32_t *order; /* numbers of fragments that are not under notice, youngest first */
	size_t n_order;
	struct gcview_place *places; /* by number of needed object */
	struct gcview_range *live;   /* what needed objects lie in: sorted, apart from each other */
	size_t n_live;
};

/* `b` has all its fragments in memory. */
int gcview_open(struct gcview *v, struct blobstore *b, const struct oidmap *needed);
void gcview_release(struct gcview *v);
/* Find the places anew: fragments have come or gone. */
int gcview_assign(struct gcview *v);
/* A pack that was put just now. */
int gcview_add_pack(struct gcview *v, const struct oid *name, uint64_t size);
/* NULL: it is not there. */
struct gcview_pack *gcview_pack(const struct gcview *v, const struct oid *name);

/* 1 when every needed object of fragment `i` is to be had from another one that is not under
 * notice. */
int gcview_is_covered(const struct gcview *v, size_t i);
/* A byte for each pack: 1 when a fragment names it.  `condemned`: those under notice count, too;
 * `leaving` (may be NULL, by fragment): those marked do not.  The caller's to free(). */
int gcview_named_packs(
	const struct gcview *v, int condemned, const uint8_t *leaving, uint8_t **out);

#endif
