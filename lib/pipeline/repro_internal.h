/*
 * What the parts of repro.h share.
 */
#ifndef LIB_PIPELINE_REPRO_INTERNAL_H
#define LIB_PIPELINE_REPRO_INTERNAL_H

#include <pthread.h>
#include <sys/stat.h>

#include "lib/base/strmap.h"
#include "lib/pipeline/repro.h"
#include "lib/pipeline/stagelocks.h"

enum repro_state {
	REPRO_STATE_WAITING = 0,
	REPRO_STATE_RUNNING,
	REPRO_STATE_DONE,
	REPRO_STATE_FAILED,
	REPRO_STATE_SKIPPED
};

struct repro_stage {
	int wanted;
	enum repro_state state;
	int ran;		     /* its outputs may be others now (dry: would be) */
	int only_outs;		     /* nothing but outputs differs: they are put back */
	const struct stage *culprit; /* SKIPPED: who failed */
};

/* A stage that is being executed. */
struct repro_task {
	struct repro *repro;
	int used;
	size_t stage;
	struct stale why;
	int force;
	pthread_t thread;
	int finished; /* guarded by `finishing` */
	int result;   /* of execute_stage */
	char *message;
};

struct repro {
	const struct stale_context *context;
	const struct dag *dag;
	const struct repro_options *o;
	const struct repro_watcher *watcher;
	struct repro_result *result;
	struct repro_stage *stages; /* by index in the pipeline */
	struct stagelocks *locks;   /* as they were when it began */
	struct stat *before;	    /* of each of these files; zeroed: there was none */
	struct repro_task *tasks;   /* as many as jobs */
	int jobs;		    /* as asked for, but not more than there are stages */
	size_t running;
	struct strmap resources; /* name -> struct resource; "mutex <name>", too */
	int failure;		 /* code of the first */
	struct buf failure_message, failed_names;
	int interrupted, attributes_changed;
	pthread_mutex_t telling, finishing;
	pthread_cond_t finished;
};

/* What would not differ once stages above have put their outputs back is no reason: such reasons
 * alone are released, with outputs of its own they are `only_outs`. */
void repro_dry_forgive(const struct repro *r, size_t i, struct stale *why);

/* Mutexes and resources, of this run.  A stage that wants more than there is gets all of it. */
int repro_has_resources(struct repro *r, const struct stage *s);
void repro_take_resources(struct repro *r, const struct stage *s);
void repro_give_resources(struct repro *r, const struct stage *s);
void repro_free_resources(struct repro *r);

#endif
