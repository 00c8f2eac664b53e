/*
 * The formats of a drawn graph (graphdraw.h): dot and Mermaid are lists of nodes and edges, the
 * rest is the work of the programs that read them; ASCII is drawn here.
 */
#include "lib/table/graphdraw.h"

#include "lib/base/err.h"
#include "lib/table/graph_internal.h"

static int check(const struct graphdraw *g)
{
	for (size_t e = 0; e < g->n_edges; e++)
		if (g->edges[e].from >= g->n_nodes || g->edges[e].to >= g->n_nodes)
			return err_set(ERR_INVALID, "the graph has an edge without a node");
	return 0;
}

/* Wide enough for all lines that enter. */
static void widen(struct graph *g)
{
	for (size_t i = 0; i < g->n; i++) {
		long least = 2 * (long)g->v[i].up.n + 3;

		if (g->v[i].node != GRAPH_DUMMY && g->v[i].up.n > 1 && g->v[i].width < least)
			g->v[i].width = least;
	}
}

static int draw_ascii(struct buf *out, const struct graphdraw *g)
{
	struct graph graph;
	int rc = graph_layers(&graph, g);

	if (rc < 0)
		return rc;
	widen(&graph);
	rc = graph_order(&graph);
	if (rc == 0)
		rc = graph_columns(&graph);
	if (rc == 0)
		rc = graph_paint(out, &graph, g);
	graph_release(&graph);
	return rc;
}

/* In double quotes; Mermaid knows no backslash, but entities. */
static int add_quoted(struct buf *out, const char *text, const char *quote, const char *backslash)
{
	int rc = buf_addch(out, '"');

	for (; rc == 0 && *text != '\0'; text++) {
		if (*text == '"')
			rc = buf_addstr(out, quote);
		else if (*text == '\\')
			rc = buf_addstr(out, backslash);
		else
			rc = buf_addch(out, *text);
	}
	return rc == 0 ? buf_addch(out, '"') : rc;
}

static int draw_dot(struct buf *out, const struct graphdraw *g)
{
	int rc = buf_addstr(out, "strict digraph {\n");

	for (size_t i = 0; rc == 0 && i < g->n_nodes; i++) {
		rc = add_quoted(out, g->labels[i], "\\\"", "\\\\");
		if (rc == 0)
			rc = buf_addstr(out, ";\n");
	}
	for (size_t e = 0; rc == 0 && e < g->n_edges; e++) {
		rc = add_quoted(out, g->labels[g->edges[e].from], "\\\"", "\\\\");
		if (rc == 0)
			rc = buf_addstr(out, " -> ");
		if (rc == 0)
			rc = add_quoted(out, g->labels[g->edges[e].to], "\\\"", "\\\\");
		if (rc == 0)
			rc = buf_addstr(out, ";\n");
	}
	return rc == 0 ? buf_addstr(out, "}\n") : rc;
}

static int draw_mermaid(struct buf *out, const struct graphdraw *g)
{
	int rc = buf_addstr(out, "flowchart TD\n");

	for (size_t i = 0; rc == 0 && i < g->n_nodes; i++) {
		rc = buf_addf(out, "\tnode%zu[", i + 1);
		if (rc == 0)
			rc = add_quoted(out, g->labels[i], "#quot;", "\\");
		if (rc == 0)
			rc = buf_addstr(out, "]\n");
	}
	for (size_t e = 0; rc == 0 && e < g->n_edges; e++)
		rc = buf_addf(
			out, "\tnode%zu-->node%zu\n", g->edges[e].from + 1, g->edges[e].to + 1);
	return rc;
}

int graphdraw(struct buf *out, const struct graphdraw *g, enum graphdraw_format format)
{
	int rc = check(g);

	if (rc < 0)
		return rc;
	switch (format) {
	case GRAPHDRAW_DOT:
		return draw_dot(out, g);
	case GRAPHDRAW_MERMAID:
		return draw_mermaid(out, g);
	default:
		return draw_ascii(out, g);
	}
}

int graphdraw_crossings(size_t *out, const struct graphdraw *g)
{
	struct graph graph;
	int rc = check(g);

	if (rc == 0)
		rc = graph_layers(&graph, g);
	if (rc < 0)
		return rc;
	rc = graph_order(&graph);
	if (rc == 0)
		*out = graph_crossings(&graph);
	graph_release(&graph);
	return rc;
}
