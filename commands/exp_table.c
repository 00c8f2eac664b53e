/*
 * Collecting the table of experiments.  All states are read through one cache, so files that they
 * share are read and parsed once.
 */
#include "commands/exp_table.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/strmap.h"
#include "lib/repo/git.h"

void exp_table_release(struct exp_table *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		values_release(&t->rows[i].metrics);
		values_release(&t->rows[i].params);
		source_free(t->rows[i].src);
		free(t->rows[i].cells);
	}
	for (size_t i = 0; i < t->n_columns; i++) {
		free(t->columns[i].file);
		free(t->columns[i].key);
		free(t->columns[i].title);
	}
	free(t->rows);
	free(t->columns);
	values_cache_free(t->values);
	source_cache_free(t->sources);
	exp_bases_release(&t->bases);
}

/* ---- rows ---- */

/* One after the other: the worktree, then each commit with its experiments. */
static int list_rows(struct exp_table *t, const struct exp_args *a)
{
	size_t id_len = (size_t)a->ctx->repo.hash_len;

	t->rows = calloc(1 + t->bases.n + a->list.n, sizeof(*t->rows));
	if (!t->rows)
		return err_set(ERR_NOMEM, "out of memory");
	t->rows[t->n_rows++] = (struct exp_row){.kind = EXP_ROW_WORKSPACE, .name = "workspace"};
	for (size_t b = 0; b < t->bases.n; b++) {
		const struct exp_base *base = &t->bases.v[b];
		struct exp_row *last = NULL;

		t->rows[t->n_rows++] = (struct exp_row){
			.kind = EXP_ROW_BASE, .name = base->label, .commit = base->commit};
		for (size_t i = 0; i < a->list.n; i++) {
			const struct experiment *e = &a->list.v[i];

			if (memcmp(e->base, base->commit, id_len) != 0)
				continue;
			last = &t->rows[t->n_rows++];
			*last = (struct exp_row){.kind = EXP_ROW_EXPERIMENT,
				.name = e->name,
				.commit = e->commit,
				.e = e,
				.time = e->time};
		}
		if (last)
			last->is_last = 1;
	}
	return 0;
}

/* When the commits of the bases were made: one Git command for all. */
static int find_times(struct exp_table *t, const struct repo *repo)
{
	char hex[REPO_HEX_MAX + 1];
	struct buf input = BUF_INIT, out = BUF_INIT;
	const char *line;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->bases.n; i++) {
		repo_id_hex(hex, repo, t->bases.v[i].commit);
		rc = buf_addf(&input, "%s\n", hex);
	}
	if (rc == 0 && input.len > 0)
		rc = git_run(repo, input.p, input.len, &out, "log", "--no-walk=unsorted",
			"--format=%ct", "--stdin", (char *)NULL);
	line = buf_str(&out);
	for (size_t i = 0; rc == 0 && i < t->n_rows; i++) {
		if (t->rows[i].kind != EXP_ROW_BASE)
			continue;
		t->rows[i].time = strtoll(line, NULL, 10);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	buf_release(&input);
	buf_release(&out);
	return rc;
}

static int read_row(struct exp_table *t, const struct exp_args *a, struct exp_row *row)
{
	const struct repo *repo = &a->ctx->repo;
	const struct values_options metrics = {.kind = VALUES_METRICS};
	const struct values_options params = {.kind = VALUES_PARAMS};
	char hex[REPO_HEX_MAX + 1];
	int rc;

	if (!row->commit) {
		rc = source_worktree(&row->src, repo, a->ctx->s);
	} else {
		repo_id_hex(hex, repo, row->commit);
		rc = source_commit(&row->src, t->sources, hex);
	}
	/* the metrics in a starting commit are those of another run */
	if (rc == 0 && (!row->e || row->e->state == EXPERIMENT_DONE))
		rc = values_collect(&row->metrics, t->values, row->src, &metrics);
	if (rc == 0)
		rc = values_collect(&row->params, t->values, row->src, &params);
	if (rc == 0 && row->params.error)
		fprintf(stderr, "warning: %s: %s\n", row->name, row->params.error);
	return rc;
}

/* ---- columns ---- */

