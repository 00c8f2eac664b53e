/*
 * What migrate.c (which files, which lines) shares with the conversions.
 */
#ifndef LIB_REPO_MIGRATE_INTERNAL_H
#define LIB_REPO_MIGRATE_INTERNAL_H

#include "lib/repo/migrate.h"
#include "lib/store/pointer.h"

/* rewrite_blob.tag */
enum {
	MIGRATE_SKIPPED = 1, /* too small for --above */
	MIGRATE_POINTER = 2,
	MIGRATE_COUNTED = 4
};

enum { MIGRATE_IN_MEMORY = 1 << 20 }; /* larger content passes through in pieces */

struct migrate {
	const struct repo *repo;
	struct store *store;
	struct migrate_options o;
	struct rewrite *rewrite;
	struct rewrite_ops ops;
	struct attr_lines lines;
	struct strmap endings; /* those that have their line */
	struct strmap told;    /* "<blob> <path>" */
	struct attr_levels *levels;

	struct oid *oids; /* imported, to be made durable */
	size_t n_oids, cap_oids;

	struct migrate_count *counts;
	size_t n_counts, cap_counts;
	struct strmap count_numbers; /* number + 1 */
	struct migrate_count pointers;
};

int migrate_import_blobs(struct rewrite *r, struct rewrite_blob *b, size_t n, void *data);
int migrate_export_blobs(struct rewrite *r, struct rewrite_blob *b, size_t n, void *data);
int migrate_size_blobs(struct rewrite *r, struct rewrite_blob *b, size_t n, void *data);
int migrate_count_blob(struct migrate *m, const char *path, struct rewrite_blob *b);

/* Ask Git for the sizes. */
int migrate_sizes(struct rewrite *r, struct rewrite_blob *b, size_t n);
/* Read those that are small enough to be pointers: found(i, pointer, data) for each that is one. */
int migrate_find_pointers(struct rewrite *r, struct rewrite_blob *b, size_t n,
	int (*found)(size_t i, const struct pointer *p, void *data), void *data);
/* The ending of a file's name as Git LFS sees it: from its last dot, or "". */
const char *migrate_ending(const char *path);

/* n large objects of the store become Git blobs: one pack, streamed.  Their sizes come in and their
 * ids go out. */
struct migrate_large {
	struct oid oid;
	uint64_t size;
	uint8_t id[REPO_ID_MAX];
};
int migrate_put_large(
	const struct repo *repo, struct store *s, struct migrate_large *objects, size_t n);

#endif
