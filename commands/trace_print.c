/*
 * `git dvx trace` for people: what is asked for, the commit, the stages from the result upwards,
 * data, metrics, and what cannot be known.  One screen in ordinary cases, so that hashes are
 * shortened and of an environment only the most telling facts are shown; --json has all of it.
 */
#include "commands/trace_print.h"

#include <stdio.h>
#include <string.h>

#include "commands/trace_page.h"
#include "commands/visible.h"
#include "lib/base/progress.h"
#include "lib/metrics/valuediff.h"
#include "lib/metrics/values.h"

enum { HASH_SHOWN = 12, COMMIT_SHOWN = 10, DATA_SHOWN = 20 };

int trace_add(struct buf *out, const struct node *map, const char *key, const char *missing)
{
	const char *text = trace_page_string(map, key);

	return text != NULL ? visible_text(out, text) : buf_addstr(out, missing);
}

int trace_date(struct buf *out, const char *iso)
{
	const char *zone;

	if (iso == NULL)
		return buf_addstr(out, "(no date)");
	if (strlen(iso) < 20 || iso[10] != 'T')
		return visible_text(out, iso);
	zone = iso + 19;
	return *zone == 'Z' ? buf_addf(out, "%.10s %.5s UTC", iso, iso + 11)
			    : buf_addf(out, "%.10s %.5s %.3s%.2s", iso, iso + 11, zone, zone + 4);
}

int trace_value(struct buf *out, const struct node *value)
{
	struct buf text = BUF_INIT;
	int rc = value_format(&text, value, 0);

	if (rc == 0 && text.len > 80) {
		buf_truncate(&text, 77);
		rc = buf_addstr(&text, "...");
	}
	if (rc == 0)
		rc = visible_text(out, buf_str(&text));
	buf_release(&text);
	return rc;
}

/* ---- files ---- */

static int add_count(struct buf *out, const struct node *file, const char *key, const char *word)
{
	const struct node *n = node_get(file, key);
	int rc;

	if (n == NULL || n->type != NODE_INT)
		return 0;
	rc = buf_addstr(out, ", ");
	if (rc == 0)
		rc = buf_addcount(out, (uint64_t)n->i);
	return rc == 0 ? buf_addf(out, " %s%s", word, n->i == 1 ? "" : "s") : rc;
}

int trace_facts(struct buf *out, const struct node *file)
{
	const struct node *size = node_get(file, "size");
	const char *kind = trace_page_string(file, "sha256") != NULL ? "sha256" : "md5";
	char bytes[16];
	int rc;

	rc = buf_addstr(out, size != NULL && size->type == NODE_INT
				     ? progress_bytes(bytes, (uint64_t)size->i)
				     : "size unknown");
	if (rc == 0)
		rc = add_count(out, file, "nfiles", "file");
	if (rc == 0)
		rc = add_count(out, file, "rows", "row");
	if (rc == 0)
		rc = add_count(out, file, "columns", "column");
	if (rc == 0 && trace_page_string(file, kind) != NULL)
		rc = buf_addf(out, ", %s:%.*s", kind, HASH_SHOWN, trace_page_string(file, kind));
	return rc;
}

/* ---- who and when ---- */

static int put_commit(struct buf *out, const struct node *commit, const char *title)
{
	int rc = buf_addf(out, "%-8s %.*s  ", title, COMMIT_SHOWN, trace_page_string(commit, "id"));

	if (rc == 0)
		rc = trace_date(out, trace_page_string(commit, "date"));
	if (rc == 0)
		rc = buf_addstr(out, "  ");
	if (rc == 0)
		rc = trace_add(out, node_get(commit, "author"), "name", "(nobody)");
	if (rc == 0)
		rc = buf_addstr(out, "\n         ");
	if (rc == 0)
		rc = trace_add(out, commit, "subject", "");
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

static int add_words(struct buf *out, const struct node *list, const char *between)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && list != NULL && i < list->n; i++) {
		if (i > 0)
			rc = buf_addstr(out, between);
		if (rc == 0)
			rc = visible_text(out, list->items[i]->text);
	}
	return rc;
}

