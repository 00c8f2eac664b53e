/*
 * The summary of a row diff as a tree (docs/row-diff.md): the same in every answer in JSON.
 */
#ifndef LIB_LINEAGE_ROWSUMMARY_H
#define LIB_LINEAGE_ROWSUMMARY_H

#include "lib/table/rowdiff.h"
#include "lib/yaml/node.h"

/* Add "rows", "added", "removed", "changed", "same", "key_from", "key", "columns" and
 * "changed_cells" to a map.  0 or ERR_NOMEM. */
int rowsummary_node(struct node *map, const struct rowdiff_summary *s);

#endif
