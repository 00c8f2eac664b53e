/*
 * Drawings are read back: who follows the lines with the eye must find the edges that were given,
 * and no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/table/graphdraw.h"

enum { NODES = 24, EDGES = 200, LINES = 4000, LABEL = 16 };

struct picture {
	char *line[LINES];
	size_t n;
};

static void cut_lines(struct picture *p, char *text)
{
	p->n = 0;
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		p->line[p->n++] = line;
}

static char at(const struct picture *p, size_t row, size_t column)
{
	return row < p->n && column < strlen(p->line[row]) ? p->line[row][column] : ' ';
}

/* The label of the box whose lower border is at this place, "" if there is none. */
static void box_above(const struct picture *p, size_t row, size_t column, char label[LABEL])
{
	size_t left = column;

	label[0] = '\0';
	if (row < 2 || (at(p, row, column) != '-' && at(p, row, column) != '+'))
		return;
	while (left > 0 && at(p, row, left) == '-')
		left--;
	if (at(p, row, left) == '+' && at(p, row - 1, left) == '|')
		sscanf(p->line[row - 1] + left + 1, " %15[a-z0-9]", label);
}

/* The whole drawing, when it cannot be read. */
static void lost(const struct picture *p)
{
	for (size_t i = 0; i < p->n; i++)
		print_message("%s\n", p->line[i]);
	fail_msg("a line leads nowhere");
}

/* From a place above a box upwards to the box where the line begins. */
static void follow(const struct picture *p, size_t row, size_t column, char label[LABEL])
{
	for (;;) {
		if (at(p, row, column) == '|') {
			box_above(p, row - 1, column, label);
			if (label[0] != '\0')
				return;
			row--;
			continue;
		}
		assert_int_equal(
			at(p, row, column), '+'); /* along the row to where it comes from above */
		while (column > 0 && strchr("-+|", at(p, row, column - 1)))
			column--;
		while (at(p, row, column) != '+' || at(p, row - 1, column) != '|') {
			column++;
			if (strchr("-+|", at(p, row, column)) == NULL)
				lost(p);
		}
		row--;
	}
}

