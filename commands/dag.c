/*
 * `git dvx dag`: which stage needs which, drawn; `git dvx pipeline show` is its name in old
 * tutorials.
 *
 * The pipeline of the worktree, or of any revision, becomes a graph of stages or (--outs) of what
 * they make; drawing is lib/table/graphdraw.h's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/json.h"
#include "commands/project.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/pipeline/dag.h"
#include "lib/table/graphdraw.h"

enum { AS_ASCII, AS_DOT, AS_MERMAID, AS_MARKDOWN, AS_JSON };

struct drawing {
	struct command_ctx *ctx;
	int format, full, outs, commands, collapse;
	const char *rev;
	char *dir; /* the current directory from the top, no slash behind it */

	struct pipeline *pipeline;
	struct dag *dag;
	char *wanted; /* by stage */

	struct strvec labels;
	struct graphdraw_edge *edges;
	size_t n_edges, cap_edges;
	size_t *first; /* by stage: its first node; outputs follow each other, and stages that are
			  drawn as one share theirs */
};

/* ---- what is to be drawn ---- */

static int find_directory(struct drawing *d)
{
	d->dir = project_directory(d->ctx->g);
	return d->dir != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

static int load(struct drawing *d)
{
	struct source_cache *cache = NULL;
	struct source *src = NULL;
	int rc = command_store(d->ctx);

	if (rc == 0 && d->rev == NULL && d->ctx->g->worktree != NULL) {
		rc = source_worktree(&src, &d->ctx->repo, d->ctx->s);
	} else if (rc == 0) {
		rc = source_cache_new(&cache, &d->ctx->repo, d->ctx->s);
		if (rc == 0)
			rc = source_commit(&src, cache, d->rev != NULL ? d->rev : "HEAD");
	}
	if (rc == 0)
		rc = pipeline_load(&d->pipeline, src, NULL);
	if (rc == 0 && d->pipeline->n == 0)
		rc = err_set(ERR_NOTFOUND,
			"there are no stages%s%s; 'git dvx run' and 'git dvx stage add' write some",
			d->rev != NULL ? " in " : "", d->rev != NULL ? d->rev : "");
	if (rc == 0)
		rc = dag_new(&d->dag, d->pipeline);
	source_free(src);
	source_cache_free(cache);
	return rc;
}

/* The stages that were named and all they need; with --full also everything that hangs together
 * with them. */
static int choose(struct drawing *d, char *const *targets, int n)
{
	struct stage_list list = {0};
	int rc = find_directory(d);

	d->wanted = calloc(d->pipeline->n + 1, 1);
	if (d->wanted == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	for (int i = 0; rc == 0 && i < n; i++)
		rc = pipeline_find(d->pipeline, d->dir, targets[i], &list);
	for (size_t i = 0; rc == 0 && i < d->pipeline->n; i++)
		d->wanted[i] = n == 0;
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		d->wanted[list.v[i]->index] = 1;
	for (size_t before = 0, now = 1; rc == 0 && n > 0 && now != before;) {
		before = now;
		rc = dag_spread(d->dag, d->wanted, d->full ? DAG_UP | DAG_DOWN : DAG_UP);
		now = 0;
		for (size_t i = 0; i < d->pipeline->n; i++)
			now += (size_t)d->wanted[i];
	}
	stage_list_release(&list);
	return rc;
}

/* ---- nodes and edges ---- */

/* 1 if the edge is one of the last ones from this node, or leads nowhere. */
static int is_drawn(const struct drawing *d, size_t from, size_t to)
{
	for (size_t e = d->n_edges; e > 0 && d->edges[e - 1].from == from; e--)
		if (d->edges[e - 1].to == to)
			return 1;
	return from == to;
}

static int add_edge(struct drawing *d, size_t from, size_t to)
{
	if (d->collapse && is_drawn(d, from, to))
		return 0;
	if (array_room(&d->edges, d->n_edges, &d->cap_edges, sizeof(*d->edges)) < 0)
		return ERR_NOMEM;
	d->edges[d->n_edges++] = (struct graphdraw_edge){from, to};
	return 0;
}

/* What tells stages of one foreach or matrix apart: "@big" of "train@big"; "" of others. */
static const char *member_of(const struct stage *s)
{
	return s->name + strcspn(s->name, "@");
}

/* 1 if both are of one foreach or matrix. */
static int is_sibling(const struct stage *s, const struct stage *t)
{
	const size_t len = strcspn(s->name, "@");

	return s->name[len] == '@' && strcmp(s->file, t->file) == 0 &&
	       strncmp(s->name, t->name, len + 1) == 0;
}

static int add_label(struct drawing *d, const struct stage *s)
{
	struct buf label = BUF_INIT;
	int rc = 0;

	if (d->commands) {
		for (size_t i = 0; rc == 0 && i < s->cmd.n; i++) {
			rc = i > 0 ? buf_addstr(&label, "; ") : 0;
			if (rc == 0)
				rc = buf_addstr(&label, s->cmd.v[i]);
		}
	} else {
		rc = stage_address(&label, s, d->dir);
		if (rc == 0 && d->collapse)
			buf_truncate(&label, label.len - strlen(member_of(s)));
	}
	if (rc == 0)
		rc = strvec_push(&d->labels, err_printable(label.p));
	buf_release(&label);
	return rc;
}

/* `last`: the stage before it that is drawn; siblings follow each other in the file's order. */
static int add_nodes(struct drawing *d, const struct stage *s, const struct stage *last)
{
	int rc = 0;

	d->first[s->index] = d->labels.n;
	if (d->collapse && !d->outs && last != NULL && is_sibling(s, last)) {
		d->first[s->index] = d->first[last->index];
		return 0;
	}
	if (!d->outs)
		return add_label(d, s);
	for (size_t i = 0; rc == 0 && i < s->n_outs; i++)
		rc = strvec_push(&d->labels, s->outs[i].path);
	return rc;
}

/* 1 if stage t depends on this output by a path; patterns are not looked at. */
static int is_needed(const struct stage *t, const char *out)
{
	for (size_t i = 0; i < t->n_deps; i++)
		if (!t->deps[i].glob && (pathmatch_within(t->deps[i].path, out) ||
						pathmatch_within(out, t->deps[i].path)))
			return 1;
	return 0;
}

/* From the outputs of s that t needs (all, where only a pattern says so) to all of t's. */
static int link_outs(struct drawing *d, const struct stage *s, const struct stage *t)
{
	int any = 0, rc = 0;

	for (size_t i = 0; i < s->n_outs; i++)
		any |= is_needed(t, s->outs[i].path);
	for (size_t i = 0; rc == 0 && i < s->n_outs; i++)
		for (size_t k = 0; rc == 0 && k < t->n_outs; k++)
			if (!any || is_needed(t, s->outs[i].path))
				rc = add_edge(d, d->first[s->index] + i, d->first[t->index] + k);
	return rc;
}

static int build(struct drawing *d)
{
	const struct stage *last = NULL;
	int rc = 0;

	d->first = calloc(d->pipeline->n + 1, sizeof(*d->first));
	if (d->first == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < d->pipeline->n; i++) {
		if (!d->wanted[i])
			continue;
		rc = add_nodes(d, d->pipeline->v[i], last);
		last = d->pipeline->v[i];
	}
	for (size_t i = 0; rc == 0 && i < d->pipeline->n; i++) {
		const struct dag_links *down = &d->dag->down[i];

		for (size_t k = 0; rc == 0 && d->wanted[i] && k < down->n; k++) {
			if (!d->wanted[down->v[k]])
				continue;
			rc = d->outs ? link_outs(d, d->pipeline->v[i], d->pipeline->v[down->v[k]])
				     : add_edge(d, d->first[i], d->first[down->v[k]]);
		}
	}
	return rc;
}

/* ---- output ---- */

static int print_json(const struct drawing *d)
{
	struct json j;
	cJSON *nodes, *edges, *item;

	json_init(&j);
	nodes = json_array(&j, j.root, "nodes");
	for (size_t i = 0; i < d->labels.n; i++)
		json_string(&j, json_item(&j, nodes), "name", d->labels.v[i]);
	edges = json_array(&j, j.root, "edges");
	for (size_t e = 0; e < d->n_edges; e++) {
		item = json_item(&j, edges);
		json_string(&j, item, "from", d->labels.v[d->edges[e].from]);
		json_string(&j, item, "to", d->labels.v[d->edges[e].to]);
	}
	return json_print(&j);
}

static int print(const struct drawing *d)
{
	static const enum graphdraw_format formats[] = {
		[AS_ASCII] = GRAPHDRAW_ASCII,
		[AS_DOT] = GRAPHDRAW_DOT,
		[AS_MERMAID] = GRAPHDRAW_MERMAID,
		[AS_MARKDOWN] = GRAPHDRAW_MERMAID,
	};
	const struct graphdraw g = {
		(const char *const *)d->labels.v, d->labels.n, d->edges, d->n_edges};
	struct buf out = BUF_INIT;
	int rc;

	if (d->format == AS_JSON)
		return print_json(d);
	rc = graphdraw(&out, &g, formats[d->format]);
	if (rc < 0 && d->collapse) /* members that need each other through others make a cycle */
		rc = err_prefix(rc, "with --collapse-foreach-matrix");
	if (rc == 0 && d->format == AS_MARKDOWN)
		printf("```mermaid\n%s```\n", buf_str(&out));
	else if (rc == 0)
		fputs(buf_str(&out), stdout);
	buf_release(&out);
	return rc;
}

static int draw(struct drawing *d, char *const *targets, int n)
{
	int rc = load(d);

	if (rc == 0)
		rc = choose(d, targets, n);
	if (rc == 0)
		rc = build(d);
	if (rc == 0)
		rc = print(d);
	dag_free(d->dag);
	pipeline_free(d->pipeline);
	free(d->wanted);
	free(d->edges);
	free(d->first);
	free(d->dir);
	strvec_release(&d->labels);
	return rc;
}

static int parse_and_draw(struct command_ctx *ctx, int argc, char **argv, const char *usage)
{
	struct drawing d = {.ctx = ctx};
	const struct opt options[] = {
		{0, "ascii", OPT_SET, &d.format, NULL, "draw with characters (default)", AS_ASCII},
		{0, "dot", OPT_SET, &d.format, NULL, "print it for Graphviz", AS_DOT},
		{0, "mermaid", OPT_SET, &d.format, NULL, "print it for Mermaid", AS_MERMAID},
		{0, "md", OPT_SET, &d.format, NULL, "the same, as a block of Markdown",
			AS_MARKDOWN},
		{0, "json", OPT_SET, &d.format, NULL, "print JSON", AS_JSON},
		{'o', "outs", OPT_FLAG, &d.outs, NULL, "draw outputs instead of stages", 0},
		{'c', "commands", OPT_FLAG, &d.commands, NULL,
			"draw commands instead of the stages' names", 0},
		{0, "full", OPT_FLAG, &d.full, NULL,
			"also what needs the stages that are named, and what that needs", 0},
		{0, "collapse-foreach-matrix", OPT_FLAG, &d.collapse, NULL,
			"draw the stages of each foreach and matrix as one", 0},
		{0, "rev", OPT_VALUE, &d.rev, "<revision>",
			"of this revision, instead of the work tree", 0},
		OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, usage, 0, &n))
		return rc;
	return draw(&d, argv + 1, n);
}

int cmd_dag(struct command_ctx *ctx, int argc, char **argv)
{
	return parse_and_draw(ctx, argc, argv, "git dvx dag [<options>] [<stage>...]");
}

/* `dvc pipeline show --ascii evaluate.dvc`, as old tutorials have it. */
int cmd_pipeline(struct command_ctx *ctx, int argc, char **argv)
{
	static const char usage[] = "git dvx pipeline show [<options>] [<stage>...]";

	if (argc >= 2 && strcmp(argv[1], "show") == 0)
		return parse_and_draw(ctx, argc - 1, argv + 1, usage);
	if (argc >= 2 && argv[1][0] == '-')
		return parse_and_draw(ctx, argc, argv, usage);
	return command_usage("'git dvx pipeline show' is an old name of 'git dvx dag'");
}
