/*
 * The graph of stages.  All outputs are sorted by path, with '/' before every other byte, so that
 * what lies below a directory stands right behind it: overlapping outputs are neighbours, and the
 * outputs that a dependency touches are found by binary search.
 */
#include "lib/pipeline/dag.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pathmatch.h"
#include "lib/pipeline/pipeline_internal.h"

struct out {
	const char *path;
	const struct stage *stage;
	unsigned line;
};

struct edge {
	size_t from, to; /* `to` needs what `from` makes */
};

struct build {
	const struct pipeline *p;
	struct out *outs; /* sorted */
	size_t n_outs;
	struct edge *edges;
	size_t n_edges;
};

static int compare_paths(const char *a, const char *b)
{
	while (*a == *b && *a != '\0')
		a++, b++;
	if (*a == *b)
		return 0;
	if (*a == '\0' || *b == '\0')
		return *a == '\0' ? -1 : 1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_outs(const void *a, const void *b)
{
	const struct out *x = a, *y = b;
	int order = compare_paths(x->path, y->path);

	if (order == 0 && x->stage != y->stage)
		order = x->stage->index < y->stage->index ? -1 : 1;
	return order;
}

static int collect_outs(struct build *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->p->n; i++)
		n += b->p->v[i]->n_outs;
	b->outs = calloc(n + 1, sizeof(*b->outs));
	if (b->outs == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < b->p->n; i++)
		for (size_t k = 0; k < b->p->v[i]->n_outs; k++)
			b->outs[b->n_outs++] = (struct out){
				b->p->v[i]->outs[k].path, b->p->v[i], b->p->v[i]->outs[k].line};
	qsort(b->outs, n, sizeof(*b->outs), compare_outs);
	return 0;
}

static int check_overlaps(const struct build *b)
{
	for (size_t i = 1; i < b->n_outs; i++) {
		const struct out *x = &b->outs[i - 1], *y = &b->outs[i];

		if (!pathmatch_within(y->path, x->path))
			continue;
		if (strcmp(x->path, y->path) == 0)
			return err_set(ERR_INVALID,
				"%s:%u: '%s' is an output of stage '%s' and, in %s:%u, of stage "
				"'%s'; "
				"give each stage outputs of its own",
				y->stage->file, y->line, y->path, y->stage->name, x->stage->file,
				x->line, x->stage->name);
		return err_set(ERR_INVALID,
			"%s:%u: output '%s' of stage '%s' lies within output '%s' of stage '%s' "
			"(%s:%u); outputs must not hold each other",
			y->stage->file, y->line, y->path, y->stage->name, x->path, x->stage->name,
			x->stage->file, x->line);
	}
	return 0;
}

/* --- edges ------------------------------------------------------------------------------------ */

