/*
 * What the halves of claim.c share: claim.c has the lock and who waits for whom, claim_undo.c what
 * happens to the outputs.
 */
#ifndef LIB_PIPELINE_CLAIM_INTERNAL_H
#define LIB_PIPELINE_CLAIM_INTERNAL_H

#include <sys/types.h>

#include "lib/pipeline/claim.h"
#include "lib/pipeline/claim_journal.h"

/* A claim that is held: ours, or one that a killed run left. */
struct claim {
	const struct repo *repo;
	char *id;	 /* "<pid>-<nanoseconds>-<counter>" */
	struct buf path; /* "<git_dir>/dvx/running/<id>.claim" */
	int fd;		 /* with the lock */
	int delayed;
	int dead;		      /* left by a killed run */
	off_t made_at;		      /* where the records of claim_made begin; 0: not written */
	struct claim_journal journal; /* as it stands in the file */
};

/* Forget a claim without touching the file or its lock's other holders. */
void claim_free(struct claim *c);
/* Remove the file, give up the lock - also for processes that the stage left behind - and free. */
int claim_end(struct claim *c);
/* What a killed run left is brought to its one or the other end; the file is removed.  The claim
 * stays the caller's. */
int claim_settle(struct claim *c);

#endif
