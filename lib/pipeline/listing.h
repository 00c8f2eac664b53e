/*
 * Listings (listing.c has their format): what a directory or glob holds, as a text.  Pure.
 */
#ifndef LIB_PIPELINE_LISTING_H
#define LIB_PIPELINE_LISTING_H

#include "lib/base/buf.h"
#include "lib/store/oid.h"

/* One file of a listing. */
struct listing_file {
	const char *path;
	struct oid oid;
	char mode; /* 'f', 'x', 'l' */
};
/* Call fn for each file, in order.  0; ERR_CORRUPT, maybe after some calls; or what fn returned,
 * the first that is not 0. */
int listing_parse(const void *text, size_t len, int (*fn)(const struct listing_file *e, void *data),
	void *data);
/* Compare two listings: fn('A' | 'M' | 'D', path) in order of paths.  The same return values. */
int listing_diff(const struct buf *old, const struct buf *now,
	int (*fn)(char status, const char *path, void *data), void *data);

#endif