static int add_edge(struct build *b, const struct out *out, const struct stage *s, const char *dep,
	unsigned line)
{
	struct edge *grown;

	if (out->stage == s)
		return err_set(ERR_INVALID,
			"%s:%u: stage '%s' depends on its own output '%s' (by '%s'); name what it "
			"reads more closely",
			s->file, line, s->name, out->path, dep);
	grown = pipeline_grow(b->edges, b->n_edges, sizeof(*grown));
	if (grown == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	b->edges = grown;
	grown[b->n_edges++] = (struct edge){out->stage->index, s->index};
	return 0;
}

/* The first output at or behind `path` in the order. */
static size_t lower_bound(const struct build *b, const char *path)
{
	size_t low = 0, high = b->n_outs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_paths(b->outs[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Outputs at, below and above a path. */
static int link_path(struct build *b, const struct stage *s, const char *path, unsigned line)
{
	struct buf above = BUF_INIT;
	char *slash;
	int rc = buf_addstr(&above, path);

	for (size_t i = lower_bound(b, path);
		rc == 0 && i < b->n_outs && pathmatch_within(b->outs[i].path, path); i++)
		rc = add_edge(b, &b->outs[i], s, path, line);
	while (rc == 0 && (slash = strrchr(above.p, '/')) != NULL && slash > above.p) {
		size_t i;

		buf_truncate(&above, (size_t)(slash - above.p));
		i = lower_bound(b, above.p);
		if (i < b->n_outs && strcmp(b->outs[i].path, above.p) == 0)
			rc = add_edge(b, &b->outs[i], s, path, line);
	}
	buf_release(&above);
	return rc;
}

/* 1 if files below the directory `path` may match: the glob's first components match all of the
 * path's.  Below "**" only names without a dot are taken for directories: "**" + "/x.py" does not
 * make every "model.bin" a dependency. */
static int may_hold(const char *glob, const char *path)
{
	const char *base = strrchr(path, '/');

	for (;;) {
		size_t g = strcspn(glob, "/"), p = strcspn(path, "/");
		char *part, *name;
		int match;

		if (g == 2 && strncmp(glob, "**", 2) == 0)
			return strchr(base != NULL ? base : path, '.') == NULL;
		if (glob[g] == '\0')
			return 0;
		part = strndup(glob, g);
		name = strndup(path, p);
		match = part != NULL && name != NULL && pathmatch_glob(part, name);
		free(part);
		free(name);
		if (!match)
			return 0;
		if (path[p] == '\0')
			return 1;
		glob += g + 1;
		path += p + 1;
	}
}

/* Outputs that match a pattern, or hold what may match, or hold all that it can match. */
static int link_glob(struct build *b, const struct stage *s, const char *glob, unsigned line)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n_outs; i++) {
		const char *path = b->outs[i].path;

		/* What the stage's own directories will hold is not known; then "changed while it
		 * ran" tells. */
		if (pathmatch_glob(glob, path) || (b->outs[i].stage != s && may_hold(glob, path)))
			rc = add_edge(b, &b->outs[i], s, glob, line);
	}
	return rc;
}

static int link_stage(struct build *b, const struct stage *s)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n_deps; i++)
		rc = s->deps[i].glob ? link_glob(b, s, s->deps[i].path, s->deps[i].line)
				     : link_path(b, s, s->deps[i].path, s->deps[i].line);
	for (size_t i = 0; rc == 0 && i < s->n_params; i++)
		rc = link_path(b, s, s->params[i].file, s->params[i].line);
	return rc;
}

static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static void drop_twins(struct build *b)
{
	size_t n = 0;

	if (b->n_edges > 0)
		qsort(b->edges, b->n_edges, sizeof(*b->edges), compare_edges);
	for (size_t i = 0; i < b->n_edges; i++)
		if (n == 0 || compare_edges(&b->edges[n - 1], &b->edges[i]) != 0)
			b->edges[n++] = b->edges[i];
	b->n_edges = n;
}

static int push_link(struct dag_links *l, size_t i)
{
	size_t *grown = pipeline_grow(l->v, l->n, sizeof(*grown));

	if (grown == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	l->v = grown;
	l->v[l->n++] = i;
	return 0;
}

/* Edges are sorted by whom they lead to, then by where they start: all lists come ascending. */
static int fill_links(struct dag *d, const struct build *b)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n_edges; i++) {
		rc = push_link(&d->up[b->edges[i].to], b->edges[i].from);
		if (rc == 0)
			rc = push_link(&d->down[b->edges[i].from], b->edges[i].to);
	}
	return rc;
}

/* --- order ------------------------------------------------------------------------------------ */

struct walk {
	size_t *stack; /* stages on the way down, each needed by the one before it */
	size_t *next;  /* by stage: the link to follow next */
	char *state;   /* by stage */
	size_t depth, done;
};

enum { WALK_ON_STACK = 1, WALK_DONE };

/* Stage `again` is on the stack already: from there on it is a cycle. */
static int complain_cycle(const struct dag *d, const struct walk *w, size_t again)
{
	struct buf text = BUF_INIT;
	size_t i = 0;
	int rc = 0;

	while (w->stack[i] != again)
		i++;
	for (; rc == 0 && i < w->depth; i++) {
		const struct stage *s = d->pipeline->v[w->stack[i]];

		rc = buf_addf(&text, "'%s' (%s:%u) -> ", s->name, s->file, s->line);
	}
	if (rc == 0)
		rc = err_set(ERR_INVALID,
			"stages %s'%s' depend on each other; remove one of these dependencies",
			buf_str(&text), d->pipeline->v[again]->name);
	buf_release(&text);
	return rc;
}

