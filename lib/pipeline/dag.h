/*
 * Which stage needs which: edges from outputs to the dependencies that lie at, below or above them.
 * Pure; O((stages + paths) log paths).
 */
#ifndef LIB_PIPELINE_DAG_H
#define LIB_PIPELINE_DAG_H

#include "lib/pipeline/pipeline.h"

struct dag_links {
	size_t *v; /* indices into pipeline.v, ascending, without duplicates */
	size_t n;
};

struct dag {
	const struct pipeline *pipeline;
	struct dag_links *up, *down; /* by stage: whom it needs, who needs it */
	size_t *order; /* all stages, each behind what it needs; as near to the files' order as can
			  be */
};

/* ERR_INVALID: a cycle ("stages 'a' -> 'b' -> 'a' depend on each other"), two stages with one
 * output, an output within another's, with files and lines. */
int dag_new(struct dag **out, const struct pipeline *p);
void dag_free(struct dag *d);

enum dag_direction { DAG_UP = 1, DAG_DOWN = 2 };
/* Mark in `wanted` (one char a stage) everything that marked stages need and/or that needs them. */
int dag_spread(const struct dag *d, char *wanted, int directions);

#endif
