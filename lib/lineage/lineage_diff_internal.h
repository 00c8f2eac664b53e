/*
 * The parts of lineage_diff.c: each adds one section to the comparison.
 */
#ifndef LIB_LINEAGE_LINEAGE_DIFF_INTERNAL_H
#define LIB_LINEAGE_LINEAGE_DIFF_INTERNAL_H

#include "lib/lineage/lineage_internal.h"

struct lineage_diff {
	struct lineage *l;
	const struct node *old, *now; /* answers of lineage_trace */
	struct node *root;
	struct node *unknown;	      /* owned until it is put into the answer */
	struct git_reader *diff_tree; /* runs while the sections before "code" are made */
};

/* ---- lineage_diff_data.c ---- */

/* Add "data": files that differ, with rows and columns of tables. */
int lineage_diff_data(struct lineage_diff *d);

/* ---- lineage_diff_code.c ---- */

/* Have Git list the files that differ, which lineage_diff_code() reads. */
int lineage_diff_code_begin(struct lineage_diff *d);
/* Add "code": commits between the two, files that are neither data nor told elsewhere, and the code
 * that the stages were run with. */
int lineage_diff_code(struct lineage_diff *d);

/* ---- lineage_diff_values.c ---- */

/* Add "params" and "metrics", "stages" and "environment". */
int lineage_diff_values(struct lineage_diff *d);
int lineage_diff_stages(struct lineage_diff *d);

/* ---- lineage_causes.c ---- */

/* Add "causes" out of all sections, the most likely one first.  Pure. */
int lineage_causes(struct node *root);

#endif
