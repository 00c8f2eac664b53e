/*
 * The order of vertices in their layers: fewer crossings.
 *
 * Sweeps down and up by barycentres, each followed by exchanges of neighbours for as long as one
 * helps; a layer of few vertices is tried in every order.  The best order that was seen wins.
 * Deterministic.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/table/graph_internal.h"

enum { SWEEPS = 24, TRY_ALL_MAX = 6, LARGE = 4000 };

/* Crossings between the pieces that end in `a` and in `b` when a stands left of b: both lists of
 * places are ascending. */
static size_t crossings_of(const size_t *a, size_t na, const size_t *b, size_t nb)
{
	size_t n = 0, below = 0;

	for (size_t i = 0; i < na; i++) {
		while (below < nb && b[below] < a[i])
			below++;
		n += below;
	}
	return n;
}

static int by_number(const void *x, const void *y)
{
	size_t a = *(const size_t *)x, b = *(const size_t *)y;

	return a < b ? -1 : a > b;
}

/* Number of crossings below layer l. */
static size_t crossings_below(const struct graph *g, size_t l, size_t *tree, size_t *ends)
{
	const struct graph_layer *upper = &g->layers[l];
	size_t width = g->layers[l + 1].n, seen = 0, n = 0;

	/* For each end from left to right: how many earlier ones lie right of it (a Fenwick tree).
	 */
	memset(tree, 0, (width + 1) * sizeof(*tree));
	for (size_t i = 0; i < upper->n; i++) {
		const struct graph_ends *down = &g->v[upper->v[i]].down;

		for (size_t k = 0; k < down->n; k++)
			ends[k] = g->v[down->v[k]].place;
		qsort(ends, down->n, sizeof(*ends), by_number);
		for (size_t k = 0; k < down->n; k++) {
			size_t left = 0;

			for (size_t t = ends[k] + 1; t > 0; t -= t & -t)
				left += tree[t];
			n += seen - left;
			for (size_t t = ends[k] + 1; t <= width; t += t & -t)
				tree[t]++;
			seen++;
		}
	}
	return n;
}

static size_t all_crossings(const struct graph *g, size_t *memory)
{
	size_t n = 0;

	for (size_t l = 0; l + 1 < g->n_layers; l++)
		n += crossings_below(g, l, memory, memory + g->n + 2);
	return n;
}

size_t graph_crossings(const struct graph *g)
{
	size_t *memory = calloc(2 * g->n + 4, sizeof(*memory));
	size_t n = memory != NULL ? all_crossings(g, memory) : 0;

	free(memory);
	return n;
}

static void renumber(struct graph *g, size_t l)
{
	for (size_t i = 0; i < g->layers[l].n; i++)
		g->v[g->layers[l].v[i]].place = i;
}

struct weighed {
	double weight;
	size_t place, vertex;
};

