/*
 * The part of a clean-up that concerns packs, for store_gc.c and store_damage.c alone: new packs
 * are prepared while others go on working, and put in the place of old ones in one go.
 */
#ifndef LIB_STORE_STORE_MERGE_H
#define LIB_STORE_STORE_MERGE_H

#include "lib/store/store_gc.h"
#include "lib/store/store_internal.h"

enum verdict { VERDICT_KEEP, VERDICT_YOUNG, VERDICT_DROP };
/* What becomes of a copy of this age; `begun`: store_gc_time. */
enum verdict gc_judge(
	const struct store_gc_options *o, int64_t begun, const struct oid *oid, int64_t mtime);

/* New packs that are being written. */
struct repack;
int repack_new(struct repack **out, struct store *s);
/* Removes what was not committed. */
void repack_free(struct repack *k);
/* What follows goes into a pack of its own. */
int repack_next(struct repack *k);
/* Copy an entry, unless it was copied before; it is decoded and hashed on the way. ERR_CORRUPT. */
int repack_add(struct repack *k, const struct pack_file *f, const struct pack_entry *e);
/* The pack at hand is as old as `mtime`, or younger. */
void repack_age(struct repack *k, int64_t mtime);
/* Make the new packs durable and give them their names. */
int repack_commit(struct repack *k);
/* After that: 1 if this is the name of one of them. */
int repack_made(const struct repack *k, const char *name);
size_t repack_count(const struct repack *k, uint64_t *bytes);

/* A pack that may be rewritten: its entries, and the lock if it is an open one. */
struct source {
	struct pack_file *file;
	char *name;
	int lock_fd; /* -1: sealed */
	struct pack_entry *v;
	size_t n;
	uint64_t size;
	int64_t mtime;
};
/* Under the store's lock.  0; ERR_LOCKED: somebody is writing it; ERR_CORRUPT: not all of it can be
 * read. */
int source_open(struct source *x, struct store *s, struct pack_file *f);
void source_close(struct source *x);
/* Remove the pack's files, or with `to` move it there.  Under the store's lock. */
int source_remove(struct source *x, struct store *s, const char *to);

/* All packs at once: what a clean-up does with them. */
struct merge;
int merge_prepare(struct merge **out, struct store *s, const struct store_gc_options *o,
	int64_t begun, struct store_gc_result *r);
int merge_commit(struct merge *m, struct store_gc_result *r);
void merge_free(struct merge *m);

#endif
