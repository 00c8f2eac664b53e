/*
 * What this clone remembers of a blob store, below ".git/dvx/remotes/<key>/" (docs/blob-store.md).
 * Everything in it may vanish; nothing in it is believed without a check.
 */
#ifndef TRANSFER_CACHE_H
#define TRANSFER_CACHE_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

struct cache;

enum cache_kind { CACHE_FRAGMENT, CACHE_PACK_INDEX, CACHE_SENT_INDEX, CACHE_NOTICE };

/* For the remote at `url`; directories are made when first written. */
int cache_open(struct cache **out, const char *dvx_dir, const char *url);
void cache_close(struct cache *c);

/* The folder of the remote, ".git/dvx/remotes/<key>".  Borrowed. */
const char *cache_dir(const struct cache *c);

/* Append the path of a file. */
int cache_path(const struct cache *c, enum cache_kind k, const struct oid *name, struct buf *out);
/* Append its content.  0, ERR_NOTFOUND… */
int cache_read(const struct cache *c, enum cache_kind k, const struct oid *name, struct buf *out);
/* Keep it; failure is not worth a message: it is fetched again. */
void cache_write(const struct cache *c, enum cache_kind k, const struct oid *name, const void *data,
	size_t len);
void cache_remove(const struct cache *c, enum cache_kind k, const struct oid *name);
/* What was CACHE_SENT_INDEX becomes CACHE_PACK_INDEX: a fragment names the pack now. */
void cache_sent_is_named(const struct cache *c, const struct oid *name);
/* Visit all names of a kind with their age in seconds; stops at non-zero and returns it. */
int cache_each(const struct cache *c, enum cache_kind k,
	int (*fn)(const struct oid *name, int64_t age, void *data), void *data);

#endif
