/*
 * Bundles of the run cache (docs/run-cache.md, "Bundles"): many entries in one blob, named by the
 * SHA-256 of its bytes, as they lie on a blob remote.  Pure.
 */
#ifndef LIB_STORE_RUNBUNDLE_H
#define LIB_STORE_RUNBUNDLE_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

enum {
	RUNBUNDLE_MAX = 64 * 1024 * 1024,      /* bytes of a bundle */
	RUNBUNDLE_TEXT_MAX = 16 * 1024 * 1024, /* bytes of an entry's text */
	RUNBUNDLE_COUNT_MAX = 1024 * 1024      /* entries */
};

struct runbundle_entry {
	struct oid key;	  /* of a run's inputs */
	struct oid value; /* SHA-256 of the text */
	const void *text; /* borrowed */
	size_t len;
};

/* The order of entries: by key, then by value. */
int runbundle_cmp(const struct runbundle_entry *a, const struct runbundle_entry *b);

/* Begin a bundle in the empty buffer.  0 or ERR_NOMEM. */
int runbundle_begin(struct buf *out);
/* Append an entry, which has to come behind those that are there (the caller sorts).  0; ERR_LIMIT:
 * it would be too large (and is as it was); ERR_INVALID: a text that is empty or too long;
 * ERR_NOMEM. */
int runbundle_add(struct buf *out, const struct runbundle_entry *e);
/* How many there are. */
size_t runbundle_count(const struct buf *b);

/* Check all of a bundle's frame, then call fn for each entry until it returns non-zero, which is
 * returned.  The texts are not looked at.  ERR_CORRUPT; ERR_UNSUPPORTED for another version. */
int runbundle_parse(const void *data, size_t len,
	int (*fn)(const struct runbundle_entry *e, void *arg), void *arg);

#endif
