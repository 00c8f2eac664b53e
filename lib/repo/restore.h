/*
 * The working tree as the index says it should be: deleted data files come back, pointer files
 * become data, entries whose file already holds the data learn its stat.  Used by `git dvx
 * checkout` and `pull`, and by the hooks that repair what a rehydration had to leave.
 */
#ifndef LIB_REPO_RESTORE_H
#define LIB_REPO_RESTORE_H

#include "lib/repo/scan.h"
#include "lib/store/store.h"
#include "lib/worktree/pending.h"

struct restore_options {
	const char *remote; /* blob remote to fetch from; NULL: the default */
	int fetch;	    /* fetch what is missing */
	int force;	    /* replace modified files, too */
	int pending_only;   /* only what the journals name, no deleted files; cheap, for hooks */
	int jobs;	    /* threads; 0: as many as fit */
	int quiet;	    /* no progress, no report of what still is a pointer */
	const volatile int *stop; /* may be NULL */
};

struct restore_result {
	size_t placed;	 /* files that hold their data now and did not before */
	uint64_t bytes;	 /* theirs */
	size_t repaired; /* files that were right, whose index entry was not */
	size_t modified; /* left alone: they hold something else */
	size_t pointers; /* still pointers */
	size_t left;	 /* of them: not for want of data, but of a lock or time; journalled */
	size_t fetched;	 /* objects */
	uint64_t fetched_bytes;
	char remote[256];  /* where from */
	char *fetch_error; /* why something could not be fetched; heap, or NULL */
};

/* Work on `l`, pointers of the index (scan_index, filtered as the caller likes).
 * 0 also when some files could not be had: see the result.  Negative: stopped, or nothing could be
 * done. */
int restore_run(const struct repo *repo, struct store *s, const struct scan_list *l,
	const struct restore_options *o, struct restore_result *r);
void restore_result_release(struct restore_result *r);

/* Keep the items that these journals name.  0; ERR_CORRUPT when one of them can't be read: then any
 * item may be meant, and the list is as before. */
int restore_keep_pending(struct pending_taken *journals, struct scan_list *l);

#endif
