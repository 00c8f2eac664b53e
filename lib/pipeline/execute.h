/*
 * One stage, run: inputs looked at, claim taken, old outputs set aside, commands started, outputs
 * checked, stored, written to dvx.lock and the run cache - or everything as it was before.
 *
 * The commands are the user's own and go through a shell ($SHELL, else /bin/sh), line by line, in
 * the stage's wdir, with DVX_ROOT, DVX_STAGE (DVC_ROOT and DVC_STAGE, too) and what `env: set:`
 * says.
 */
#ifndef LIB_PIPELINE_EXECUTE_H
#define LIB_PIPELINE_EXECUTE_H

#include "lib/pipeline/stale.h"

enum execute_flags {
	EXECUTE_NO_RUN_CACHE = 1, /* neither look there nor put there */
	EXECUTE_FORCE = 2,	  /* run, whatever the run cache has */
	EXECUTE_NO_COMMIT = 4,	  /* do not store outputs (DVC's --no-commit): dvx.lock only */
	EXECUTE_PULL = 8, /* fetch missing outputs (and run cache entries) from the blob remote */
	EXECUTE_DRY = 16
};

/* How a stage's run is told; called from the thread that runs it. */
enum execute_event {
	EXECUTE_WAITING,  /* text: for whom */
	EXECUTE_COMMAND,  /* text: the line that is started now */
	EXECUTE_OUTPUT,	  /* text: a line of its output, without the newline; only with `capture` */
	EXECUTE_CACHED,	  /* outputs come from the run cache */
	EXECUTE_RESTORED, /* outputs were missing or changed, and were put back */
	EXECUTE_RECOVERED, /* text: a stage of a killed run whose outputs were put back */
	EXECUTE_KEPT,	   /* text: where outputs that had been changed by hand are now */
	EXECUTE_NOTE	   /* text: anything else that the user should know */
};

struct execute_options {
	unsigned flags;
	int capture; /* the commands' stdout and stderr come as EXECUTE_OUTPUT (-j N); else
			inherited */
	void (*tell)(const struct stage *s, enum execute_event e, const char *text, void *data);
	void *data;
	const volatile int *stop;
};

enum execute_result {
	EXECUTE_RAN = 1,
	EXECUTE_FROM_CACHE,
	EXECUTE_PUT_BACK,
	EXECUTE_WOULD_RUN,
	EXECUTE_UNCHANGED /* another run did it, while this one was waiting for its end */
};

/* Run the stage for these reasons (stale_check's).  enum execute_result; ERR_INVALID "stage 'train'
 * failed: 'python train.py' exited with status 1" (and what was put back), ERR_NOTFOUND "stage
 * 'train' did not make its output 'model'", ERR_CHANGED (a dependency changed while it ran),
 * ERR_INTERRUPTED. */
int execute_stage(const struct stale_context *c, const struct stage *s, const struct stale *why,
	const struct execute_options *o);

#endif