struct finding {
	struct exp_table *t;
	struct strmap seen; /* "<kind>\t<file>\t<key>" to the index + 1 */
	size_t cap;
	enum values_kind kind;
	const char *file;
	struct exp_row *row; /* NULL: columns are made; else its cells are filled */
};

static int add_column(struct finding *f, const char *id, const char *key)
{
	struct exp_column *c;

	if (f->t->n_columns == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 32;

		c = reallocarray(f->t->columns, cap, sizeof(*c));
		if (!c)
			return err_set(ERR_NOMEM, "out of memory");
		f->t->columns = c;
		f->cap = cap;
	}
	c = &f->t->columns[f->t->n_columns];
	*c = (struct exp_column){.kind = f->kind, .file = strdup(f->file), .key = strdup(key)};
	f->t->n_columns++;
	if (!c->file || !c->key)
		return err_set(ERR_NOMEM, "out of memory");
	return strmap_put(&f->seen, id, (void *)(uintptr_t)f->t->n_columns);
}

static int see_value(const char *key, const struct node *value, void *data)
{
	struct finding *f = data;
	struct buf id = BUF_INIT;
	uintptr_t at;
	int rc = buf_addf(&id, "%d\t%s\t%s", (int)f->kind, f->file, key);

	if (rc == 0) {
		at = (uintptr_t)strmap_get(&f->seen, id.p);
		if (f->row && at > 0)
			f->row->cells[at - 1] = value;
		else if (!f->row && at == 0)
			rc = add_column(f, id.p, key);
	}
	buf_release(&id);
	return rc;
}

static int see_values(struct finding *f, enum values_kind kind, const struct values *v)
{
	int rc = 0;

	f->kind = kind;
	for (size_t i = 0; rc == 0 && i < v->n; i++) {
		f->file = v->v[i].path;
		if (v->v[i].root)
			rc = values_each(v->v[i].root, see_value, f);
	}
	return rc;
}

static int find_columns(struct exp_table *t)
{
	struct finding f = {.t = t, .seen = STRMAP_INIT};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->n_rows; i++)
		rc = see_values(&f, VALUES_METRICS, &t->rows[i].metrics);
	for (size_t i = 0; rc == 0 && i < t->n_rows; i++)
		rc = see_values(&f, VALUES_PARAMS, &t->rows[i].params);
	for (size_t i = 0; rc == 0 && i < t->n_rows; i++) {
		f.row = &t->rows[i];
		f.row->cells = calloc(t->n_columns + 1, sizeof(struct node *));
		rc = f.row->cells ? 0 : err_set(ERR_NOMEM, "out of memory");
		if (rc == 0)
			rc = see_values(&f, VALUES_METRICS, &f.row->metrics);
		if (rc == 0)
			rc = see_values(&f, VALUES_PARAMS, &f.row->params);
	}
	strmap_release(&f.seen, NULL);
	return rc;
}

/* The key alone where no other file has one of that name. */
static int name_columns(struct exp_table *t)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		struct exp_column *c = &t->columns[i];
		int ambiguous = 0;

		for (size_t k = 0; k < t->n_columns && !ambiguous; k++)
			ambiguous = k != i && strcmp(t->columns[k].key, c->key) == 0;
		if (!ambiguous)
			c->title = strdup(c->key);
		else if (asprintf(&c->title, "%s:%s", c->file, c->key) < 0)
			c->title = NULL;
		if (!c->title)
			return err_set(ERR_NOMEM, "out of memory");
	}
	return 0;
}

/* ---- what is shown of them ---- */

static int compile(regex_t *re, const char *pattern)
{
	char why[128];
	int code = regcomp(re, pattern, REG_EXTENDED | REG_NOSUB);

	if (code == 0)
		return 0;
	regerror(code, re, why, sizeof(why));
	return command_usage("'%s' is no regular expression: %s", pattern, why);
}

