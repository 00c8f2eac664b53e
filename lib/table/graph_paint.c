/*
 * Painting a graph whose vertices have their columns: boxes layer by layer, and between two layers
 * the lines of each node in a row of their own ("channel routing", Hashimoto and Stevens 1971).
 *
 * A line leaves its node at one place, runs along its row, and enters each box at a place that no
 * other line has.  Where one line's way down would cover another's, the first gets the higher row.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/table/graph_internal.h"
#include "lib/table/width.h"

/* One piece of an edge, between two layers. */
struct piece {
	size_t from, to; /* vertices */
	long out, in;	 /* columns */
};

/* All pieces that leave one vertex. */
struct net {
	struct piece *v;
	size_t n;
	long left, right;
	size_t row; /* 0: straight down */
};

struct channel {
	struct piece *pieces;
	size_t n_pieces;
	struct net *nets;
	size_t n_nets;
	size_t rows;   /* with lines across */
	size_t *lines; /* by column, `width` + 1: how many to the left of it have a line down */
	long width;
};

static int is_dummy(const struct graph_vertex *v)
{
	return v->node == GRAPH_DUMMY;
}

/* ---- where lines leave and enter ---- */

static int by_target(const void *x, const void *y)
{
	const struct piece *a = *(struct piece *const *)x, *b = *(struct piece *const *)y;

	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return a->out < b->out ? -1 : a->out > b->out;
}

/* 1 if a line of another vertex enters in this column. */
static int entered(const struct channel *c, const struct net *net, long column)
{
	for (size_t i = 0; i < c->n_pieces; i++)
		if (c->pieces[i].in == column && c->pieces[i].from != net->v[0].from)
			return 1;
	return 0;
}

/* 1 if a passing line of another vertex leaves the upper layer in this column. */
static int passed(const struct graph *g, const struct channel *c, size_t from, long column)
{
	for (size_t i = 0; i < c->n_nets; i++) {
		size_t other = c->nets[i].v[0].from;

		if (other != from && is_dummy(&g->v[other]) && g->v[other].x == column)
			return 1;
	}
	return 0;
}

/* The columns in which the vertices are entered: side by side around the middle, from left to right
 * as the lines come, each not below another's line (those are more than two columns apart). */
static int enter(const struct graph *g, struct channel *c)
{
	struct piece **sorted = calloc(c->n_pieces + 1, sizeof(struct piece *));
	size_t n;

	if (sorted == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < c->n_pieces; i++)
		sorted[i] = &c->pieces[i];
	qsort(sorted, c->n_pieces, sizeof(struct piece *), by_target);
	for (size_t i = 0; i < c->n_pieces; i += n) {
		const struct graph_vertex *to = &g->v[sorted[i]->to];

		n = to->up.n;
		for (size_t k = 0; k < n; k++) {
			struct piece *p = sorted[i + k];
			long last = k > 0 ? sorted[i + k - 1]->in : -1;

			p->in = to->x + 2 * (long)k - (long)(n - 1);
			if (!is_dummy(to) && passed(g, c, p->from, p->in))
				p->in += p->in - 1 > last && !passed(g, c, p->from, p->in - 1) ? -1
											       : 1;
		}
	}
	free(sorted);
	return 0;
}

/* A box is left where no other line comes down to enter, if there is such a place. */
static void leave(const struct graph *g, struct channel *c)
{
	for (size_t i = 0; i < c->n_nets; i++) {
		struct net *net = &c->nets[i];
		const struct graph_vertex *from = &g->v[net->v[0].from];
		long out = from->x;

		for (long d = 1; !is_dummy(from) && entered(c, net, out) && d < from->width / 2;
			d++)
			out = !entered(c, net, from->x + d) ? from->x + d : from->x - d;
		if (entered(c, net, out))
			out = from->x;
		net->left = net->right = out;
		for (size_t k = 0; k < net->n; k++) {
			net->v[k].out = out;
			net->left = net->v[k].in < net->left ? net->v[k].in : net->left;
			net->right = net->v[k].in > net->right ? net->v[k].in : net->right;
		}
	}
}

/* A passing line that would enter where another passing line leaves moves by a column: else two
 * that cross could need each other's row. */
