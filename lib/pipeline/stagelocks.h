/*
 * What all stages of a project ran with: the dvx.lock beside each file of stages.
 */
#ifndef LIB_PIPELINE_STAGELOCKS_H
#define LIB_PIPELINE_STAGELOCKS_H

#include "lib/pipeline/pipeline.h"
#include "lib/pipeline/stagelock.h"

struct stagelocks;

/* `p` is borrowed. */
int stagelocks_load(struct stagelocks **out, const struct pipeline *p, struct source *src);
void stagelocks_free(struct stagelocks *l);
/* Borrowed; NULL: the stage never ran. */
const struct locked_stage *stagelocks_get(const struct stagelocks *l, const struct stage *s);

#endif
