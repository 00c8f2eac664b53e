/*
 * `git dvx exp diff`: metrics and parameters of two experiments, or of one and the worktree.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/exp.h"
#include "commands/json.h"
#include "commands/states.h"
#include "lib/base/err.h"
#include "lib/metrics/valuediff.h"
#include "lib/metrics/values.h"
#include "lib/repo/source.h"
#include "lib/table/table.h"

/* One of the two. */
struct side {
	const char *name; /* borrowed */
	struct source *src;
	struct values values;
};

struct comparing {
	const struct exp_args *a;
	struct source_cache *sources;
	struct values_cache *values;
	struct side old, now;
};

/* An experiment's name comes before a revision's; NULL is the worktree. */
static int open_side(struct comparing *x, struct side *s, const char *name)
{
	const struct repo *repo = &x->a->ctx->repo;
	const struct experiment *e = NULL;
	char hex[REPO_HEX_MAX + 1];

	s->name = name ? name : "workspace";
	if (!name || states_is_worktree(name))
		return source_worktree(&s->src, repo, x->a->ctx->s);
	e = experiment_find(&x->a->list, name, x->a->has_head ? x->a->head : NULL, repo->hash_len);
	if (!e)
		return source_commit(&s->src, x->sources, name);
	repo_id_hex(hex, repo, e->commit);
	return source_commit(&s->src, x->sources, hex);
}

static int collect(struct comparing *x, struct side *s, enum values_kind kind)
{
	const struct values_options o = {.kind = kind};
	int rc;

	values_release(&s->values);
	memset(&s->values, 0, sizeof(s->values));
	rc = values_collect(&s->values, x->values, s->src, &o);
	if (rc == 0 && s->values.error)
		rc = err_set(ERR_INVALID, "%s: %s", s->name, s->values.error);
	return rc;
}

/* ---- for people ---- */

static int value_cell(struct table *t, const struct node *value, int precision)
{
	struct buf text = BUF_INIT;
	int rc;

	if (!value)
		rc = buf_addstr(&text, "-");
	else if (node_is_number(value))
		rc = value_format(&text, value, precision);
	else
		rc = node_print(&text, value);
	if (rc == 0)
		rc = table_cell(t, buf_str(&text));
	buf_release(&text);
	return rc;
}

static int change_row(struct table *t, const struct value_change *c, int precision)
{
	struct buf change = BUF_INIT;
	int rc = table_cell(t, c->file);

	if (rc == 0)
		rc = table_cell(t, c->key);
	if (rc == 0)
		rc = value_cell(t, c->old, precision);
	if (rc == 0)
		rc = value_cell(t, c->now, precision);
	if (rc == 0 && c->has_delta)
		rc = value_change_format(&change, c, precision);
	if (rc == 0)
		rc = table_cell(t, change.len ? buf_str(&change) : "-");
	buf_release(&change);
	return rc == 0 ? table_end_row(t) : rc;
}

static int print_changes(const struct comparing *x, const char *what, const struct value_changes *c)
{
	const struct {
		const char *title;
		enum table_align align;
	} columns[] = {{"Path", TABLE_LEFT}, {what, TABLE_LEFT}, {x->old.name, TABLE_RIGHT},
		{x->now.name, TABLE_RIGHT}, {"Change", TABLE_RIGHT}};
	struct table *t = NULL;
	struct buf text = BUF_INIT;
	int rc = table_new(&t);

	for (size_t i = 0; rc == 0 && i < sizeof(columns) / sizeof(columns[0]); i++)
		rc = table_column(t, columns[i].title, columns[i].align);
	for (size_t i = 0; rc == 0 && i < c->n; i++)
		rc = change_row(t, &c->v[i], x->a->precision);
	if (rc == 0)
		rc = table_print(t, x->a->md ? TABLE_MARKDOWN : TABLE_TEXT,
			x->a->md ? 0 : table_terminal_width(STDOUT_FILENO), &text);
	if (rc == 0)
		fwrite(buf_str(&text), 1, text.len, stdout);
	table_free(t);
	buf_release(&text);
	return rc;
}

/* ---- for programs ---- */

static void json_value(struct json *j, cJSON *o, const char *key, const struct node *value)
{
	struct buf text = BUF_INIT;
	cJSON *parsed = NULL;

	if (value && node_json(&text, value, 0) == 0)
		parsed = cJSON_Parse(text.p);
	if (value && (!parsed || !cJSON_AddItemToObject(o, key, parsed))) {
		cJSON_Delete(parsed);
		j->failed = 1;
	}
	buf_release(&text);
}

/* {file: {key: {old, new, diff}}}, as DVC prints it. */
static void json_changes(struct json *j, const char *what, const struct value_changes *c)
{
	cJSON *files = json_object(j, j->root, what), *file, *o;

	for (size_t i = 0; i < c->n; i++) {
		file = cJSON_GetObjectItemCaseSensitive(files, c->v[i].file);
		if (!file)
			file = json_object(j, files, c->v[i].file);
		o = json_object(j, file, c->v[i].key);
		json_value(j, o, "old", c->v[i].old);
		json_value(j, o, "new", c->v[i].now);
		if (c->v[i].has_delta && !cJSON_AddNumberToObject(o, "diff", c->v[i].delta))
			j->failed = 1;
	}
}

/* ---- the whole ---- */

/* One of metrics and parameters; `any` counts what was printed. */
static int compare(struct comparing *x, enum values_kind kind, struct json *j, size_t *any)
{
	struct value_changes changes = {0};
	int rc = collect(x, &x->old, kind);

	if (rc == 0)
		rc = collect(x, &x->now, kind);
	if (rc == 0)
		rc = valuediff(&changes, &x->old.values, &x->now.values, 0);
	if (rc == 0 && j)
		json_changes(j, kind == VALUES_METRICS ? "metrics" : "params", &changes);
	else if (rc == 0 && changes.n > 0) {
		if (*any > 0)
			putchar('\n');
		rc = print_changes(x, kind == VALUES_METRICS ? "Metric" : "Param", &changes);
	}
	*any += changes.n;
	value_changes_release(&changes);
	return rc;
}

int exp_diff(struct exp_args *a)
{
	struct comparing x = {.a = a};
	struct json j = {0};
	size_t any = 0;
	int rc;

	if (a->n > 2)
		return command_usage("two names at most; see 'git dvx exp -h'");
	rc = source_cache_new(&x.sources, &a->ctx->repo, a->ctx->s);
	if (rc == 0)
		rc = values_cache_new(&x.values);
	if (rc == 0)
		rc = open_side(&x, &x.old, a->n > 0 ? a->v[0] : "HEAD");
	if (rc == 0)
		rc = open_side(&x, &x.now, a->n > 1 ? a->v[1] : NULL);
	if (a->json)
		json_init(&j);
	if (rc == 0)
		rc = compare(&x, VALUES_METRICS, a->json ? &j : NULL, &any);
	if (rc == 0)
		rc = compare(&x, VALUES_PARAMS, a->json ? &j : NULL, &any);
	if (rc == 0 && a->json)
		rc = json_print(&j);
	json_release(&j);
	values_release(&x.old.values);
	values_release(&x.now.values);
	source_free(x.old.src);
	source_free(x.now.src);
	values_cache_free(x.values);
	source_cache_free(x.sources);
	return rc;
}
