/*
 * Looking at everything that the local store has, and cleaning it up: removing what the caller says
 * nobody needs, and merging small packs (docs/local-store.md, "Cleaning up").  Alternates are never
 * touched, nor is a store that does not lie below the repository's own Git directory.
 */
#ifndef LIB_STORE_STORE_GC_H
#define LIB_STORE_STORE_GC_H

#include <stddef.h>
#include <stdint.h>

#include "lib/store/store.h"

/* A copy of an object. */
struct store_item {
	struct oid oid;
	uint64_t size;	 /* of the object */
	uint64_t stored; /* bytes that it takes */
	int64_t mtime;	 /* of its file, ns */
	int packed;
};
/* Visit each copy in our own part of the store (an object may lie whole and in several packs) until
 * fn returns non-zero, which is returned. */
int store_each(struct store *s, int (*fn)(const struct store_item *i, void *data), void *data);

struct store_size {
	uint64_t whole, whole_bytes;
	uint64_t packs, pack_bytes;
};
/* How many files there are, and their bytes. */
int store_measure(struct store *s, struct store_size *out);

/* ---- cleaning up ---- */

enum store_fate {
	STORE_KEEP,
	STORE_DROP_OLD, /* when it was stored before `older_than` */
	STORE_DROP	/* when it was stored before store_gc_begin */
};

struct store_gc_options {
	enum store_fate (*fate)(const struct oid *oid, void *data);
	void *data;
	int64_t older_than; /* ns since 1970, by store_gc_time's clock */
	int dry_run;
	const volatile int *stop; /* may be NULL */
};

struct store_gc_result {
	size_t dropped; /* objects */
	uint64_t dropped_bytes;
	size_t young; /* kept because they are younger than older_than */
	uint64_t young_bytes;
	size_t busy_packs;    /* left alone: somebody is writing them */
	size_t damaged_packs; /* left alone: fsck's business */
	size_t packs_before, packs_after;
	size_t temps;	/* stale temporary files */
	uint64_t freed; /* bytes of files, net */
	int foreign;	/* whole objects were left alone: they lie outside of the repository */
};

struct store_gc;

/* Wait (up to `wait_ms`) until nobody is storing anything, and note the time: what Git refers to
 * has to be read after this.  ERR_LOCKED when somebody goes on. */
int store_gc_begin(struct store_gc **out, struct store *s, int wait_ms);
/* The time of store_gc_begin by the file system's clock, ns. */
int64_t store_gc_time(const struct store_gc *g);
/* Drop and merge.  ERR_CHANGED: somebody relied on an object that was stored before, since
 * store_gc_begin; nothing was removed, begin anew.  ERR_LOCKED as above. */
int store_gc_run(struct store_gc *g, const struct store_gc_options *o, struct store_gc_result *r);
void store_gc_free(struct store_gc *g);

/* ---- damage ---- */

/* Check every pack of our own: name, index, each entry down to its SHA-256.  fn is told of each
 * damage, with a message that names the file; non-zero of it stops and is returned.  A torn end is
 * none. */
int store_check_packs(struct store *s, const volatile int *stop,
	int (*fn)(const char *pack, const char *message, void *data), void *data);
/* Check the records of fast sums, and with `remove` remove the bad ones: they are made anew.
 * Calls fn with the path of each bad one. */
int store_check_sums(
	struct store *s, int remove, int (*fn)(const char *path, void *data), void *data);

/* Move a damaged whole object (or a pack, by its file name) to ".git/dvx/bad/"; the path there is
 * appended to *to.  What is good in the pack is saved to a new one before.  ERR_LOCKED: somebody
 * writes the pack.  ERR_NOTFOUND. */
int store_set_aside(struct store *s, const struct oid *oid, struct buf *to);
int store_set_pack_aside(struct store *s, const char *name, struct buf *to);

#endif
