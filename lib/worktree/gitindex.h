/*
 * Git's index file (Documentation/gitformat-index.txt): reading entries, and patching the stat
 * fields of some of them while everything else stays byte for byte.  Versions 2, 3 and 4; SHA-1 and
 * SHA-256; split index; sparse index; any extension.
 */
#ifndef LIB_WORKTREE_GITINDEX_H
#define LIB_WORKTREE_GITINDEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/base/lockfile.h"

struct gitindex;

/* The stat fields of an entry, as Git stores them (32 bits each). */
struct gitindex_stat {
	uint32_t ctime_sec, ctime_nsec, mtime_sec, mtime_nsec, dev, ino, uid, gid, size;
};

struct gitindex_entry {
	const char *path; /* NUL-terminated; valid during the call */
	size_t path_len;
	uint8_t id[32]; /* hash_len bytes used */
	uint32_t mode;	/* 0100644, 0100755, 0120000, 0160000, 040000 (sparse directory) */
	int stage;	/* 0-3 */
	int skip_worktree;
	int assume_valid;
	int intent_to_add;
	struct gitindex_stat st;
};

/* Load (a missing file is an empty index).  `hash_len` 20 or 32.  0; ERR_CORRUPT (which byte, what
 * is wrong); ERR_UNSUPPORTED (version, unknown mandatory extension). */
int gitindex_read(struct gitindex **out, const char *path, int hash_len);
/* The same from memory (unit tests, fuzzing); a split index is refused. */
int gitindex_parse(struct gitindex **out, const void *data, size_t len, int hash_len);
void gitindex_free(struct gitindex *x);
size_t gitindex_count(const struct gitindex *x);
/* Modification time of the index file in seconds (0 if it did not exist): entries with mtime_sec >=
 * it are racy. */
uint32_t gitindex_timestamp(const struct gitindex *x);
/* All entries in index order (shared and split parts merged, replaced and deleted ones resolved).
 * Stops at the first non-zero return. */
int gitindex_each(
	struct gitindex *x, int (*fn)(const struct gitindex_entry *e, void *data), void *data);

/* Fill from lstat data as Git's fill_stat_data does. */
void gitindex_stat_fill(struct gitindex_stat *out, const struct stat *st);
/* 1 if they match as Git's match_stat_data does with core.trustctime and core.checkStat=default and
 * no USE_NSEC. */
int gitindex_stat_match(const struct gitindex_stat *a, const struct stat *st);

/* A patch: give this entry (stage 0, this blob id, regular file) this stat. */
struct gitindex_patch {
	const char *path;
	const uint8_t
		*id; /* hash_len bytes: the entry is touched only if its blob id is this one */
	struct gitindex_stat st;
	int applied; /* out: 1 if the entry was found and patched */
	void *owner; /* the caller's */
};

/* Look only: `applied` is 1 for a patch that gitindex_patch() would apply, -1 where the entry of
 * stage 0 is about something else, 0 where there is none.  `patches` are sorted by path in place.
 * The number of ones; 0 without an index file; or an error. */
int gitindex_match(const char *path, int hash_len, struct gitindex_patch *patches, size_t n);

/* Write the patched index into the held lock (lock->fd, for `path`) - not committed; the caller
 * commits or rolls back. `patches` are sorted by path in place.  The trailer is recomputed, or
 * stays zero where it was zero (index.skipHash).  The new file gets the modification time of the
 * old one, so that entries which were not patched stay exactly as racy as they were.  The number of
 * patched entries, or an error (the lock file may then hold rubbish: roll back). */
int gitindex_patch(const char *path, int hash_len, struct gitindex_patch *patches, size_t n,
	struct lockfile *lock);

#endif
