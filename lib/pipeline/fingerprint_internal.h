/*
 * What the parts of fingerprint.h share: a walk finds files and their stat data, the hashing finds
 * their ids - in the table, in Git's index, at last by reading them.
 */
#ifndef LIB_PIPELINE_FINGERPRINT_INTERNAL_H
#define LIB_PIPELINE_FINGERPRINT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "lib/base/pathpool.h"
#include "lib/base/strmap.h"
#include "lib/pipeline/excludes.h"
#include "lib/pipeline/fingerprint.h"
#include "lib/pipeline/statcache.h"
#include "lib/repo/pointers.h"
#include "lib/worktree/gitindex.h"

/* A file as a walk found it, and its id when that is known. */
struct fp_file {
	const char *path; /* from the top of the worktree, or absolute */
	struct statcache_stat st;
	char mode;    /* 'f', 'x', 'l', as in listings */
	char follow;  /* a declared path: a link at its end is followed */
	char known;   /* oid and size are set */
	char learnt;  /* ... and not from the table */
	char pointer; /* the file is a pointer, oid and size are what it names */
	char young;   /* what was read may be overwritten without a trace in its times */
	struct oid oid;
	uint64_t size;
};

struct fp_files {
	struct fp_file *v;
	size_t n, cap;
	struct pathpool **pools; /* that the paths lie in */
	size_t n_pools;
};
#define FP_FILES_INIT                                                                              \
	{                                                                                          \
		NULL, 0, 0, NULL, 0                                                                \
	}
void fp_files_release(struct fp_files *l);
/* Append a file: its path is copied.  0 or ERR_NOMEM. */
int fp_files_add(struct fp_files *l, const char *path, size_t len, const struct stat *st);
/* Append all of `from`, which is empty afterwards.  0 or ERR_NOMEM. */
int fp_files_move(struct fp_files *l, struct fp_files *from);
/* Fill in a file's stat data. */
void fp_file_stat(struct fp_file *e, const struct stat *st);
/* By the bytes of their paths, as listings have them. */
void fp_files_sort(struct fp_files *l);

struct fingerprints {
	const struct repo *repo;
	struct store *store;
	atomic_size_t hashed;
	pthread_mutex_t mutex; /* for all below, which is made when first asked for */
	struct statcache *table;
	int64_t saved;				  /* when, or 0 */
	struct excludes *user_rules, *repo_rules; /* core.excludesFile, info/exclude */
	int have_rules;
	struct gitindex *index;
	struct pointers *pointers;
	const char **tracked; /* paths in the index, sorted */
	size_t n_tracked, cap_tracked;
	struct pathpool *tracked_paths;
	int have_tracked;
	struct strmap seen;  /* name -> a directory that was just looked at */
	unsigned generation; /* one more each time that `seen` is emptied */
	pthread_mutex_t documents_mutex;
	struct strmap documents; /* path -> what was parsed */
};

/* ---- fingerprint.c ---- */

/* Append the path as open() takes it. */
int fp_full_path(struct buf *out, const struct fingerprints *f, const char *path);

enum {
	FP_LOOK_FILES = 1, /* `l` is wanted with every file's id, sorted */
	FP_LOOK_STORE = 2  /* ... and their contents in the local store */
};
/* What is at `path`, or what a pattern matches: `out`, and with `listing` (may be NULL) the text of
 * it.  Without `how` and listing `l` may be left without ids. */
int fp_look(struct fp_files *l, struct fingerprints *f, const char *path, const char *pattern,
	int how, struct fingerprint *out, struct buf *listing);

/* ---- fingerprint_seen.c ---- */

/* When and on top of what something was looked at. */
struct fp_sight {
	int64_t when;
	unsigned generation;
};
/* 1 and `out` if this directory or pattern was looked at a moment ago, else 0; fills in `sight`. */
int fp_seen_find(
	struct fingerprints *f, const char *name, struct fp_sight *sight, struct fingerprint *out);
/* What came out of looking, unless something was forgotten since. */
void fp_seen_add(struct fingerprints *f, const char *name, const struct fp_sight *sight,
	const struct fingerprint *fp);

/* ---- fingerprint_walk.c ---- */

/* Append all files below the directory `path` ("": the top) that count; with `pattern` only those
 * that it matches. */
int fp_walk(struct fp_files *out, struct fingerprints *f, const char *path, const char *pattern);
/* ---- fingerprint_hash.c ---- */

/* Find the ids of all of them (sorted is faster); with `storing` their contents are in the local
 * store afterwards (but of pointers); then a file that does not stand still is ERR_CHANGED. */
int fp_identify(struct fingerprints *f, struct fp_file *v, size_t n, int storing);
/* Wait until files that were written just now can be told from ones that are written again; they
 * are `bytes` long in all - where it is little, reading them again is the cheaper way, and 0 is
 * returned. */
int fp_wait_for_clock(uint64_t bytes);
/* Put what is known of these files into the table, but for the young ones. */
int fp_remember(struct fingerprints *f, const struct fp_file *v, size_t n);

/* ---- fingerprint_document.c ---- */

void fp_document_free(void *document);

/* ---- fingerprint_index.c ---- */

/* Take from Git's index what it knows of these files, which are sorted. */
int fp_ask_index(struct fingerprints *f, struct fp_file **v, size_t n);
/* 1 if the index has this path, or with `below` one below it; 0, or a negative error. */
int fp_is_tracked(struct fingerprints *f, const char *path, int below);

#endif
