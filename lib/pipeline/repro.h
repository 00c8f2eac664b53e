/*
 * `git dvx repro`: the stages that are asked for and all they need, in order, several at once; each
 * is looked at when those before it are done.
 */
#ifndef LIB_PIPELINE_REPRO_H
#define LIB_PIPELINE_REPRO_H

#include "lib/pipeline/dag.h"
#include "lib/pipeline/execute.h"

struct repro_options {
	struct execute_options execute; /* its `tell` and `data` are not looked at */
	int jobs;			/* stages at once; 1: in order */
	int single;			/* -s: only the stages named, not what they need */
	int downstream;			/* from the stages named down to the last */
	int force;			/* -f: also what did not change */
	int force_downstream;		/* once a stage ran, all that need it run */
	int keep_going;			/* -k: a failure stops only those that need it */
	int explain;
};

enum repro_event {
	REPRO_UNCHANGED = 100, /* "Stage 'x' didn't change, skipping" */
	REPRO_FROZEN, /* "Stage 'x' is frozen. Its dependencies are not going to be reproduced." */
	REPRO_STALE, /* `why` is set: about to run (or, dry: would); dry: `why` is NULL for one that
			needs the stage `text`, which would run */
	REPRO_RAN,   /* text: "ran", "cached" (from the run cache), "restored" */
	REPRO_FAILED, /* text: the message */
	REPRO_SKIPPED /* text: the stage that failed above it */
};

struct repro_watcher {
	/* One call at a time, in whatever order things happen: of enum repro_event, and of enum
	 * execute_event.  `s` is NULL for EXECUTE_RECOVERED. */
	void (*tell)(const struct stage *s, int event, const struct stale *why, const char *text,
		void *data);
	void *data;
};

struct repro_result {
	size_t unchanged, ran, cached, restored, failed, skipped, would_run;
	struct strvec changed_files; /* dvx.lock, .gitattributes…: to commit with the outputs */
	struct strvec ignored;	     /* outputs that an ignore rule hides from Git */
};
void repro_result_release(struct repro_result *r);

/* `targets` (n of them; 0: nothing).  A frozen stage is never run, and what only it needs is not
 * looked at.  0; the first failure's code when a stage failed: the message says which, and also why
 * unless stages went on behind the first failure (then REPRO_FAILED told it); ERR_INTERRUPTED. */
int repro_run(const struct stale_context *c, const struct dag *d,
	const struct stage *const *targets, size_t n, const struct repro_options *o,
	const struct repro_watcher *w, struct repro_result *r);

#endif
