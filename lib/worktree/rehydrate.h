/*
 * The rehydration engine: pointer files in the worktree become the data they stand for, and the
 * index learns the new stat data, so that Git calls the files clean without looking inside
 * (docs/late-rehydration.md).  Used by the filter after Git has finished, by `git dvx
 * checkout`/`pull`, and by the hooks that repair what was left.
 */
#ifndef LIB_WORKTREE_REHYDRATE_H
#define LIB_WORKTREE_REHYDRATE_H

#include "lib/setup/config.h"
#include "lib/setup/gitdir.h"
#include "lib/store/store.h"

enum rehydrate_wish {
	REHYDRATE_DATA = 0,    /* the file is the pointer; it shall become the data */
	REHYDRATE_SETTLE_DATA, /* the file has the (small) data already: only see "Racy entries" */
	REHYDRATE_SETTLE_POINTER /* the file is the pointer and shall stay it: the same */
};

enum rehydrate_state {
	REHYDRATE_TODO = 0,
	REHYDRATE_DONE,	   /* as wished; the index entry patched if it is this blob's */
	REHYDRATE_MISSING, /* the object is neither here nor could be fetched */
	REHYDRATE_CHANGED, /* the file is no longer the pointer text: left alone */
	REHYDRATE_FAILED,  /* corrupt object, full disk…: the pointer stays */
	REHYDRATE_LEFT /* the index could not be locked, or we were told to stop: the pointer stays,
			  journalled */
};

struct rehydrate_item {
	const char *path; /* below the worktree; borrowed */
	const void *text; /* the pointer text as Git wrote it; borrowed; NULL: the canonical text */
	size_t text_len;
	struct oid oid;
	uint64_t size;
	uint8_t blob[32]; /* Git's id of the pointer blob */
	int wish;	  /* enum rehydrate_wish */
	int state;	  /* out: enum rehydrate_state */
};

struct rehydrate_options {
	const char *remote;	  /* blob remote to fetch from; NULL: the default */
	int fetch;		  /* fetch what is missing */
	int jobs;		  /* threads; 0: as many as fit */
	int lock_wait_ms;	  /* how long to try for index.lock */
	const volatile int *stop; /* becomes non-zero when the user wants to stop; may be NULL */
	int quiet;
};

/* Items to be settled are not counted. */
struct rehydrate_result {
	size_t done, missing, changed, failed, left;
	uint64_t bytes;
	char *first_error; /* of a failed one, for the summary; heap, or NULL */
};

/* Rehydrate all items.  0 also when some could not be: see each state and the result.  Negative
 * only when nothing could be attempted. */
int rehydrate_run(struct rehydrate_item *items, size_t n, const struct gitdir *g,
	const struct config *c, struct store *s, const struct rehydrate_options *o,
	struct rehydrate_result *r);
void rehydrate_result_release(struct rehydrate_result *r);

/* Print the summary on stderr: what is in place is not mentioned; what is not, is named (the first
 * ten), with the command that mends it.  Nothing when all is well. */
void rehydrate_report(
	const struct rehydrate_item *items, size_t n, const struct rehydrate_result *r);

#endif
