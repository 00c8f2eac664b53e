/*
 * Layers of a graph: each node one below the lowest that it needs, one that needs nothing right
 * above the first that needs it; edges that span layers are cut into pieces by dummies.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/table/graph_internal.h"
#include "lib/table/width.h"

static int too_large(void)
{
	return err_set(ERR_LIMIT,
		"the graph is too large to be drawn with characters; --dot and --mermaid draw it");
}

/* layer[i] by the longest way from a node that needs nothing (Kahn 1962).  ERR_INVALID: a cycle. */
static int longest_ways(size_t *layer, const struct graphdraw *g)
{
	size_t *needs = calloc(g->n_nodes + 1, sizeof(*needs));
	size_t done = 0, before;

	if (needs == NULL)
		return err_no_memory();
	for (size_t e = 0; e < g->n_edges; e++)
		needs[g->edges[e].to]++;
	memset(layer, 0, g->n_nodes * sizeof(*layer));
	do {
		before = done;
		for (size_t i = 0; i < g->n_nodes; i++) {
			if (needs[i] != 0)
				continue;
			needs[i] = (size_t)-1; /* done */
			done++;
			for (size_t e = 0; e < g->n_edges; e++) {
				if (g->edges[e].from != i)
					continue;
				needs[g->edges[e].to]--;
				if (layer[g->edges[e].to] <= layer[i])
					layer[g->edges[e].to] = layer[i] + 1;
			}
		}
	} while (done > before);
	free(needs);
	return done == g->n_nodes ? 0 : err_set(ERR_INVALID, "the graph has a cycle");
}

/* What needs nothing goes down to where it is needed: shorter edges. */
static void sink_sources(size_t *layer, const struct graphdraw *g)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		size_t lowest = (size_t)-1;

		if (layer[i] != 0)
			continue;
		for (size_t e = 0; e < g->n_edges; e++)
			if (g->edges[e].from == i && layer[g->edges[e].to] < lowest)
				lowest = layer[g->edges[e].to];
		if (lowest != (size_t)-1)
			layer[i] = lowest - 1;
	}
}

/* How many vertices and pieces of edges there will be. */
static int count(
	size_t *n_vertices, size_t *n_pieces, const size_t *layer, const struct graphdraw *g)
{
	*n_vertices = g->n_nodes;
	*n_pieces = 0;
	for (size_t e = 0; e < g->n_edges; e++) {
		size_t span = layer[g->edges[e].to] - layer[g->edges[e].from];

		*n_vertices += span - 1;
		*n_pieces += span;
		if (*n_vertices > GRAPHDRAW_VERTICES_MAX || *n_pieces > 4 * GRAPHDRAW_VERTICES_MAX)
			return too_large();
	}
	return 0;
}

/* The pieces of all edges: dummies get their numbers on the way. */
static void cut(struct graph *out, struct graphdraw_edge *pieces, const size_t *layer,
	const struct graphdraw *g)
{
	size_t n = g->n_nodes, p = 0;

	for (size_t i = 0; i < g->n_nodes; i++)
		out->v[i] = (struct graph_vertex){
			.node = i, .layer = layer[i], .width = (long)width_of(g->labels[i]) + 4};
	for (size_t e = 0; e < g->n_edges; e++) {
		size_t from = g->edges[e].from;

		for (size_t l = layer[from] + 1; l < layer[g->edges[e].to]; l++) {
			out->v[n] =
				(struct graph_vertex){.node = GRAPH_DUMMY, .layer = l, .width = 1};
			pieces[p++] = (struct graphdraw_edge){from, n};
			from = n++;
		}
		pieces[p++] = (struct graphdraw_edge){from, g->edges[e].to};
	}
}

/* Hand out the memory for ends and layers, and fill both. */
static void connect(struct graph *out, const struct graphdraw_edge *pieces, size_t n_pieces)
{
	size_t *next = out->memory;

	for (size_t p = 0; p < n_pieces; p++) {
		out->v[pieces[p].from].down.n++;
		out->v[pieces[p].to].up.n++;
	}
	for (size_t i = 0; i < out->n; i++) {
		struct graph_vertex *v = &out->v[i];

		v->up.v = next;
		v->down.v = next + v->up.n;
		next = v->down.v + v->down.n;
		v->up.n = v->down.n = 0;
		out->layers[v->layer].n++;
	}
	for (size_t p = 0; p < n_pieces; p++) {
		struct graph_vertex *from = &out->v[pieces[p].from], *to = &out->v[pieces[p].to];

		from->down.v[from->down.n++] = pieces[p].to;
		to->up.v[to->up.n++] = pieces[p].from;
	}
	for (size_t l = 0; l < out->n_layers; l++) {
		out->layers[l].v = next;
		next += out->layers[l].n;
		out->layers[l].n = 0;
	}
}

/* Into the layers as a walk from the first node down meets them: what belongs together is together.
 */
static void visit(struct graph *g, size_t i)
{
	struct graph_vertex *v = &g->v[i];
	struct graph_layer *l = &g->layers[v->layer];

	if (v->place != (size_t)-1)
		return;
	v->place = l->n;
	l->v[l->n++] = i;
	for (size_t k = 0; k < v->down.n; k++)
		visit(g, v->down.v[k]);
}

static void first_order(struct graph *g)
{
	for (size_t i = 0; i < g->n; i++)
		g->v[i].place = (size_t)-1;
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].up.n == 0)
			visit(g, i);
}

static int allocate(struct graph *out, struct graphdraw_edge **pieces, size_t n_vertices,
	size_t n_pieces, const size_t *layer, const struct graphdraw *g)
{
	for (size_t i = 0; i < g->n_nodes; i++)
		if (layer[i] + 1 > out->n_layers)
			out->n_layers = layer[i] + 1;
	out->n = n_vertices;
	out->v = calloc(n_vertices + 1, sizeof(*out->v));
	out->layers = calloc(out->n_layers + 1, sizeof(*out->layers));
	out->memory = calloc(2 * n_pieces + n_vertices + 1, sizeof(*out->memory));
	*pieces = calloc(n_pieces + 1, sizeof(**pieces));
	return out->v != NULL && out->layers != NULL && out->memory != NULL && *pieces != NULL
		       ? 0
		       : err_no_memory();
}

int graph_layers(struct graph *out, const struct graphdraw *g)
{
	struct graphdraw_edge *pieces = NULL;
	size_t *layer = NULL;
	size_t n_vertices, n_pieces;
	int rc;

	memset(out, 0, sizeof(*out));
	if (g->n_nodes > GRAPHDRAW_NODES_MAX || g->n_edges > GRAPHDRAW_VERTICES_MAX)
		return too_large();
	layer = calloc(g->n_nodes + 1, sizeof(*layer));
	rc = layer != NULL ? longest_ways(layer, g) : err_no_memory();
	if (rc < 0)
		goto done;
	sink_sources(layer, g);
	rc = count(&n_vertices, &n_pieces, layer, g);
	if (rc == 0)
		rc = allocate(out, &pieces, n_vertices, n_pieces, layer, g);
	if (rc < 0)
		goto done;
	cut(out, pieces, layer, g);
	connect(out, pieces, n_pieces);
	first_order(out);
done:
	free(pieces);
	free(layer);
	if (rc < 0)
		graph_release(out);
	return rc;
}

void graph_release(struct graph *g)
{
	free(g->v);
	free(g->layers);
	free(g->memory);
	memset(g, 0, sizeof(*g));
}
