/*
 * Values of two states beside each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/values.h"
#include "lib/base/err.h"

struct diff {
	struct values_command *c;
	const char *names[2]; /* of the states, as they were typed */
	struct states states[2];
	struct values v[2];
	struct value_changes changes;
	struct table *t;
	struct buf text;
};

static int collect_side(struct diff *d, int i, const char *rev)
{
	struct states_options o = {.revs = STRVEC_INIT};
	int rc;

	d->names[i] = rev != NULL ? rev : "workspace";
	if (rev == NULL && d->c->ctx->repo.dir->worktree == NULL)
		return command_usage(
			"this repository is bare and has no work tree; name two revisions");
	rc = rev != NULL ? strvec_push(&o.revs, rev) : 0;
	if (rc == 0)
		rc = states_list(&d->states[i], &d->c->ctx->repo, &o);
	if (rc == 0)
		rc = values_of(&d->v[i], d->c, &d->states[i].v[0]);
	if (rc == 0)
		rc = values_note(d->c, &d->v[i]);
	states_options_release(&o);
	return rc;
}

/* ---- a table ---- */

/* How to align the values: right where there are numbers. */
static enum table_align align_of(const struct value_changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		if ((c->v[i].old != NULL && node_is_number(c->v[i].old)) ||
			(c->v[i].now != NULL && node_is_number(c->v[i].now)))
			return TABLE_RIGHT;
	return TABLE_LEFT;
}

static int add_value(struct diff *d, const struct node *n)
{
	int rc = values_cell(&d->text, d->c, n, "-");

	return rc == 0 ? table_cell(d->t, buf_str(&d->text)) : rc;
}

static int add_change(struct diff *d, const struct value_change *v)
{
	int rc;

	buf_reset(&d->text);
	rc = value_change_format(
		&d->text, v, d->c->csv && d->c->precision < 0 ? 15 : d->c->precision);
	if (rc == 0 && !v->has_delta && !d->c->csv)
		rc = buf_addch(&d->text, '-');
	return rc == 0 ? table_cell(d->t, buf_str(&d->text)) : rc;
}

static int print_table(struct diff *d)
{
	enum table_align align = align_of(&d->changes);
	int metrics = d->c->kind == VALUES_METRICS, rc = table_new(&d->t);

	if (rc == 0 && !d->c->no_path)
		rc = table_column(d->t, "Path", TABLE_LEFT);
	if (rc == 0)
		rc = table_column(d->t, d->c->one, TABLE_LEFT);
	for (int i = 0; rc == 0 && i < 2; i++)
		rc = table_column(d->t, d->names[i], align);
	if (rc == 0 && metrics)
		rc = table_column(d->t, "Change", TABLE_RIGHT);
	for (size_t i = 0; rc == 0 && i < d->changes.n; i++) {
		const struct value_change *v = &d->changes.v[i];

		if (!d->c->no_path)
			rc = table_cell(d->t, v->file);
		if (rc == 0)
			rc = table_cell(d->t, v->key);
		if (rc == 0)
			rc = add_value(d, v->old);
		if (rc == 0)
			rc = add_value(d, v->now);
		if (rc == 0 && metrics)
			rc = add_change(d, v);
		if (rc == 0)
			rc = table_end_row(d->t);
	}
	return rc == 0 ? values_print(d->c, d->t) : rc;
}

/* ---- JSON ---- */

static int put_side(struct node *change, const char *key, const struct node *n)
{
	return values_put(change, key, n != NULL ? node_dup(n) : node_null());
}

static int put_change(
	struct node *file, const struct values_command *c, const struct value_change *v)
{
	struct node *change = values_put_map(file, v->key);
	int64_t whole;
	int rc;

	if (change == NULL)
		return ERR_NOMEM;
	rc = put_side(change, "old", v->old);
	if (rc == 0)
		rc = put_side(change, "new", v->now);
	if (rc < 0 || !v->has_delta || c->kind != VALUES_METRICS)
		return rc;
	return values_put(change, "diff",
		value_change_whole(&whole, v) ? node_int(whole) : node_float(v->delta));
}

static int print_json(struct diff *d)
{
	const struct value_changes *c = &d->changes;
	struct node *root = node_map(), *file = NULL;
	int rc = root != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		if (i == 0 || strcmp(c->v[i].file, c->v[i - 1].file) != 0)
			file = values_put_map(root, c->v[i].file);
		rc = file != NULL ? put_change(file, d->c, &c->v[i]) : ERR_NOMEM;
	}
	if (rc == 0)
		rc = values_print_json(root);
	node_free(root);
	return rc;
}

int values_diff(struct values_command *c, char **operands, int n)
{
	struct diff d = {.c = c};
	int rc;

	if (n > 2)
		return command_usage("two revisions at most; files are named by --targets");
	if (c->states.branches || c->states.tags || c->states.commits || c->states.revs.n > 0)
		return command_usage("'git dvx %s diff' compares two states: [<revision> "
				     "[<revision>]]",
			c->many);
	rc = values_begin(c);
	if (rc == 0)
		rc = collect_side(&d, 0, n > 0 ? operands[0] : "HEAD");
	if (rc == 0)
		rc = collect_side(&d, 1, n > 1 ? operands[1] : NULL);
	if (rc == 0)
		rc = values_any(c, d.v, 2);
	if (rc == 0) {
		values_tell(c);
		rc = valuediff(&d.changes, &d.v[0], &d.v[1], c->all);
	}
	if (rc == 0)
		rc = c->json ? print_json(&d) : print_table(&d);
	table_free(d.t);
	value_changes_release(&d.changes);
	for (int i = 0; i < 2; i++) {
		values_release(&d.v[i]);
		states_release(&d.states[i]);
	}
	buf_release(&d.text);
	return rc;
}
