/*
 * What stale.c and stale_inputs.c share.
 */
#ifndef LIB_PIPELINE_STALE_INTERNAL_H
#define LIB_PIPELINE_STALE_INTERNAL_H

#include "lib/pipeline/stale.h"

enum {
	STALE_GATHER_OUTS = 1, /* outputs, too; what is absent is left out or FP_ABSENT */
	STALE_GATHER_ALL = 2   /* a dependency or parameter that is not there is ERR_NOTFOUND */
};

/* The stage as it is declared and found now. */
int stale_gather(
	struct locked_stage **out, const struct stale_context *c, const struct stage *s, int how);

#endif