static void part_dummies(struct graph *g, size_t l)
{
	for (size_t i = 0; i < g->layers[l + 1].n; i++) {
		struct graph_vertex *to = &g->v[g->layers[l + 1].v[i]];

		for (size_t k = 0; is_dummy(to) && k < g->layers[l].n; k++) {
			const struct graph_vertex *from = &g->v[g->layers[l].v[k]];

			if (is_dummy(from) && from->x == to->x &&
				to->up.v[0] != g->layers[l].v[k]) {
				to->x++;
				break;
			}
		}
	}
}

/* ---- rows ---- */

/* 1 if `a` must be above `b`: it leaves in a column in which `b` enters. */
static int above(const struct net *a, const struct net *b)
{
	for (size_t k = 0; a != b && k < b->n; k++)
		if (b->v[k].in == a->v[0].out)
			return 1;
	return 0;
}

/* 1 if some net that must be above `net` has no row yet. */
static int waits(const struct channel *c, const struct net *net, const char *done)
{
	for (size_t i = 0; i < c->n_nets; i++)
		if (!done[i] && above(&c->nets[i], net))
			return 1;
	return 0;
}

static int count_lines(struct channel *c, long width)
{
	c->width = width;
	c->lines = calloc((size_t)width + 1, sizeof(*c->lines));
	if (c->lines == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < c->n_pieces; i++) {
		const long columns[] = {c->pieces[i].in, c->pieces[i].out};

		for (size_t k = 0; k < 2; k++)
			if (columns[k] >= 0 && columns[k] < width)
				c->lines[columns[k] + 1] = 1;
	}
	for (long x = 0; x < width; x++)
		c->lines[x + 1] += c->lines[x];
	return 0;
}

/* 1 if some column from `left` to `right` has no line down at all. */
static int has_gap(const struct channel *c, long left, long right)
{
	if (left > right)
		return 0;
	if (left < 0 || right >= c->width)
		return 1;
	return c->lines[right + 1] - c->lines[left] < (size_t)(right - left + 1);
}

/* Two nets may share a row when a blank is between them: what crosses there would join them for the
 * eye. */
static int row_is_free(const struct channel *c, const struct net *net, size_t row)
{
	for (size_t i = 0; i < c->n_nets; i++) {
		const struct net *other = &c->nets[i];

		if (other->row != row || other == net)
			continue;
		if (!has_gap(c, net->right + 1, other->left - 1) &&
			!has_gap(c, other->right + 1, net->left - 1))
			return 0;
	}
	return 1;
}

static void give_row(struct channel *c, struct net *net)
{
	size_t row = 1;

	if (net->left == net->right)
		return;
	for (size_t i = 0; i < c->n_nets; i++)
		if (c->nets[i].row >= row && above(&c->nets[i], net))
			row = c->nets[i].row + 1;
	while (!row_is_free(c, net, row))
		row++;
	net->row = row;
	if (row > c->rows)
		c->rows = row;
}