/* --drop, but what --keep says. */
static int drop_columns(struct exp_table *t, const struct exp_args *a)
{
	regex_t drop, keep;
	int rc = compile(&drop, a->drop);

	if (rc < 0)
		return rc;
	rc = a->keep ? compile(&keep, a->keep) : 0;
	for (size_t i = 0; rc == 0 && i < t->n_columns; i++) {
		const char *title = t->columns[i].title;

		if (regexec(&drop, title, 0, NULL, 0) == 0 &&
			!(a->keep && regexec(&keep, title, 0, NULL, 0) == 0))
			t->columns[i].hidden = 1;
	}
	if (rc == 0 && a->keep)
		regfree(&keep);
	regfree(&drop);
	return rc;
}

/* An experiment without a result has no metrics, which is no difference. */
static int is_same(const struct exp_row *a, const struct exp_row *b, size_t column)
{
	const struct node *x = a->cells[column], *y = b->cells[column];

	if (x && y)
		return node_equal(x, y);
	return x == y || (a->e && a->e->state != EXPERIMENT_DONE && !x) ||
	       (b->e && b->e->state != EXPERIMENT_DONE && !y);
}

static void hide_unchanged(struct exp_table *t)
{
	for (size_t c = 0; c < t->n_columns; c++) {
		int same = 1;

		for (size_t i = 1; i < t->n_rows && same; i++)
			same = is_same(&t->rows[0], &t->rows[i], c);
		t->columns[c].hidden |= same;
	}
}

/* ---- order ---- */

struct order {
	size_t column;
	int descending;
};

static int cmp_values(const struct node *x, const struct node *y)
{
	if (node_is_number(x) && node_is_number(y))
		return (x->f > y->f) - (x->f < y->f);
	return node_is_scalar(x) && node_is_scalar(y) ? strcmp(x->text, y->text) : 0;
}

/* Those without a value come last. */
static int cmp_rows(const void *a, const void *b, void *data)
{
	const struct exp_row *p = a, *q = b;
	const struct order *o = data;
	const struct node *x = p->cells[o->column], *y = q->cells[o->column];
	int by_value;

	if (!x || !y)
		return (x == NULL) - (y == NULL);
	by_value = cmp_values(x, y);
	return o->descending ? -by_value : by_value;
}

/* The experiments of each commit among themselves. */
static int sort_rows(struct exp_table *t, const struct exp_args *a)
{
	struct order o = {.column = t->n_columns,
		.descending = a->sort_order && strcmp(a->sort_order, "desc") == 0};
	size_t first = 0;

	for (size_t i = 0; i < t->n_columns && o.column == t->n_columns; i++)
		if (strcmp(t->columns[i].title, a->sort_by) == 0 ||
			strcmp(t->columns[i].key, a->sort_by) == 0)
			o.column = i;
	if (o.column == t->n_columns)
		return err_set(ERR_NOTFOUND,
			"no column '%s'; the first row of 'git dvx exp show' "
			"names them",
			a->sort_by);
	for (size_t i = 0; i <= t->n_rows; i++) {
		if (i < t->n_rows && t->rows[i].kind == EXP_ROW_EXPERIMENT)
			continue;
		if (i > first + 1) {
			qsort_r(t->rows + first, i - first, sizeof(*t->rows), cmp_rows, &o);
			for (size_t k = first; k < i; k++)
				t->rows[k].is_last = k == i - 1;
		}
		first = i + 1;
	}
	return 0;
}

int exp_table_collect(struct exp_table *out, const struct exp_args *a)
{
	int rc = exp_bases_choose(&out->bases, a);

	if (rc == 0)
		rc = source_cache_new(&out->sources, &a->ctx->repo, a->ctx->s);
	if (rc == 0)
		rc = values_cache_new(&out->values);
	if (rc == 0)
		rc = list_rows(out, a);
	if (rc == 0)
		rc = find_times(out, &a->ctx->repo);
	for (size_t i = 0; rc == 0 && i < out->n_rows; i++)
		rc = read_row(out, a, &out->rows[i]);
	if (rc == 0)
		rc = find_columns(out);
	if (rc == 0)
		rc = name_columns(out);
	if (rc == 0 && a->drop)
		rc = drop_columns(out, a);
	if (rc == 0 && a->only_changed)
		hide_unchanged(out);
	return rc == 0 && a->sort_by ? sort_rows(out, a) : rc;
}
