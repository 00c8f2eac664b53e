/*
 * One listing of a blob store's fragments, and the notices in it: what is there, what is going to
 * be removed, and when this was known (docs/remote-gc.md).
 */
#ifndef TRANSFER_LISTING_H
#define TRANSFER_LISTING_H

#include "lib/store/oidmap.h"
#include "transfer/blob/cache.h"
#include "transfer/gc/notice.h"
#include "transfer/remote/remote.h"

struct listed_notice {
	struct oid name;
	uint64_t size;
	int64_t mtime;
	struct notice notice;
	int spent;	  /* another one says so */
	int64_t spent_at; /* its time, the earliest */
};

struct listing {
	struct remote_entry *fragments; /* sorted by name */
	size_t n_fragments, cap_fragments;
	struct listed_notice *notices;
	size_t n_notices, cap_notices;
	struct oidmap condemned[2]; /* under notice, by REMOTE_PACK and REMOTE_FRAGMENT */
	int64_t now;		    /* by the store's clock; 0 when that was not asked for */
	int64_t begun;		    /* listing_clock() */
	int trouble;		    /* a notice cannot be read: ERR_CORRUPT or ERR_UNSUPPORTED */
	char *trouble_message;
};

/* List, and read the notices through the local cache, `parallel` at once.  A notice that cannot be
 * understood is `trouble`, not an error.  *l is zeroed; release it in every case.  0;
 * ERR_NOTFOUND: no store. */
int listing_read(
	struct listing *l, struct remote *r, const struct cache *cache, int parallel, int with_now);
void listing_release(struct listing *l);

/* For those who must know what is under notice: 0, or the trouble as this thread's error. */
int listing_check(const struct listing *l);
/* 1 when this fragment or pack is under notice. */
int listing_condemned(const struct listing *l, enum remote_class c, const struct oid *name);
/* NULL when it is not listed.  Borrowed. */
const struct remote_entry *listing_fragment(const struct listing *l, const struct oid *name);
/* The same for a notice. */
struct listed_notice *listing_notice(const struct listing *l, const struct oid *name);

/* Nanoseconds of a clock that only goes forward, also while the machine sleeps. */
int64_t listing_clock(void);

#endif
