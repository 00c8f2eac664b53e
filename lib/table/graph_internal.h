/*
 * The parts of graphdraw.h: a graph in layers, which graph_layers.c makes, graph_order.c puts in
 * order, graph_columns.c gives columns, and graph_paint.c draws.
 */
#ifndef LIB_TABLE_GRAPH_INTERNAL_H
#define LIB_TABLE_GRAPH_INTERNAL_H

#include "lib/table/graphdraw.h"

#define GRAPH_DUMMY ((size_t)-1)

struct graph_ends {
	size_t *v; /* vertices of the neighbouring layer */
	size_t n;
};

/* A node, or a dummy: a place where an edge passes a layer. */
struct graph_vertex {
	size_t node;	     /* GRAPH_DUMMY */
	size_t layer, place; /* place: from the left, in its layer */
	struct graph_ends up, down;
	long width; /* in columns; 1 of a dummy */
	long x;	    /* column of its middle */
};

struct graph_layer {
	size_t *v; /* from left to right */
	size_t n;
};

struct graph {
	struct graph_vertex *v;
	size_t n;
	struct graph_layer *layers;
	size_t n_layers;
	size_t *memory; /* of the ends and layers */
};

/* Layers, dummies, a first order. */
int graph_layers(struct graph *out, const struct graphdraw *g);
void graph_release(struct graph *g);
/* Fewer crossings. */
int graph_order(struct graph *g);
size_t graph_crossings(const struct graph *g);
/* x of every vertex, from column 0. */
int graph_columns(struct graph *g);
int graph_paint(struct buf *out, struct graph *g, const struct graphdraw *what);

#endif
