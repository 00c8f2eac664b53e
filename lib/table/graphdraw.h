/*
 * Drawing a graph for people: boxes in layers made of ASCII characters, Graphviz' dot, Mermaid.
 * Pure.
 *
 * The layers are those of Sugiyama, Tagawa and Toda (1981): a node stands below all that it needs;
 * crossings are reduced by barycentres and exchanges, in small layers by trying every order;
 * columns are placed by isotonic regression.  In the drawing '+' joins, '-' and '|' that meet
 * without a '+' cross, and every line enters its box at a place of its own.
 */
#ifndef LIB_TABLE_GRAPHDRAW_H
#define LIB_TABLE_GRAPHDRAW_H

#include <stddef.h>

#include "lib/base/buf.h"

struct graphdraw_edge {
	size_t from, to; /* `to` needs `from`, and is drawn below it */
};
struct graphdraw {
	const char *const *labels; /* of n_nodes nodes; UTF-8 */
	size_t n_nodes;
	const struct graphdraw_edge *edges; /* without cycles and duplicates */
	size_t n_edges;
};

enum graphdraw_format { GRAPHDRAW_ASCII, GRAPHDRAW_DOT, GRAPHDRAW_MERMAID };

enum {
	GRAPHDRAW_NODES_MAX = 2000,    /* in ASCII */
	GRAPHDRAW_VERTICES_MAX = 40000 /* nodes, and places where long edges pass a layer */
};

/* Append.  0; ERR_INVALID: there is a cycle, or an edge of no node; ERR_LIMIT: too large for ASCII;
 * ERR_NOMEM. */
int graphdraw(struct buf *out, const struct graphdraw *g, enum graphdraw_format format);
/* How often edges cross in the ASCII drawing: *out.  The same errors. */
int graphdraw_crossings(size_t *out, const struct graphdraw *g);

#endif
