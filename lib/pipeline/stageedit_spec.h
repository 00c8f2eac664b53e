/*
 * A stage of the command line as the map that dvx.yaml gets, for stageedit.c alone.  Pure.
 */
#ifndef LIB_PIPELINE_STAGEEDIT_SPEC_H
#define LIB_PIPELINE_STAGEEDIT_SPEC_H

#include "lib/pipeline/stageedit.h"
#include "lib/yaml/node.h"

/* 0, or ERR_INVALID: no name that a stage may have (DVC's rule: no punctuation but '-' and '_'). */
int stageedit_check_name(const char *name);
/* The map of the stage, keys in DVC's order; yours.  ERR_INVALID: "env" without "=", … */
int stageedit_spec_node(struct node **out, const struct stage_spec *s);

#endif