/* Every line that ends on the upper border of a box: edge "from>to" into `found`. */
static size_t read_back(const struct picture *p, char found[][2 * LABEL])
{
	size_t n = 0;

	for (size_t row = 1; row + 2 < p->n; row++) {
		size_t width = strlen(p->line[row]);

		for (size_t left = 0; left < width; left++) {
			char from[LABEL], to[LABEL] = "";
			size_t right;

			if (at(p, row, left) != '+' || at(p, row + 1, left) != '|' ||
				at(p, row, left + 1) != '-')
				continue;
			sscanf(p->line[row + 1] + left + 1, " %15[a-z0-9]", to);
			for (right = left + 1; at(p, row, right) == '-'; right++)
				;
			if (to[0] == '\0' || at(p, row, right) != '+' ||
				at(p, row + 2, left) != '+')
				continue;
			for (size_t c = left + 1; c < right; c++) {
				if (at(p, row - 1, c) != '|')
					continue;
				follow(p, row - 1, c, from);
				snprintf(found[n++], 2 * LABEL, "%s>%s", from, to);
			}
		}
	}
	return n;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct sample {
	char names[NODES][LABEL];
	const char *labels[NODES];
	struct graphdraw_edge edges[EDGES];
	struct graphdraw g;
};

/* Edges go from smaller to larger numbers, so there is no cycle. */
static void make_sample(struct sample *s, unsigned seed, size_t nodes, int one_of)
{
	srand(seed);
	s->g = (struct graphdraw){s->labels, nodes, s->edges, 0};
	for (size_t i = 0; i < nodes; i++) {
		snprintf(s->names[i], LABEL, "n%u%.*s", (unsigned)i % 100, rand() % 8, "abcdefgh");
		s->labels[i] = s->names[i];
	}
	for (size_t i = 0; i < nodes; i++)
		for (size_t k = i + 1; k < nodes && s->g.n_edges < EDGES; k++)
			if (rand() % one_of == 0)
				s->edges[s->g.n_edges++] = (struct graphdraw_edge){i, k};
}

static void check_sample(const struct sample *s)
{
	static char given[EDGES][2 * LABEL], found[10 * EDGES][2 * LABEL];
	struct buf out = BUF_INIT, copy = BUF_INIT;
	struct picture p;
	size_t n;

	assert_int_equal(graphdraw(&out, &s->g, GRAPHDRAW_ASCII), 0);
	assert_int_equal(buf_add(&copy, out.p, out.len), 0);
	cut_lines(&p, copy.p);
	for (size_t e = 0; e < s->g.n_edges; e++)
		snprintf(given[e], 2 * LABEL, "%s>%s", s->labels[s->edges[e].from],
			s->labels[s->edges[e].to]);
	n = read_back(&p, found);
	qsort(given, s->g.n_edges, sizeof(given[0]), by_text);
	qsort(found, n, sizeof(found[0]), by_text);
	if (n != s->g.n_edges)
		print_message("%s\n", out.p);
	assert_int_equal(n, s->g.n_edges);
	for (size_t e = 0; e < n; e++) {
		if (strcmp(given[e], found[e]) != 0)
			print_message("%s\n", out.p);
		assert_string_equal(given[e], found[e]);
	}
	buf_release(&out);
	buf_release(&copy);
}

static void test_random_graphs_read_back(void **state)
{
	struct sample s;

	(void)state;
	for (unsigned seed = 0; seed < 1000; seed++) {
		make_sample(&s, seed, 2 + seed % (NODES - 2), 2 + (int)(seed % 7));
		check_sample(&s);
	}
}

static void test_drawing(void **state)
{
	static const char *const labels[] = {"load", "train", "evaluate", "plot"};
	static const struct graphdraw_edge edges[] = {{0, 1}, {1, 2}, {1, 3}, {0, 3}};
	static const struct graphdraw g = {labels, 4, edges, 4};
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(graphdraw(&out, &g, GRAPHDRAW_ASCII), 0);
	assert_string_equal(out.p, "           +------+\n"
				   "           | load |\n"
				   "           +------+\n"
				   "               |\n"
				   "           +---+---+\n"
				   "           |       |\n"
				   "       +-------+   |\n"
				   "       | train |   |\n"
				   "       +-------+   |\n"
				   "           |       |\n"
				   "      +----+------+|\n"
				   "      |           |++\n"
				   "      |           | |\n"
				   "+----------+   +------+\n"
				   "| evaluate |   | plot |\n"
				   "+----------+   +------+\n");
	buf_release(&out);
}

static void test_crossings_are_few(void **state)
{
	/* Two ladders whose rungs are given crosswise: a planar graph. */
	static const char *const labels[] = {"a", "b", "c", "d", "e", "f"};
	static const struct graphdraw_edge planar[] = {{0, 4}, {1, 3}, {2, 5}, {0, 3}, {2, 4}};
	static const struct graphdraw_edge k33[] = {
		{0, 3}, {0, 4}, {0, 5}, {1, 3}, {1, 4}, {1, 5}, {2, 3}, {2, 4}, {2, 5}};
	size_t n;

	(void)state;
	assert_int_equal(graphdraw_crossings(&n, &(struct graphdraw){labels, 6, planar, 5}), 0);
	assert_int_equal(n, 0);
	assert_int_equal(graphdraw_crossings(&n, &(struct graphdraw){labels, 6, k33, 9}), 0);
	assert_int_equal(n, 9); /* every pair of pairs: no order has fewer */
}

static void test_other_formats(void **state)
{
	static const char *const labels[] = {"load", "a \"b\" \\c"};
	static const struct graphdraw_edge edges[] = {{0, 1}};
	static const struct graphdraw g = {labels, 2, edges, 1};
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(graphdraw(&out, &g, GRAPHDRAW_DOT), 0);
	assert_string_equal(out.p, "strict digraph {\n\"load\";\n\"a \\\"b\\\" \\\\c\";\n"
				   "\"load\" -> \"a \\\"b\\\" \\\\c\";\n}\n");
	buf_reset(&out);
	assert_int_equal(graphdraw(&out, &g, GRAPHDRAW_MERMAID), 0);
	assert_string_equal(out.p,
		"flowchart TD\n\tnode1[\"load\"]\n\tnode2[\"a #quot;b#quot; \\c\"]\n"
		"\tnode1-->node2\n");
	buf_release(&out);
}

static void test_refusals(void **state)
{
	static const char *const labels[] = {"a", "b"};
	static const struct graphdraw_edge ring[] = {{0, 1}, {1, 0}}, nowhere[] = {{0, 2}};
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(graphdraw(&out, &(struct graphdraw){labels, 2, ring, 2}, GRAPHDRAW_ASCII),
		ERR_INVALID);
	assert_int_equal(graphdraw(&out, &(struct graphdraw){labels, 2, nowhere, 1}, GRAPHDRAW_DOT),
		ERR_INVALID);
	assert_int_equal(
		graphdraw(&out, &(struct graphdraw){labels, GRAPHDRAW_NODES_MAX + 1, ring, 0},
			GRAPHDRAW_ASCII),
		ERR_LIMIT);
	assert_int_equal(
		graphdraw(&out, &(struct graphdraw){labels, 0, ring, 0}, GRAPHDRAW_ASCII), 0);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawing),
		cmocka_unit_test(test_random_graphs_read_back),
		cmocka_unit_test(test_crossings_are_few),
		cmocka_unit_test(test_other_formats),
		cmocka_unit_test(test_refusals),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("graphdraw", tests, NULL, NULL);
}
