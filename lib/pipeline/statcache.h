/*
 * The table of what was hashed before (docs/stat-cache.md): path and stat data -> SHA-256 of the
 * content; and for directories and globs a hash over the stat data of all their files -> the hash
 * of their listing.  A file of its own, mapped and searched; what is learnt stays in memory until
 * it is saved.  A damaged table is an empty one.
 *
 * Not thread-safe.
 */
#ifndef LIB_PIPELINE_STATCACHE_H
#define LIB_PIPELINE_STATCACHE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/store/oid.h"

struct statcache;

/* What a file's content cannot change without. */
struct statcache_stat {
	uint64_t ino, bytes;
	int64_t mtime, ctime; /* nanoseconds since 1970 */
};

struct statcache_file {
	struct oid oid;
	uint64_t size;
	int pointer; /* the file is a pointer; oid and size are what it names */
};

enum { STATCACHE_SIGNATURE_LEN = 16 };

/* Of the files of a directory or glob. */
struct statcache_group {
	uint8_t signature[STATCACHE_SIGNATURE_LEN];
	struct oid listing;
	uint64_t size, nfiles;
};

/* A file that is not there, or is damaged, is an empty table.  0 or ERR_NOMEM. */
int statcache_open(struct statcache **out, const char *path);
/* The same from memory, which is copied (tests, fuzzing): ERR_CORRUPT for what open ignores. */
int statcache_parse(struct statcache **out, const void *data, size_t len);
void statcache_free(struct statcache *c);

/* 1 and what the file holds, if it was recorded with this stat data; else 0.  Asked for in the
 * order of paths it costs least. */
int statcache_find(struct statcache *c, const char *path, const struct statcache_stat *st,
	struct statcache_file *out);
/* 1 if the directory or glob `name` was recorded with out->signature, and the rest; else 0. */
int statcache_find_group(struct statcache *c, const char *name, struct statcache_group *out);

/* Record.  The caller vouches that a later change of the file will change its stat data.  0 or
 * ERR_NOMEM. */
int statcache_put(struct statcache *c, const char *path, const struct statcache_stat *st,
	const struct statcache_file *file);
int statcache_put_group(struct statcache *c, const char *name, const struct statcache_group *group);
/* All files below this directory have been asked for: forget those that were not. */
int statcache_settle(struct statcache *c, const char *dir);

/* Append the table as it has to be written. */
int statcache_format(struct buf *out, struct statcache *c);
/* Write it to the file that was opened, if anything was learnt since: in one rename, without
 * waiting for another writer.  0 or a negative error. */
int statcache_save(struct statcache *c);

#endif
