/*
 * Columns for the vertices of a graph: as near to the middle of their neighbours as order and
 * widths permit.
 *
 * With the distances that neighbours in a layer must keep taken off, that is an isotonic
 * regression, which pooling adjacent violators solves exactly (Ayer et al. 1955); rounding keeps
 * the order.  Layer by layer, down and up.
 */
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/table/graph_internal.h"

enum { GAP = 3, ROUNDS = 10 };

/* What a layer's vertices are pulled towards, and how hard. */
struct pull {
	double to, weight; /* `to` without the distances */
	long offset;	   /* the distances from the first vertex */
};

/* Vertices that move together. */
struct pool {
	double sum, weight;
	size_t n;
};

static long left_of(const struct graph_vertex *v)
{
	return v->width / 2;
}

static long right_of(const struct graph_vertex *v)
{
	return v->width - 1 - v->width / 2;
}

static double middle_of(const struct graph *g, const struct graph_ends *ends)
{
	double sum = 0;

	for (size_t k = 0; k < ends->n; k++)
		sum += (double)g->v[ends->v[k]].x;
	return sum / (double)ends->n;
}

enum { FROM_UP = 1, FROM_DOWN = 2 };

/* A dummy pulls harder than a box, so that long edges are straight. */
static void pulls_of(
	const struct graph *g, const struct graph_layer *layer, int from, struct pull *pulls)
{
	long offset = 0;

	for (size_t i = 0; i < layer->n; i++) {
		const struct graph_vertex *v = &g->v[layer->v[i]];
		double to = 0, sides = 0;

		if (i > 0)
			offset += right_of(&g->v[layer->v[i - 1]]) + GAP + 1 + left_of(v);
		if ((from & FROM_UP) && v->up.n > 0) {
			to += middle_of(g, &v->up);
			sides++;
		}
		if ((from & FROM_DOWN) && v->down.n > 0) {
			to += middle_of(g, &v->down);
			sides++;
		}
		pulls[i].offset = offset;
		pulls[i].to = (sides > 0 ? to / sides : (double)v->x) - (double)offset;
		pulls[i].weight = sides > 0 ? (v->node == GRAPH_DUMMY ? 4 : 1) : 0.01;
	}
}

static void place_layer(struct graph *g, const struct graph_layer *layer, const struct pull *pulls,
	struct pool *pools)
{
	size_t n = 0, at = 0;

	for (size_t i = 0; i < layer->n; i++) {
		pools[n++] = (struct pool){pulls[i].to * pulls[i].weight, pulls[i].weight, 1};
		while (n > 1 && pools[n - 2].sum * pools[n - 1].weight >=
					pools[n - 1].sum * pools[n - 2].weight) {
			pools[n - 2].sum += pools[n - 1].sum;
			pools[n - 2].weight += pools[n - 1].weight;
			pools[n - 2].n += pools[n - 1].n;
			n--;
		}
	}
	for (size_t p = 0; p < n; p++) {
		double middle = pools[p].sum / pools[p].weight;
		long column = (long)(middle < 0 ? middle - 0.5 : middle + 0.5);

		for (size_t k = 0; k < pools[p].n; k++, at++)
			g->v[layer->v[at]].x = column + pulls[at].offset;
	}
}

/* The leftmost box begins in column 0. */
static void shift_to_margin(struct graph *g)
{
	long least = 0;

	for (size_t i = 0; i < g->n; i++)
		if (i == 0 || g->v[i].x - left_of(&g->v[i]) < least)
			least = g->v[i].x - left_of(&g->v[i]);
	for (size_t i = 0; i < g->n; i++)
		g->v[i].x -= least;
}

int graph_columns(struct graph *g)
{
	struct pull *pulls = calloc(g->n + 1, sizeof(*pulls));
	struct pool *pools = calloc(g->n + 1, sizeof(*pools));
	int rc = 0;

	if (pulls == NULL || pools == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t l = 0; l < g->n_layers; l++) {
			pulls_of(g, &g->layers[l], FROM_UP, pulls);
			place_layer(g, &g->layers[l], pulls, pools);
		}
		for (size_t l = g->n_layers; l-- > 0;) {
			pulls_of(g, &g->layers[l],
				round + 1 < ROUNDS ? FROM_DOWN : FROM_UP | FROM_DOWN, pulls);
			place_layer(g, &g->layers[l], pulls, pools);
		}
	}
	shift_to_margin(g);
done:
	free(pulls);
	free(pools);
	return rc;
}