static int put_model(struct buf *out, const struct node *model, const char *title)
{
	const struct node *stages = node_get(model, "stages");
	int rc = buf_addf(out, "%-8s ", title);

	if (rc == 0)
		rc = trace_add(out, model, "name", "");
	if (rc == 0)
		rc = buf_addf(out, " %s, registered ", trace_page_string(model, "version"));
	if (rc == 0)
		rc = trace_date(out, trace_page_string(model, "registered"));
	if (rc == 0 && trace_page_string(node_get(model, "by"), "name") != NULL) {
		rc = buf_addstr(out, " by ");
		if (rc == 0)
			rc = trace_add(out, node_get(model, "by"), "name", "");
	}
	if (rc == 0 && stages != NULL && stages->n > 0) {
		rc = buf_addstr(out, "; in ");
		if (rc == 0)
			rc = add_words(out, stages, ", ");
	}
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

static int put_names(struct buf *out, const struct node *answer)
{
	const struct node *models = node_get(answer, "models"), *tags = node_get(answer, "tags");
	const struct node *model = node_get(answer, "model");
	int rc = model != NULL ? put_model(out, model, "model") : 0;

	if (rc == 0)
		rc = put_commit(out, node_get(answer, "commit"), "commit");
	if (rc == 0 && tags != NULL && tags->n > 0) {
		rc = buf_addstr(out, "tags     ");
		if (rc == 0)
			rc = add_words(out, tags, ", ");
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	for (size_t i = 0; rc == 0 && models != NULL && i < models->n; i++)
		if (model == NULL || strcmp(trace_page_string(model, "tag"),
					     trace_page_string(models->items[i], "tag")) != 0)
			rc = put_model(out, models->items[i], i == 0 ? "models" : "");
	return rc;
}

static int put_file(struct buf *out, const struct node *file, const char *commit)
{
	const struct node *changed = node_get(file, "changed"), *users = node_get(file, "used_by");
	const struct node *as_made = node_get(file, "as_made");
	int rc = buf_addstr(out, "file     ");

	if (rc == 0)
		rc = visible_path(out, trace_page_string(file, "path"), 0);
	if (rc == 0)
		rc = buf_addstr(out, "  ");
	if (rc == 0)
		rc = trace_facts(out, file);
	if (rc == 0)
		rc = buf_addch(out, '\n');
	if (rc == 0 && as_made != NULL && as_made->type == NODE_BOOL && !as_made->i)
		rc = buf_addf(out, "         NOT what stage '%s' made: it was changed afterwards\n",
			trace_page_string(file, "stage"));
	if (rc == 0 && changed != NULL && changed->type == NODE_MAP &&
		strcmp(trace_page_string(changed, "id"), commit) != 0)
		rc = put_commit(out, changed, "since");
	if (rc == 0 && users != NULL && users->n > 0) {
		rc = buf_addstr(out, "used by  ");
		if (rc == 0)
			rc = add_words(out, users, ", ");
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	return rc;
}

/* ---- values ---- */

struct line {
	struct buf *out;
	size_t n;
};

static int add_pair(const char *name, const struct node *value, void *data)
{
	struct line *l = data;
	int rc = l->n++ > 0 ? buf_addstr(l->out, "  ") : 0;

	if (rc == 0)
		rc = visible_text(l->out, name);
	if (rc == 0)
		rc = buf_addch(l->out, '=');
	return rc == 0 ? trace_value(l->out, value) : rc;
}

/* A line for each file: "    params   lr=0.1  epochs=3  (params.yaml)". */
static int put_values(
	struct buf *out, const struct node *files, const char *indent, const char *title)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && files != NULL && files->type == NODE_MAP && i < files->n;
		i++) {
		struct line l = {.out = out};

		rc = buf_addf(out, "%s%-8s ", indent, i == 0 ? title : "");
		if (rc == 0)
			rc = values_each(files->items[i], add_pair, &l);
		if (rc == 0 && l.n == 0)
			rc = buf_addstr(out, "none");
		if (rc == 0)
			rc = buf_addstr(out, "  (");
		if (rc == 0)
			rc = visible_path(out, files->keys[i], 0);
		if (rc == 0)
			rc = buf_addstr(out, ")\n");
	}
	return rc;
}

/* ---- stages ---- */

static int put_dependency(struct buf *out, const struct node *dep, const char *title)
{
	const char *made_by = trace_page_string(dep, "made_by");
	int rc = buf_addf(out, "    %-8s ", title);

	if (rc == 0)
		rc = visible_path(out, trace_page_string(dep, "path"), 0);
	if (rc == 0)
		rc = buf_addstr(out, "  ");
	if (rc == 0)
		rc = trace_facts(out, dep);
	if (rc == 0 && made_by != NULL)
		rc = buf_addstr(out, "  <- ");
	if (rc == 0 && made_by != NULL)
		rc = visible_text(out, made_by);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

static int put_dependencies(struct buf *out, const struct node *stage, const char *kind)
{
	const struct node *deps = node_get(stage, "deps");
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < deps->n; i++)
		if (strcmp(trace_page_string(deps->items[i], "kind"), kind) == 0)
			rc = put_dependency(out, deps->items[i], n++ == 0 ? kind : "");
	return rc;
}

static int put_environment(struct buf *out, const struct node *e)
{
	static const char *const facts[] = {
		"python", "R", "julia", "node", "java", "os", "cpu", "gpu", "cuda"};
	const struct node *packages = node_get(e, "python-packages");
	size_t n = 0;
	int rc = buf_addstr(out, "    runs in  ");

	for (size_t i = 0; rc == 0 && i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (trace_page_string(e, facts[i]) == NULL)
			continue;
		rc = buf_addstr(out, n++ > 0 ? ", " : "");
		if (rc == 0 && i < 5)
			rc = buf_addf(out, "%s ", facts[i]);
		if (rc == 0)
			rc = trace_add(out, e, facts[i], "");
	}
	if (rc == 0 && packages != NULL && packages->type == NODE_MAP && packages->n > 0)
		rc = buf_addf(out, "%s%zu packages", n > 0 ? ", " : "", packages->n);
	return rc == 0 ? buf_addch(out, '\n') : rc;
}

static int put_stage(struct buf *out, const struct node *stage)
{
	const struct node *cmd = node_get(stage, "cmd"), *outs = node_get(stage, "outs");
	const struct node *changes = node_get(stage, "changed_since");
	const struct node *e = node_get(stage, "environment");
	int rc = buf_addstr(out, "\nstage    ");

	if (rc == 0)
		rc = trace_add(out, stage, "name", "");
	if (rc == 0)
		rc = buf_addstr(out, node_get(stage, "ran")->i ? "\n" : "  (never ran)\n");
	for (size_t i = 0; rc == 0 && i < cmd->n; i++) {
		rc = buf_addf(out, "    %-8s ", i == 0 ? "command" : "");
		if (rc == 0)
			rc = visible_text(out, cmd->items[i]->text);
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	if (rc == 0)
		rc = put_dependencies(out, stage, "data");
	if (rc == 0)
		rc = put_dependencies(out, stage, "code");
	if (rc == 0)
		rc = put_values(out, node_get(stage, "params"), "    ", "params");
	if (rc == 0 && e != NULL && e->type == NODE_MAP)
		rc = put_environment(out, e);
	for (size_t i = 0; rc == 0 && i < outs->n; i++)
		rc = put_dependency(out, outs->items[i], i == 0 ? "made" : "");
	if (rc == 0 && changes != NULL && changes->n > 0) {
		rc = buf_addstr(out, "    changed since it ran: ");
		if (rc == 0)
			rc = add_words(out, changes, ", ");
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	return rc;
}

/* ---- the answer ---- */

static int put_data(struct buf *out, const struct node *data)
{
	int rc = data->n > 0 ? buf_addch(out, '\n') : 0;

	for (size_t i = 0; rc == 0 && i < data->n && i < DATA_SHOWN; i++) {
		rc = buf_addf(out, "%-8s ", i == 0 ? "data" : "");
		if (rc == 0)
			rc = visible_path(out, trace_page_string(data->items[i], "path"), 0);
		if (rc == 0)
			rc = buf_addstr(out, "  ");
		if (rc == 0)
			rc = trace_facts(out, data->items[i]);
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	if (rc == 0 && data->n > DATA_SHOWN)
		rc = buf_addf(out, "         ... and %zu more (--json has them all)\n",
			data->n - DATA_SHOWN);
	return rc;
}

int trace_unknown(struct buf *out, const struct node *answer, const char *bullet)
{
	const struct node *list = node_get(answer, "unknown");
	int rc = list->n > 0 ? buf_addstr(out, "\ncannot be known\n") : 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		rc = buf_addstr(out, bullet);
		if (rc == 0)
			rc = trace_add(out, list->items[i], "what", "");
		if (rc == 0)
			rc = buf_addstr(out, ": ");
		if (rc == 0)
			rc = trace_add(out, list->items[i], "reason", "");
		if (rc == 0)
			rc = buf_addch(out, '\n');
	}
	return rc;
}

int trace_text(struct buf *out, const struct node *answer)
{
	const struct node *stages = node_get(answer, "stages");
	const struct node *file = node_get(answer, "file");
	int rc = put_names(out, answer);

	if (rc == 0 && file != NULL)
		rc = put_file(out, file, trace_page_string(node_get(answer, "commit"), "id"));
	for (size_t i = 0; rc == 0 && i < stages->n; i++)
		rc = put_stage(out, stages->items[i]);
	if (rc == 0)
		rc = put_data(out, node_get(answer, "data"));
	if (rc == 0 && stages->n == 0)
		rc = put_values(out, node_get(answer, "params"), "", "params");
	if (rc == 0)
		rc = put_values(out, node_get(answer, "metrics"), "", "metrics");
	return rc == 0 ? trace_unknown(out, answer, "    ") : rc;
}

int trace_markdown(struct buf *out, const struct node *answer)
{
	int rc = buf_addstr(out, "```\n");

	if (rc == 0)
		rc = trace_text(out, answer);
	return rc == 0 ? buf_addstr(out, "```\n") : rc;
}
