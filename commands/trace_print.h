/*
 * Answers of lib/lineage as text and Markdown.
 */
#ifndef COMMANDS_TRACE_PRINT_H
#define COMMANDS_TRACE_PRINT_H

#include "lib/base/buf.h"
#include "lib/yaml/node.h"

/* Append an answer of lineage_trace. */
int trace_text(struct buf *out, const struct node *answer);
int trace_markdown(struct buf *out, const struct node *answer);
/* Append an answer of lineage_diff. */
int trace_diff_text(struct buf *out, const struct node *answer);
int trace_diff_markdown(struct buf *out, const struct node *answer);

/* ---- shared by both ---- */

/* The visible text of a scalar in a map; `missing` where there is none. */
int trace_add(struct buf *out, const struct node *map, const char *key, const char *missing);
/* "2023-12-01 10:00 +0100" of an ISO date. */
int trace_date(struct buf *out, const char *iso);
/* "12.0 KiB, 1,000 rows, sha256:2c26b46b68ff": what is known of a file. */
int trace_facts(struct buf *out, const struct node *file);
/* A value, shortened if need be: 0.91, "a text", [1,2]. */
int trace_value(struct buf *out, const struct node *value);
/* The list "unknown". */
int trace_unknown(struct buf *out, const struct node *answer, const char *bullet);

#endif
