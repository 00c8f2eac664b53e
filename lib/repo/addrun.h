/*
 * Storing files and staging their pointers, past Git's pipe: files are hashed by several threads,
 * the pointer blobs go to Git in one pack, the index entries in one call, and their stat data are
 * written last, so that `git status` finds nothing to look into.
 */
#ifndef LIB_REPO_ADDRUN_H
#define LIB_REPO_ADDRUN_H

#include "lib/base/progress.h"
#include "lib/base/strvec.h"
#include "lib/repo/addlist.h"
#include "lib/store/store.h"

struct add_options {
	int jobs;		   /* threads; 0: as many as suit the machine */
	const volatile int *stop;  /* becomes non-zero when the user wants to stop; may be NULL */
	struct progress *progress; /* may be NULL */
	const struct strvec
		*also; /* paths for plain `git add` besides those of the list; may be NULL */
};

struct add_result {
	size_t pointers; /* staged as pointers */
	uint64_t bytes;	 /* their content */
	size_t plain;	 /* left to Git */
	size_t gone;	 /* staged as deleted */
	int staging;	 /* the files are stored: from here on the index changes */
};

/* Do it, for what is ADD_DATA, ADD_PLAIN and ADD_GONE.  A file that is a pointer already stays what
 * it is.  0; ERR_CHANGED when a file changes faster than it can be read; ERR_INTERRUPTED.  On
 * failure the index is as it was, or holds what was staged so far; doing it again is always right.
 */
int add_run(struct add_list *l, const struct repo *repo, struct store *store,
	const struct add_options *o, struct add_result *r);

#endif