static void descend(struct walk *w, size_t stage)
{
	w->state[stage] = WALK_ON_STACK;
	w->stack[w->depth++] = stage;
}

/* One step: into what the stage on top needs next, or out of it. */
static int walk_on(struct dag *d, struct walk *w)
{
	size_t at = w->stack[w->depth - 1], up;

	if (w->next[at] == d->up[at].n) {
		w->state[at] = WALK_DONE;
		d->order[w->done++] = at;
		w->depth--;
		return 0;
	}
	up = d->up[at].v[w->next[at]++];
	if (w->state[up] == WALK_ON_STACK)
		return complain_cycle(d, w, up);
	if (w->state[up] != WALK_DONE)
		descend(w, up);
	return 0;
}

/* Depth first in the order of the files, so that each stage stands right behind what it needs. */
static int order_stages(struct dag *d)
{
	size_t n = d->pipeline->n;
	struct walk w = {.stack = calloc(n + 1, sizeof(size_t)),
		.next = calloc(n + 1, sizeof(size_t)),
		.state = calloc(n + 1, 1)};
	int rc = 0;

	if (w.stack == NULL || w.next == NULL || w.state == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (w.state[i] == 0)
			descend(&w, i);
		while (rc == 0 && w.depth > 0)
			rc = walk_on(d, &w);
	}
	free(w.stack);
	free(w.next);
	free(w.state);
	return rc;
}

/* --- the graph -------------------------------------------------------------------------------- */

int dag_new(struct dag **out, const struct pipeline *p)
{
	struct build b = {.p = p};
	struct dag *d = calloc(1, sizeof(*d));
	int rc = 0;

	if (d != NULL) {
		d->pipeline = p;
		d->up = calloc(p->n + 1, sizeof(*d->up));
		d->down = calloc(p->n + 1, sizeof(*d->down));
		d->order = calloc(p->n + 1, sizeof(*d->order));
	}
	if (d == NULL || d->up == NULL || d->down == NULL || d->order == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = collect_outs(&b);
	if (rc == 0)
		rc = check_overlaps(&b);
	for (size_t i = 0; rc == 0 && i < p->n; i++)
		rc = link_stage(&b, p->v[i]);
	if (rc == 0) {
		drop_twins(&b);
		rc = fill_links(d, &b);
	}
	if (rc == 0)
		rc = order_stages(d);
	free(b.outs);
	free(b.edges);
	if (rc < 0) {
		dag_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

void dag_free(struct dag *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->pipeline->n; i++) {
		if (d->up != NULL)
			free(d->up[i].v);
		if (d->down != NULL)
			free(d->down[i].v);
	}
	free(d->up);
	free(d->down);
	free(d->order);
	free(d);
}

int dag_spread(const struct dag *d, char *wanted, int directions)
{
	size_t n = d->pipeline->n;
	char *up = calloc(n + 1, 1), *down = calloc(n + 1, 1);
	int rc = up != NULL && down != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc < 0)
		goto done;
	memcpy(up, wanted, n);
	memcpy(down, wanted, n);
	for (size_t i = n; (directions & DAG_UP) && i-- > 0;) {
		size_t at = d->order[i];

		for (size_t k = 0; up[at] && k < d->up[at].n; k++)
			up[d->up[at].v[k]] = 1;
	}
	for (size_t i = 0; (directions & DAG_DOWN) && i < n; i++) {
		size_t at = d->order[i];

		for (size_t k = 0; down[at] && k < d->down[at].n; k++)
			down[d->down[at].v[k]] = 1;
	}
	for (size_t i = 0; i < n; i++)
		wanted[i] = (char)(up[i] | down[i]);
done:
	free(up);
	free(down);
	return rc;
}
