/*
 * What a file or directory of the project holds at this moment, in one hash, without reading what
 * was read before: the Git index knows the objects of clean pointers, and a table of stat data
 * (docs/stat-cache.md, "<git_dir>/dvx/stat-cache") all other files.
 *
 * A file is hashed by its content (SHA-256), a directory by its listing: for each file that Git
 * keeps or would keep (what .gitignore and .dvcignore leave out is left out, unless the directory
 * itself is ignored), sorted by bytes, "<sha256> <f|x|l> <path below it>\0".
 *
 * Thread-safe.  What is younger than the clock can tell apart is hashed again the next time.
 */
#ifndef LIB_PIPELINE_FINGERPRINT_H
#define LIB_PIPELINE_FINGERPRINT_H

#include "lib/base/strvec.h"
#include "lib/pipeline/pipeline.h"
#include "lib/repo/source.h"
#include "lib/store/store.h"

enum fingerprint_type { FP_ABSENT = 0, FP_FILE, FP_DIR };

struct fingerprint {
	enum fingerprint_type type;
	struct oid oid;	 /* of the content; of the listing */
	uint64_t size;	 /* bytes; of all files together */
	uint64_t nfiles; /* FP_DIR, and globs */
	int executable;	 /* FP_FILE */
};
static inline int fingerprint_eq(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->type == b->type &&
	       (a->type == FP_ABSENT ||
		       (oid_eq(&a->oid, &b->oid) && a->executable == b->executable));
}

struct fingerprints;

/* `repo`, `s` are borrowed.  Reads index and table when first asked. */
int fingerprints_open(struct fingerprints **out, const struct repo *repo, struct store *s);
/* Write the table if it learnt something (in one rename; a failure to write is no error), free. */
void fingerprints_close(struct fingerprints *f);

/* Of a path from the top (or an absolute one); 0 also when it is absent.  Errors: cannot be read.
 */
int fingerprints_of(struct fingerprints *f, const char *path, struct fingerprint *out);
/* Of a dependency: its path, or all files that its pattern matches (an FP_DIR listing with paths
 * from the top; none: FP_ABSENT). */
int fingerprints_of_path(
	struct fingerprints *f, const struct stage_path *p, struct fingerprint *out);

/* Put everything at `path` into the local store: content, and of a directory the listing as an
 * object, too.  The fingerprint is that of what was stored; a file that changes meanwhile is
 * ERR_CHANGED. */
int fingerprints_store(struct fingerprints *f, const char *path, struct fingerprint *out);
/* Store the listing only (dependencies: so that changes can be named later). */
int fingerprints_store_listing(struct fingerprints *f, const struct stage_path *p);
/* Make `path` what `want` is, out of the local store: 0; ERR_NOTFOUND: some object is not here, and
 * nothing was changed.  Files that are right already are left alone; others are replaced,
 * superfluous ones removed.  With `dry_run` only say whether it could. */
int fingerprints_restore(
	struct fingerprints *f, const char *path, const struct fingerprint *want, int dry_run);
/* The objects that restoring it takes and that are not here, for fetching: a directory whose
 * listing is not here is its listing alone (then ask again). */
struct fingerprint_object {
	struct oid oid;
	uint64_t size; /* STORE_SIZE_UNKNOWN: of a listing */
	char *path;
};
int fingerprints_missing(struct fingerprints *f, const char *path, const struct fingerprint *want,
	struct fingerprint_object **out, size_t *n);

/* Append the listing of a directory or glob (nothing for a file, or what is absent). */
int fingerprints_listing(struct fingerprints *f, const struct stage_path *p, struct buf *listing);

/* Forget what is known of `path` and below (and what of all directories was seen a moment ago): it
 * was written by somebody else just now. */
void fingerprints_forget(struct fingerprints *f, const char *path);

/* Read a file of parameters (doc_parse by its name) and call fn with what it says; it is parsed
 * only once as long as its text is the same.  fn's return value, or a negative error of
 * source_read (ERR_NOTFOUND…) or doc_parse. */
int fingerprints_document(struct fingerprints *f, struct source *src, const char *path,
	int (*fn)(const struct node *root, void *data), void *data);

/* How many files were read to be hashed so far, for tests. */
size_t fingerprints_hashed(const struct fingerprints *f);

#endif
