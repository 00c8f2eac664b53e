/*
 * What `git dvx migrate` does to files: into the store and out of it again, or only counted
 * (docs/migrate.md).  The work itself is rewrite.h's.
 */
#ifndef LIB_REPO_MIGRATE_H
#define LIB_REPO_MIGRATE_H

#include <stdint.h>

#include "lib/base/strmap.h"
#include "lib/repo/rewrite.h"
#include "lib/repo/rewrite_attrs.h"
#include "lib/store/store.h"
#include "lib/wire/batch.h"

enum migrate_mode { MIGRATE_IMPORT, MIGRATE_EXPORT, MIGRATE_INFO };
enum migrate_pointers { MIGRATE_FOLLOW, MIGRATE_NO_FOLLOW, MIGRATE_IGNORE };

/* All borrowed. */
struct migrate_options {
	enum migrate_mode mode;
	const struct attr_filter *filter;
	const struct strmap *paths; /* import: these files and no attribute lines; NULL: as `filter`
				       says */
	const char *track; /* the attributes of a line that tracks, with a blank in front */
	int lines_once;	   /* see attr_lines_merge */
	int fixup;	   /* the files that the .gitattributes route to us */
	uint64_t above;	   /* bytes: import what is at least that large; count what is larger */
	enum migrate_pointers pointers;
	const struct batch_options *fetch; /* export: how missing objects are fetched */
	/* Told of each file that changes, the first time; may be NULL. */
	void (*converted)(const char *commit, const char *path);
};

struct migrate;

/* `repo`, `s` (NULL: nothing is stored, for counting) and what `o` points to are borrowed.  0 or a
 * negative error, with nothing to free. */
int migrate_new(struct migrate **out, const struct repo *repo, struct store *s,
	const struct migrate_options *o);
void migrate_free(struct migrate *m);
/* Borrowed. */
struct rewrite *migrate_rewrite(struct migrate *m);
/* Make what was imported durable. */
int migrate_sync(struct migrate *m);

/* What was counted. */
struct migrate_count {
	char *name; /* "*.ext", or the name of a file without extension */
	uint64_t bytes, above, total;
};
/* The kinds of files, in no order; *pointers: the pointers.  Borrowed. */
const struct migrate_count *migrate_counts(
	const struct migrate *m, size_t *n, const struct migrate_count **pointers);

#endif
