/*
 * The run cache (docs/run-cache.md): what came out when a stage was run with these very inputs.
 * Entries lie in "<common_dir>/dvx/runs/<aa>/<key>/<value>": text of one locked stage, named by its
 * SHA-256 below the key of its inputs; their outputs are objects of the local store.
 *
 * They travel in bundles: content-named blobs of a blob remote that hold many entries (`git dvx
 * push
 * --run-cache`, `repro --pull`), sent behind the objects that they name.
 */
#ifndef LIB_PIPELINE_RUNCACHE_H
#define LIB_PIPELINE_RUNCACHE_H

#include "lib/pipeline/fingerprint.h"
#include "lib/pipeline/stagelock.h"

/* 1 if runs of this stage may be kept: it has a command, inputs and outputs, none persistent, none
 * outside of the project, and it is not always_changed. */
int runcache_allows(const struct stage *s);
/* Remember a run (durably).  0 or a negative error. */
int runcache_put(const struct repo *repo, const struct locked_stage *s);
/* The runs with the inputs of `now`, the newest first: fn(entry) until it returns non-zero, which
 * is returned; damaged entries are skipped. */
int runcache_find(const struct repo *repo, const struct locked_stage *now,
	int (*fn)(const struct locked_stage *entry, void *data), void *data);

/* For clean-ups: fn for each object here that a dvx.lock of any worktree names - outputs with their
 * listings and files, listings of dependencies -, with the path it is for.  Stops by non-zero. */
int runcache_each_locked(const struct repo *repo, struct store *s,
	int (*fn)(const struct oid *oid, uint64_t size, const char *path, void *data), void *data);
/* Remove entries whose outputs are not all here any more, and copies of bundles, when they are
 * older than this (nanoseconds since 1970). */
int runcache_gc(const struct repo *repo, struct store *s, int64_t older_than, size_t *removed);

struct runcache_transfer {
	const char *remote;	/* NULL: the default */
	const char *git_remote; /* Git remote of the push at hand, or NULL */
	int jobs;
	const volatile int *stop;
	size_t entries; /* out: that travelled */
	size_t objects; /* out */
	uint64_t bytes; /* out */
	size_t damaged; /* out: bundles that could not be used */
	char why[256];	/* out: the first one's trouble */
};
/* Send all entries that the remote does not have, with their objects.  ERR_UNSUPPORTED: the remote
 * is a Git LFS server or an agent, which keep no run cache. */
int runcache_push(const struct repo *repo, struct store *s, struct runcache_transfer *t);
/* Get the entries (not their objects).  The same errors. */
int runcache_fetch(const struct repo *repo, struct runcache_transfer *t);
/* Fetch the objects that these outputs take (listings first); what Git tracks and holds as
 * pointers is put in place, too.  0 when all of it is here, ERR_NOTFOUND when it cannot be had. */
int runcache_fetch_outputs(const struct repo *repo, struct fingerprints *fp,
	const struct locked_path *outs, size_t n, struct runcache_transfer *t);

#endif
