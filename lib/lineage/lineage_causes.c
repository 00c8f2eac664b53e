/*
 * Which of the differences most likely explain that a model behaves otherwise: a guess by rule, and
 * an order for people to read in.  A table whose columns changed comes first, since what was
 * trained on other columns is another model; then data, parameters, commands, code that stages ran,
 * environments; what a stage made counts only where nothing before it differs.
 */
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/lineage_diff_internal.h"
#include "lib/table/rowwords.h"

static int add(struct node *list, const char *kind, const char *what, const struct buf *text)
{
	struct node *entry = lineage_push_map(list);
	int rc = entry != NULL ? lineage_put_text(entry, "kind", kind) : ERR_NOMEM;

	if (rc == 0)
		rc = lineage_put_text(entry, "what", what);
	return rc == 0 ? lineage_put_text(entry, "text", buf_str(text)) : rc;
}

/* ---- data ---- */

/* "column added: region; column renamed: tel -> phone" */
static int columns_text(struct buf *out, const struct node *columns)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < columns->n; i++) {
		const struct node *c = columns->items[i];
		const char *change = lineage_text(c, "change"), *old = lineage_text(c, "old");
		const char *now = lineage_text(c, "new");

		rc = buf_addf(
			out, "%scolumn %s: %s", i > 0 ? "; " : "", change, old != NULL ? old : now);
		if (rc == 0 && strcmp(change, "renamed") == 0)
			rc = buf_addf(out, " -> %s", now);
	}
	return rc;
}

static uint64_t count_of(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && n->type == NODE_INT ? (uint64_t)n->i : 0;
}

static int rows_text(struct buf *out, const struct node *entry)
{
	const struct node *table = node_get(entry, "table");
	const char *status = lineage_text(entry, "status"), *old;
	int rc = 0;

	if (table != NULL) {
		rc = rowwords_counts(out, count_of(table, "added"), count_of(table, "removed"),
			count_of(table, "changed"));
		return rc == 0 && out->len == 0 ? buf_addstr(out, "the same rows") : rc;
	}
	old = lineage_text(node_get(entry, "old"), "path");
	if (strcmp(status, "renamed") == 0)
		return buf_addf(out, "renamed, it was '%s'", old);
	return buf_addstr(out, strcmp(status, "modified") == 0 ? "other content" : status);
}

/* Tables whose columns differ; with `columns` 0: the other data.  Of this role only. */
static int add_data(struct node *list, const struct node *root, const char *role, int columns)
{
	const struct node *data = node_get(root, "data");
	struct buf text = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < data->n; i++) {
		const struct node *entry = data->items[i];
		const struct node *of = node_get(node_get(entry, "table"), "columns");
		int has = of != NULL && of->n > 0;

		if (strcmp(lineage_text(entry, "role"), role) != 0 || has != columns)
			continue;
		buf_reset(&text);
		rc = has ? columns_text(&text, of) : rows_text(&text, entry);
		if (rc == 0)
			rc = add(
				list, has ? "columns" : "data", lineage_text(entry, "path"), &text);
	}
	buf_release(&text);
	return rc;
}

/* ---- the rest ---- */

static int pair_text(struct buf *out, const char *name, const struct node *pair)
{
	const struct node *old = node_get(pair, "old"), *now = node_get(pair, "new");
	int rc = buf_addf(out, "%s ", name);

	if (rc == 0)
		rc = old->type != NODE_NULL ? node_print(out, old) : buf_addstr(out, "(none)");
	if (rc == 0)
		rc = buf_addstr(out, " -> ");
	if (rc == 0)
		rc = now->type != NODE_NULL ? node_print(out, now) : buf_addstr(out, "(none)");
	return rc;
}

/* A section of maps of pairs: of files and keys, of stages and facts. */
static int add_pairs(
	struct node *list, const struct node *root, const char *section, const char *kind)
{
	const struct node *map = node_get(root, section);
	struct buf text = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < map->n; i++)
		for (size_t k = 0; rc == 0 && k < map->items[i]->n; k++) {
			buf_reset(&text);
			rc = pair_text(&text, map->items[i]->keys[k], map->items[i]->items[k]);
			if (rc == 0)
				rc = add(list, kind, map->keys[i], &text);
		}
	buf_release(&text);
	return rc;
}

static int add_commands(struct node *list, const struct node *root)
{
	const struct node *stages = node_get(root, "stages");
	struct buf text = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < stages->n; i++) {
		const struct node *s = stages->items[i];
		const char *status = lineage_text(s, "status");

		buf_reset(&text);
		rc = buf_addstr(
			&text, strcmp(status, "modified") == 0 ? "another command" : status);
		if (rc == 0)
			rc = add(list, "command", lineage_text(s, "name"), &text);
	}
	buf_release(&text);
	return rc;
}

static int add_code(struct node *list, const struct node *root)
{
	const struct node *deps = node_get(node_get(root, "code"), "stages");
	struct buf text = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < deps->n; i++) {
		const struct node *dep = deps->items[i];

		buf_reset(&text);
		rc = buf_addf(&text, "%s (stage '%s')", lineage_text(dep, "status"),
			lineage_text(dep, "stage"));
		if (rc == 0)
			rc = add(list, "code", lineage_text(dep, "path"), &text);
	}
	buf_release(&text);
	return rc;
}

int lineage_causes(struct node *root)
{
	struct node *list = lineage_put_list(root, "causes");
	int rc = list != NULL ? add_data(list, root, "source", 1) : ERR_NOMEM;
	size_t columns = list != NULL ? list->n : 0;

	if (rc == 0 && columns == 0) /* it slipped in on the way */
		rc = add_data(list, root, "made", 1);
	if (rc == 0)
		rc = add_data(list, root, "source", 0);
	if (rc == 0)
		rc = add_pairs(list, root, "params", "params");
	if (rc == 0)
		rc = add_commands(list, root);
	if (rc == 0)
		rc = add_code(list, root);
	if (rc == 0)
		rc = add_pairs(list, root, "environment", "environment");
	if (rc == 0 && list->n == 0)
		rc = add_data(list, root, "made", 0);
	return rc;
}