static int by_weight(const void *x, const void *y)
{
	const struct weighed *a = x, *b = y;

	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* Sort layer l by the middle of its neighbours above (or below); who has none keeps its place. */
static void sort_by_barycentre(struct graph *g, size_t l, int above, struct weighed *w)
{
	struct graph_layer *layer = &g->layers[l];

	for (size_t i = 0; i < layer->n; i++) {
		const struct graph_vertex *v = &g->v[layer->v[i]];
		const struct graph_ends *ends = above ? &v->up : &v->down;
		double sum = 0;

		for (size_t k = 0; k < ends->n; k++)
			sum += (double)g->v[ends->v[k]].place;
		w[i] = (struct weighed){
			ends->n > 0 ? sum / (double)ends->n : (double)i, i, layer->v[i]};
	}
	qsort(w, layer->n, sizeof(*w), by_weight);
	for (size_t i = 0; i < layer->n; i++)
		layer->v[i] = w[i].vertex;
	renumber(g, l);
}

/* Places of v's neighbours on one side, ascending, into `out`. */
static size_t places_of(const struct graph *g, const struct graph_ends *ends, size_t *out)
{
	for (size_t k = 0; k < ends->n; k++)
		out[k] = g->v[ends->v[k]].place;
	qsort(out, ends->n, sizeof(*out), by_number);
	return ends->n;
}

/* Crossings of a and b's pieces, above and below, with a on the left. */
static size_t pair_crossings(const struct graph *g, size_t a, size_t b, size_t *memory)
{
	size_t *pa = memory, *pb = memory + g->n + 2;
	size_t n;
	size_t na = places_of(g, &g->v[a].up, pa), nb = places_of(g, &g->v[b].up, pb);

	n = crossings_of(pa, na, pb, nb);
	na = places_of(g, &g->v[a].down, pa);
	nb = places_of(g, &g->v[b].down, pb);
	return n + crossings_of(pa, na, pb, nb);
}

/* Exchange neighbours for as long as that helps. */
static void exchange(struct graph *g, size_t l, size_t *memory)
{
	struct graph_layer *layer = &g->layers[l];
	int helped = 1;

	for (size_t round = 0; helped && round < layer->n; round++) {
		helped = 0;
		for (size_t i = 0; i + 1 < layer->n; i++) {
			size_t a = layer->v[i], b = layer->v[i + 1];

			if (pair_crossings(g, b, a, memory) >= pair_crossings(g, a, b, memory))
				continue;
			layer->v[i] = b;
			layer->v[i + 1] = a;
			helped = 1;
		}
	}
	renumber(g, l);
}

/* Of every order of a small layer, the one with the fewest crossings; `cost` is of pairs, [a][b]
 * with a on the left. */
struct trial {
	size_t n;
	size_t cost[TRY_ALL_MAX][TRY_ALL_MAX];
	size_t order[TRY_ALL_MAX], best[TRY_ALL_MAX];
	size_t best_cost;
};

static void try_from(struct trial *t, size_t at, unsigned used, size_t cost)
{
	if (cost >= t->best_cost)
		return;
	if (at == t->n) {
		t->best_cost = cost;
		memcpy(t->best, t->order, sizeof(t->best));
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		size_t more = 0;

		if (used & 1U << i)
			continue;
		for (size_t k = 0; k < at; k++)
			more += t->cost[t->order[k]][i];
		t->order[at] = i;
		try_from(t, at + 1, used | 1U << i, cost + more);
	}
}

static void try_all(struct graph *g, size_t l, size_t *memory)
{
	struct graph_layer *layer = &g->layers[l];
	size_t old[TRY_ALL_MAX];
	struct trial t = {.n = layer->n, .best_cost = (size_t)-1};

	for (size_t i = 0; i < t.n; i++) {
		old[i] = layer->v[i];
		for (size_t k = 0; k < t.n; k++)
			t.cost[i][k] =
				i != k ? pair_crossings(g, layer->v[i], layer->v[k], memory) : 0;
	}
	try_from(&t, 0, 0, 0);
	for (size_t i = 0; i < t.n; i++)
		layer->v[i] = old[t.best[i]];
	renumber(g, l);
}

static void improve(struct graph *g, size_t l, size_t *memory)
{
	if (g->layers[l].n <= TRY_ALL_MAX)
		try_all(g, l, memory);
	else
		exchange(g, l, memory);
}

static void sweep(struct graph *g, int down, struct weighed *w, size_t *memory)
{
	for (size_t i = 0; i < g->n_layers; i++) {
		size_t l = down ? i : g->n_layers - 1 - i;

		sort_by_barycentre(g, l, down, w);
		if (g->n <= LARGE)
			improve(g, l, memory);
	}
}

static void keep_order(const struct graph *g, size_t *places)
{
	for (size_t i = 0; i < g->n; i++)
		places[i] = g->v[i].place;
}

static void take_order(struct graph *g, const size_t *places)
{
	for (size_t i = 0; i < g->n; i++) {
		g->v[i].place = places[i];
		g->layers[g->v[i].layer].v[places[i]] = i;
	}
}

int graph_order(struct graph *g)
{
	size_t *memory = calloc(2 * g->n + 4, sizeof(*memory));
	size_t *best = calloc(g->n + 1, sizeof(*best));
	struct weighed *w = calloc(g->n + 1, sizeof(*w));
	size_t fewest = 0, since = 0;
	int rc = 0;

	if (memory == NULL || best == NULL || w == NULL) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	keep_order(g, best);
	fewest = all_crossings(g, memory);
	for (int i = 0; i < SWEEPS && fewest > 0 && since < 8; i++) {
		size_t n;

		sweep(g, i % 2 == 0, w, memory);
		n = all_crossings(g, memory);
		since++;
		if (n >= fewest)
			continue;
		fewest = n;
		since = 0;
		keep_order(g, best);
	}
	take_order(g, best);
done:
	free(memory);
	free(best);
	free(w);
	return rc;
}
