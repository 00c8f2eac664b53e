/*
 * `git dvx exp show`: the table of experiments for people, for Markdown, as CSV and as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/exp_table.h"
#include "commands/json.h"
#include "lib/base/err.h"
#include "lib/base/isotime.h"
#include "lib/metrics/valuediff.h"
#include "lib/table/table.h"

static const char *const kinds[] = {"workspace", "baseline", "experiment"};

/* ---- cells ---- */

/* Today's by the hour, older ones by the day, in local time. */
static void format_time(char out[static 32], int64_t when)
{
	time_t now = time(NULL), then = (time_t)when;
	struct tm t, today;

	out[0] = '\0';
	if (when == 0 || !localtime_r(&then, &t) || !localtime_r(&now, &today))
		return;
	if (t.tm_year == today.tm_year && t.tm_yday == today.tm_yday)
		strftime(out, 32, "%H:%M", &t);
	else
		strftime(out, 32, "%b %d, %Y", &t);
}

/* "├── 55d492d [brisk-otter]" */
static int format_name(struct buf *out, const struct repo *repo, const struct exp_row *row)
{
	char hex[REPO_HEX_MAX + 1];

	if (row->kind != EXP_ROW_EXPERIMENT)
		return buf_addstr(out, row->name);
	repo_id_hex(hex, repo, row->commit);
	return buf_addf(
		out, "%s %.*s [%s]", row->is_last ? "└──" : "├──", REPO_HEX_SHOWN, hex, row->name);
}

static const char *state_of(const struct exp_row *row)
{
	return row->e && row->e->state != EXPERIMENT_DONE ? experiment_state_name(row->e->state)
							  : "";
}

static int any_state(const struct exp_table *t)
{
	for (size_t i = 0; i < t->n_rows; i++)
		if (*state_of(&t->rows[i]))
			return 1;
	return 0;
}

static int format_value(struct buf *out, const struct node *value, const struct exp_args *a)
{
	if (!value)
		return a->csv ? 0 : buf_addstr(out, "-");
	if (!a->csv && node_is_number(value))
		return value_format(out, value, a->precision);
	return node_print(out, value);
}

/* ---- tables ---- */

static int add_columns(struct table *out, const struct exp_table *t, const struct exp_args *a)
{
	int rc = table_column(out, "Experiment", TABLE_LEFT);

	if (rc == 0 && a->csv)
		rc = table_column(out, "rev", TABLE_LEFT);
	if (rc == 0 && a->csv)
		rc = table_column(out, "typ", TABLE_LEFT);
	if (rc == 0)
		rc = table_column(out, "Created", TABLE_LEFT);
	if (rc == 0 && (a->csv || any_state(t)))
		rc = table_column(out, "State", TABLE_LEFT);
	for (size_t i = 0; rc == 0 && i < t->n_columns; i++)
		if (!t->columns[i].hidden)
			rc = table_column(out, t->columns[i].title, TABLE_RIGHT);
	return rc;
}

/* The cells in front of the values. */
static int add_head(struct table *out, const struct exp_table *t, const struct exp_args *a,
	const struct exp_row *row)
{
	char hex[REPO_HEX_MAX + 1] = "", when[32] = "";
	struct buf name = BUF_INIT;
	int rc;

	if (row->commit)
		repo_id_hex(hex, &a->ctx->repo, row->commit);
	if (a->csv && row->time)
		isotime_format(when, row->time);
	else if (!a->csv)
		format_time(when, row->time);
	rc = a->csv ? buf_addstr(&name, row->name) : format_name(&name, &a->ctx->repo, row);
	if (rc == 0)
		rc = table_cell(out, name.p);
	if (rc == 0 && a->csv)
		rc = table_cell(out, hex);
	if (rc == 0 && a->csv)
		rc = table_cell(out, kinds[row->kind]);
	if (rc == 0)
		rc = table_cell(out, *when || a->csv ? when : "-");
	if (rc == 0 && (a->csv || any_state(t)))
		rc = table_cell(out,
			row->e && a->csv ? experiment_state_name(row->e->state) : state_of(row));
	buf_release(&name);
	return rc;
}