/* Those that wait for nobody first; in a ring of waiting ones somebody has to begin. */
static int give_rows(struct channel *c)
{
	char *done = calloc(c->n_nets + 1, 1);
	size_t left = c->n_nets;
	int ring = 0;

	if (done == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	while (left > 0) {
		size_t before = left;

		for (size_t i = 0; i < c->n_nets; i++) {
			if (done[i] || (!ring && waits(c, &c->nets[i], done)))
				continue;
			give_row(c, &c->nets[i]);
			done[i] = 1;
			left--;
			if (ring)
				break;
		}
		ring = left == before;
	}
	free(done);
	return 0;
}

/* ---- paint ---- */

static int add_line(struct buf *out, struct buf *line)
{
	int rc;

	buf_rtrim(line);
	rc = buf_add(out, line->p, line->len);
	buf_reset(line);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

static int add_many(struct buf *out, char c, long n)
{
	int rc = 0;

	while (rc == 0 && n-- > 0)
		rc = buf_addch(out, c);
	return rc;
}

/* One of the three rows of a vertex. */
static int add_vertex(
	struct buf *line, const struct graph_vertex *v, const struct graphdraw *what, int row)
{
	long room;
	int rc;

	if (is_dummy(v))
		return buf_addch(line, '|');
	if (row != 1) {
		rc = buf_addch(line, '+');
		if (rc == 0)
			rc = add_many(line, '-', v->width - 2);
		return rc == 0 ? buf_addch(line, '+') : rc;
	}
	room = v->width - 2 - (long)width_of(what->labels[v->node]);
	rc = buf_addch(line, '|');
	if (rc == 0)
		rc = add_many(line, ' ', room / 2);
	if (rc == 0)
		rc = buf_addstr(line, what->labels[v->node]);
	if (rc == 0)
		rc = add_many(line, ' ', room - room / 2);
	return rc == 0 ? buf_addch(line, '|') : rc;
}

static int paint_layer(struct buf *out, const struct graph *g, const struct graph_layer *layer,
	const struct graphdraw *what)
{
	struct buf line = BUF_INIT;
	int rc = 0;

	for (int row = 0; rc == 0 && row < 3; row++) {
		long column = 0;

		for (size_t i = 0; rc == 0 && i < layer->n; i++) {
			const struct graph_vertex *v = &g->v[layer->v[i]];
			long left = v->x - v->width / 2;

			rc = add_many(&line, ' ', left - column);
			if (rc == 0)
				rc = add_vertex(&line, v, what, row);
			column = left + v->width;
		}
		if (rc == 0)
			rc = add_line(out, &line);
	}
	buf_release(&line);
	return rc;
}

/* What of a net is in one row of the channel: row 0 is right below the boxes. */
static void paint_net(char *line, const struct net *net, size_t row)
{
	long out = net->v[0].out;

	if (row < net->row || (net->row == 0 && net->n > 0))
		line[out] = '|';
	if (net->row == 0)
		return;
	for (size_t k = 0; row > net->row && k < net->n; k++)
		line[net->v[k].in] = '|';
	if (row != net->row)
		return;
	for (long x = net->left; x <= net->right; x++)
		if (line[x] == ' ')
			line[x] = '-';
	line[out] = '+';
	for (size_t k = 0; k < net->n; k++)
		line[net->v[k].in] = '+';
}

static int paint_channel(struct buf *out, const struct channel *c, long width)
{
	size_t rows = c->rows > 0 ? c->rows + 2 : 1;
	struct buf line = BUF_INIT;
	int rc = 0;

	for (size_t row = 0; rc == 0 && row < rows; row++) {
		rc = add_many(&line, ' ', width);
		/* Lines down first: what goes across passes behind them. */
		for (int across = 0; rc == 0 && across < 2; across++)
			for (size_t i = 0; i < c->n_nets; i++)
				if ((c->nets[i].row == row && row > 0) == across)
					paint_net(line.p, &c->nets[i], row);
		if (rc == 0)
			rc = add_line(out, &line);
	}
	buf_release(&line);
	return rc;
}

/* ---- all of it ---- */

static int collect(struct channel *c, const struct graph *g, size_t l)
{
	const struct graph_layer *layer = &g->layers[l];
	size_t n = 0;

	for (size_t i = 0; i < layer->n; i++)
		n += g->v[layer->v[i]].down.n;
	c->pieces = calloc(n + 1, sizeof(*c->pieces));
	c->nets = calloc(layer->n + 1, sizeof(*c->nets));
	if (c->pieces == NULL || c->nets == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < layer->n; i++) {
		const struct graph_vertex *v = &g->v[layer->v[i]];
		struct net *net = &c->nets[c->n_nets];

		if (v->down.n == 0)
			continue;
		*net = (struct net){.v = &c->pieces[c->n_pieces], .n = v->down.n};
		for (size_t k = 0; k < v->down.n; k++)
			c->pieces[c->n_pieces++] =
				(struct piece){layer->v[i], v->down.v[k], v->x, 0};
		c->n_nets++;
	}
	return 0;
}

static int route(struct buf *out, struct graph *g, size_t l, long width)
{
	struct channel c = {0};
	int rc;

	part_dummies(g, l);
	rc = collect(&c, g, l);
	if (rc == 0)
		rc = enter(g, &c);
	if (rc == 0) {
		leave(g, &c);
		rc = count_lines(&c, width);
	}
	if (rc == 0)
		rc = give_rows(&c);
	if (rc == 0)
		rc = paint_channel(out, &c, width);
	free(c.pieces);
	free(c.nets);
	free(c.lines);
	return rc;
}

int graph_paint(struct buf *out, struct graph *g, const struct graphdraw *what)
{
	long width = 0;
	int rc = 0;

	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].x + g->v[i].width + 2 > width)
			width = g->v[i].x + g->v[i].width + 2;
	for (size_t l = 0; rc == 0 && l < g->n_layers; l++) {
		rc = paint_layer(out, g, &g->layers[l], what);
		if (rc == 0 && l + 1 < g->n_layers)
			rc = route(out, g, l, width);
	}
	return rc;
}
