/*
 * The configuration snapshot, "<git_dir>/dvx/config-snapshot" (docs/config.md): the resolved
 * settings with the stat data of every file that they came from, or could have come from.  Its text
 * is also how a struct config holds its settings.
 */
#ifndef LIB_SETUP_SNAPSHOT_H
#define LIB_SETUP_SNAPSHOT_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"
#include "lib/setup/gitdir.h"

/* What goes into a snapshot. */
struct snapshot_parts {
	int64_t created_ns;    /* before the first source was read */
	struct strvec sources; /* absolute paths, present or not */
	struct strvec pairs;   /* key, value, key, value… */
	struct buf refused;
};

/* Where things stand in a snapshot's text: borrowed from it. */
struct snapshot_pair {
	const char *key, *value;
};
struct snapshot_view {
	const char *refused;
	struct snapshot_pair *pairs; /* heap: free() */
	size_t n_pairs;
};

/* Put the text together; stats the sources.  0 or negative. */
int snapshot_compose(struct buf *text, const struct gitdir *g, const struct snapshot_parts *parts);
/* Find the pairs.  0, or ERR_CORRUPT, ERR_UNSUPPORTED. */
int snapshot_parse(struct snapshot_view *v, const struct buf *text);

/* Read the snapshot of this repository if it can be trusted: 0, or any negative error when it must
 * be made anew. */
int snapshot_load(struct buf *text, const struct gitdir *g);
/* Write it, readable for its owner only (it may hold credentials).  0 or negative; a caller may go
 * on without. */
int snapshot_save(const struct gitdir *g, const struct buf *text);
/* 0 when the environment adds settings of its own (git -c …), so that no snapshot may be used or
 * made. */
int snapshot_possible(void);

#endif