static int add_row(struct table *out, const struct exp_table *t, const struct exp_args *a,
	const struct exp_row *row)
{
	struct buf text = BUF_INIT;
	int rc = add_head(out, t, a, row);

	for (size_t i = 0; rc == 0 && i < t->n_columns; i++) {
		if (t->columns[i].hidden)
			continue;
		buf_reset(&text);
		rc = format_value(&text, row->cells[i], a);
		if (rc == 0)
			rc = table_cell(out, buf_str(&text));
	}
	buf_release(&text);
	return rc == 0 ? table_end_row(out) : rc;
}

static int print_table(const struct exp_table *t, const struct exp_args *a)
{
	enum table_format format = a->csv ? TABLE_CSV : a->md ? TABLE_MARKDOWN : TABLE_TEXT;
	struct table *table = NULL;
	struct buf text = BUF_INIT;
	int rc = table_new(&table);

	if (rc == 0)
		rc = add_columns(table, t, a);
	for (size_t i = 0; rc == 0 && i < t->n_rows; i++)
		rc = add_row(table, t, a, &t->rows[i]);
	if (rc == 0)
		rc = table_print(table, format,
			format == TABLE_TEXT ? table_terminal_width(STDOUT_FILENO) : 0, &text);
	if (rc == 0)
		fwrite(buf_str(&text), 1, text.len, stdout);
	table_free(table);
	buf_release(&text);
	return rc;
}

/* ---- JSON ---- */

/* The files as they are, not flattened. */
static int json_values(struct json *j, cJSON *row, const char *key, const struct values *v)
{
	cJSON *files = json_object(j, row, key), *parsed;
	struct buf text = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->n; i++) {
		if (!v->v[i].root)
			continue;
		buf_reset(&text);
		rc = node_json(&text, v->v[i].root, 0);
		parsed = rc == 0 ? cJSON_Parse(text.p) : NULL;
		if (!parsed || !cJSON_AddItemToObject(files, v->v[i].path, parsed)) {
			cJSON_Delete(parsed);
			j->failed = 1;
		}
	}
	buf_release(&text);
	return rc;
}

static int json_row(struct json *j, const struct exp_args *a, const struct exp_row *row)
{
	char hex[REPO_HEX_MAX + 1], when[ISOTIME_LEN + 1];
	cJSON *o = json_item(j, j->root);
	int rc;

	json_string(j, o, "name", row->name);
	json_string(j, o, "type", kinds[row->kind]);
	if (row->commit) {
		repo_id_hex(hex, &a->ctx->repo, row->commit);
		json_string(j, o, "rev", hex);
		isotime_format(when, row->time);
		json_string(j, o, "created", when);
	}
	if (row->e) {
		repo_id_hex(hex, &a->ctx->repo, row->e->base);
		json_string(j, o, "base", hex);
		json_string(j, o, "state", experiment_state_name(row->e->state));
	}
	rc = json_values(j, o, "metrics", &row->metrics);
	return rc == 0 ? json_values(j, o, "params", &row->params) : rc;
}

static int print_json(const struct exp_table *t, const struct exp_args *a)
{
	struct json j;
	int rc = 0;

	json_init_array(&j);
	for (size_t i = 0; rc == 0 && i < t->n_rows; i++)
		rc = json_row(&j, a, &t->rows[i]);
	if (rc < 0) {
		json_release(&j);
		return rc;
	}
	return json_print(&j);
}

int exp_show(struct exp_args *a)
{
	struct exp_table t = {0};
	int rc;

	if (a->n > 0)
		return command_usage("'exp show' takes no names; --rev chooses commits");
	if (a->json + a->md + a->csv > 1)
		return command_usage("--json, --md and --csv: one of them");
	if (a->sort_order && strcmp(a->sort_order, "asc") != 0 &&
		strcmp(a->sort_order, "desc") != 0)
		return command_usage("--sort-order is asc or desc, not '%s'", a->sort_order);
	rc = exp_table_collect(&t, a);
	if (rc == 0)
		rc = a->json ? print_json(&t, a) : print_table(&t, a);
	exp_table_release(&t);
	return rc;
}
