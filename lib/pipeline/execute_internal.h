/*
 * What the files of execute.c share: execute.c has the order of events, execute_outs.c the outputs.
 */
#ifndef LIB_PIPELINE_EXECUTE_INTERNAL_H
#define LIB_PIPELINE_EXECUTE_INTERNAL_H

#include "lib/pipeline/claim.h"
#include "lib/pipeline/execute.h"

/* One stage on its way. */
struct execution {
	const struct stale_context *c;
	const struct stage *s;
	const struct execute_options *o;
	struct buf address;
	struct buf lock_path; /* "sub/dvx.lock" */
	struct stagelock *lock;
	const struct locked_stage *entry; /* of its last run; borrowed from `lock`; NULL: none */
	struct stale stale;		  /* looked at under the claim */
	struct claim *claim;
	int had_outputs; /* some of the outputs were there, and were set aside */
	int damaged;	 /* outputs could not be restored: an object here is damaged */
	int anew;	 /* therefore: run, whatever is remembered */
};

/* Dependencies that are pointers in the worktree become data (execute_inputs.c).  ERR_NOTFOUND says
 * what to do. */
int execute_place_inputs(const struct execution *x);
/* Move old outputs aside before a run. */
int execute_set_aside(struct execution *x);
/* Store (unless EXECUTE_NO_COMMIT) what the stage made, into `now`'s outs.  ERR_NOTFOUND "stage
 * 'train' did not make its output 'model'". */
int execute_take_outs(const struct execution *x, struct locked_stage *now);
/* 0 if these outputs are to be had from the local store (EXECUTE_PULL: or the blob remote, which is
 * asked); ERR_NOTFOUND. */
int execute_can_restore(const struct execution *x, const struct locked_path *outs, size_t n);
/* Make the outputs what these say; what the user had changed is set aside to be kept. */
int execute_restore(const struct execution *x, const struct locked_path *outs, size_t n);
/* Find a run with these inputs whose outputs can be had.  1 and a copy of its outs and environment
 * in `now`; 0; or an error. */
int execute_find_run(const struct execution *x, struct locked_stage *now);

#endif
