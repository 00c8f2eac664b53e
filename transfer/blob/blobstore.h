/*
 * Objects on a blob store: what is there, sending, fetching (docs/transfer.md).
 */
#ifndef TRANSFER_BLOBSTORE_H
#define TRANSFER_BLOBSTORE_H

#include "lib/store/fragment.h"
#include "lib/store/pack.h"
#include "transfer/blob/cache.h"
#include "transfer/engine.h"
#include "lib/store/oidmap.h"
#include "transfer/blob/listing.h"
#include "transfer/remote/remote.h"

enum {
	FRAGMENT_BYTES_MAX = 256 * 1024 * 1024,
	BLOBSTORE_AT_ONCE = 100 * 1000 /* objects to be located together: hits take memory */
};

struct named_fragment {
	struct oid name;
	uint64_t size;
	int64_t mtime;
	int condemned;		   /* under notice */
	int tried;		   /* reading it was */
	struct fragment *fragment; /* NULL: not read, damaged or gone */
};

/* Names that what was answered depends on. */
struct relied_names {
	struct oidmap known;
	struct oid *v;
	size_t n, cap;
};

struct blobstore {
	struct engine *engine;
	struct remote *remote; /* borrowed */
	struct cache *cache;
	struct named_fragment *fragments;
	size_t n_fragments, cap_fragments;
	size_t n_damaged;
	size_t n_gone; /* listed, but not there any more */
	struct listing listing;
	int wants_now;		       /* the listing is to have the store's time */
	int64_t grace;		       /* seconds: dvx.gcGrace */
	struct relied_names relied[2]; /* by REMOTE_PACK and REMOTE_FRAGMENT */
	pthread_mutex_t lock;	       /* of pack_sizes */
	struct oidmap pack_sizes;      /* asked so far */
};

/* `remote` is borrowed.  Asks nothing yet. */
int blobstore_open(struct blobstore **out, struct engine *e, struct remote *remote);
void blobstore_close(struct blobstore *b);

/* Requests to have in flight at once: what the user said, else what suits the remote. */
int blobstore_parallel(const struct blobstore *b);

/* List the fragments, and have those in memory that are not under notice.  Damaged ones are warned
 * of and left out.  0; ERR_NOTFOUND: no store. */
int blobstore_load(struct blobstore *b);
/* The others as well. */
int blobstore_load_condemned(struct blobstore *b);
/* List again and have everything in memory that was not before. */
int blobstore_load_again(struct blobstore *b);
/* The fragment of this name, NULL if it is not listed.  Borrowed, until the next is adopted. */
struct named_fragment *blobstore_fragment(const struct blobstore *b, const struct oid *name);
/* One fragment, from the cache or the remote, checked. */
int blobstore_read_fragment(
	struct blobstore *b, const struct oid *name, uint64_t size, struct fragment **out);
/* Another fragment is there (it was put just now): from now on as if it had been listed. */
int blobstore_adopt(struct blobstore *b, const struct oid *name, const struct buf *bytes);

/* What follows is right only if this fragment or pack stays. */
int blobstore_rely(struct blobstore *b, enum remote_class c, const struct oid *name);
/* Does all of it stay, for long enough to say so to whoever asked?  Costs nothing for half the
 * grace period after the listing, then a listing.  0; ERR_REMOTE: it is to be tried again. */
int blobstore_check_relied(struct blobstore *b);

/* Where an object is: one for each fragment that names it with the right size. */
struct blob_hit {
	size_t object; /* number in the list that was asked for */
	const struct named_fragment *in;
	struct fragment_object at;
};
/* All hits for the objects in state TRANSFER_OPEN, sorted by object.  *hits is the caller's to
 * free(). */
int blobstore_locate(struct blobstore *b, const struct transfer_object *objects, size_t n,
	struct blob_hit **hits, size_t *n_hits);

/* The first fragment that names this object: 1 and *hit (its `object` is 0), or 0. */
int blobstore_find(const struct blobstore *b, const struct oid *oid, struct blob_hit *hit);

/* 1 if the pack is there with this size, else 0; asked once.  A remote that is not near is believed
 * what its fragments say, unless the engine is to verify: gc removes no pack that one names. */
int blobstore_has_pack(struct blobstore *b, const struct oid *name, uint64_t size);

/* Take the sizes of all packs from one listing, for when many are going to be asked about. */
int blobstore_list_packs(struct blobstore *b);

/* The index at the end of a pack, from the cache or by reading its end. */
int blobstore_pack_index(
	struct blobstore *b, const struct oid *name, uint64_t size, struct pack_index **out);

/* Answer all open objects, or fail as a whole (some may be answered). */
int blobstore_upload(struct blobstore *b, struct transfer_object *objects, size_t n);
/* Answer the open objects that the store names; the others stay open. */
int blobstore_download(struct blobstore *b, struct transfer_object *objects, size_t n);
/* The same from what was loaded before: no listing.  What a pack is missing for stays open, too. */
int blobstore_download_known(struct blobstore *b, struct transfer_object *objects, size_t n);

#endif
