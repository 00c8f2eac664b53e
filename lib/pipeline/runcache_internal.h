/*
 * What the files of the run cache share: entries here (runcache.c), bundles of them
 * (runcache_bundle.c), the objects that they name (runcache_objects.c).
 */
#ifndef LIB_PIPELINE_RUNCACHE_INTERNAL_H
#define LIB_PIPELINE_RUNCACHE_INTERNAL_H

#include "lib/base/pathpool.h"
#include "lib/pipeline/runcache.h"
#include "lib/store/oidmap.h"
#include "lib/store/runbundle.h"
#include "lib/wire/batch.h"

enum { RUNCACHE_ENTRY_MAX = RUNBUNDLE_TEXT_MAX }; /* bytes of an entry's text */

/* What an entry is called. */
struct runcache_name {
	struct oid key;	  /* of the inputs */
	struct oid value; /* SHA-256 of the text */
};

/* Append the folder of all entries, and of bundles. */
int runcache_dir(struct buf *out, const struct repo *repo);
/* Append the place of an entry. */
int runcache_path(struct buf *out, const struct repo *repo, const struct runcache_name *name);

/* All entries, by their names alone, in any order; `mtime` in nanoseconds since 1970.  Non-zero of
 * fn stops and is returned. */
int runcache_each(const struct repo *repo,
	int (*fn)(const struct runcache_name *name, int64_t mtime, void *data), void *data);

/* The stage that a text says, when it is what `name` claims; ERR_CORRUPT otherwise.  *out lives as
 * long as *lock. */
int runcache_parse(struct stagelock **lock, const struct locked_stage **out,
	const struct runcache_name *name, const void *text, size_t len);
/* Append the text of a local entry, whatever it is.  ERR_NOTFOUND, ERR_LIMIT, ERR_IO. */
int runcache_read(const struct repo *repo, const struct runcache_name *name, struct buf *text);
/* Give a text its place; one that is there becomes the newest of its key. */
int runcache_write(const struct repo *repo, const struct runcache_name *name, const void *text,
	size_t len, int durable);

/* ---- bundles (runcache_bundle.c) ---- */

struct runcache_ids {
	struct oid *v;
	size_t n, cap;
};
void runcache_ids_release(struct runcache_ids *ids);
int runcache_ids_add(struct runcache_ids *ids, const struct oid *id);

/* Entries that are to become bundles. */
struct runcache_pile {
	struct runbundle_entry *v; /* the texts are the pile's */
	size_t n, cap;
	size_t bytes; /* of a bundle of all of them */
};
void runcache_pile_release(struct runcache_pile *p);
/* Append a copy.  0 or ERR_NOMEM. */
int runcache_pile_add(struct runcache_pile *p, const struct runbundle_entry *e);
/* Write the pile as a copy of a bundle here, append its name to `ids` (as two where one is too
 * small), and empty the pile. */
int runcache_pile_write(struct runcache_pile *p, const struct repo *repo, struct runcache_ids *ids);

/* Call fn for each entry of the copy of a bundle.  ERR_NOTFOUND; ERR_CORRUPT: it is removed, to be
 * fetched again; ERR_UNSUPPORTED. */
int runcache_bundle_each(const struct repo *repo, const struct oid *id,
	int (*fn)(const struct runbundle_entry *e, void *data), void *data);
/* Bytes of the copy; 0: there is none. */
size_t runcache_bundle_size(const struct repo *repo, const struct oid *id);

/* `git-dvx-transfer runs <verb>` about `ids` (NULL: none): those that it is well with are appended
 * to `good` (NULL: not asked), each once; others are counted in t->damaged. */
int runcache_bundle_ask(const char *verb, const struct runcache_ids *ids,
	struct runcache_transfer *t, struct runcache_ids *good);
/* Send the copies; one that could not be sent is an error. */
int runcache_bundle_put(const struct runcache_ids *ids, struct runcache_transfer *t);
/* Count a bundle as damaged. */
void runcache_bundle_note(struct runcache_transfer *t, const char *why);

/* ---- objects (runcache_objects.c) ---- */

struct runcache_objects {
	struct batch_object *v;
	size_t n, cap;
	struct oidmap seen;
	struct pathpool *paths;
};
void runcache_objects_release(struct runcache_objects *o);
/* Add what an entry's outputs consist of: 1, or 0 when some of it is not here, and nothing was
 * added. */
int runcache_objects_of(
	struct runcache_objects *o, struct store *s, const struct locked_stage *entry);

#endif
