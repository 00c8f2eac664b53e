/*
 * Parameters and metrics beside each other, with the direction of numbers; stages whose command
 * differs, that came or went; environments of stages that both sides ran.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/lineage/lineage_diff_internal.h"
#include "lib/metrics/valuediff.h"
#include "lib/pipeline/environ.h"

/* ---- values ---- */

/* A map of files as the values of a state; borrows from the map. */
static int as_values(struct values *out, const struct node *map)
{
	memset(out, 0, sizeof(*out));
	if (map == NULL || map->type != NODE_MAP)
		return 0;
	out->v = calloc(map->n + 1, sizeof(*out->v));
	if (out->v == NULL)
		return err_no_memory();
	for (size_t i = 0; i < map->n; i++) {
		out->v[i].path = map->keys[i];
		out->v[i].root = map->items[i];
	}
	out->n = map->n;
	return 0;
}

static int put_pair(struct node *map, const char *key, const struct node *n)
{
	return node_append(map, key, n != NULL ? node_dup(n) : node_null());
}

static int put_value(struct node *section, const struct value_change *c)
{
	struct node *file = node_get(section, c->file), *entry;
	int64_t whole;
	int rc;

	if (file == NULL && (file = lineage_put_map(section, c->file)) == NULL)
		return ERR_NOMEM;
	entry = lineage_put_map(file, c->key);
	rc = entry != NULL ? put_pair(entry, "old", c->old) : ERR_NOMEM;
	if (rc == 0)
		rc = put_pair(entry, "new", c->now);
	if (rc < 0 || !c->has_delta)
		return rc;
	return node_append(entry, "diff",
		value_change_whole(&whole, c) ? node_int(whole) : node_float(c->delta));
}

static int diff_section(struct lineage_diff *d, const char *key)
{
	struct value_changes changes = {.n = 0};
	struct values old, now = {.n = 0};
	struct node *section = lineage_put_map(d->root, key);
	int rc = section != NULL ? 0 : ERR_NOMEM;

	if (rc == 0)
		rc = as_values(&old, node_get(d->old, key));
	else
		return rc;
	if (rc == 0)
		rc = as_values(&now, node_get(d->now, key));
	if (rc == 0)
		rc = valuediff(&changes, &old, &now, 0);
	for (size_t i = 0; rc == 0 && i < changes.n; i++)
		rc = put_value(section, &changes.v[i]);
	value_changes_release(&changes);
	free(old.v);
	free(now.v);
	return rc;
}

int lineage_diff_values(struct lineage_diff *d)
{
	int rc = diff_section(d, "params");

	return rc == 0 ? diff_section(d, "metrics") : rc;
}

/* ---- stages ---- */

static const struct node *find_stage(const struct node *answer, const char *name)
{
	const struct node *stages = node_get(answer, "stages");

	for (size_t i = 0; i < stages->n; i++)
		if (strcmp(lineage_text(stages->items[i], "name"), name) == 0)
			return stages->items[i];
	return NULL;
}

static int put_stage(
	struct node *list, const char *name, const struct node *old, const struct node *now)
{
	struct node *entry = lineage_push_map(list), *cmd;
	int rc = entry != NULL ? lineage_put_text(entry, "name", name) : ERR_NOMEM;

	if (rc == 0)
		rc = node_append(entry, "status",
			node_string(old == NULL	  ? "added"
				    : now == NULL ? "deleted"
						  : "modified"));
	if (rc < 0 || (cmd = lineage_put_map(entry, "cmd")) == NULL)
		return ERR_NOMEM;
	rc = put_pair(cmd, "old", node_get(old, "cmd"));
	return rc == 0 ? put_pair(cmd, "new", node_get(now, "cmd")) : rc;
}

static int put_fact(const char *name, const struct node *old, const struct node *now, void *data)
{
	struct node *entry = lineage_put_map(data, name);
	int rc = entry != NULL ? put_pair(entry, "old", old) : ERR_NOMEM;

	return rc == 0 ? put_pair(entry, "new", now) : rc;
}

/* The environments of a stage; what differs goes to `section` by the stage's name. */
static int diff_environment(
	struct node *section, const char *name, const struct node *old, const struct node *now)
{
	const struct node *a = node_get(old, "environment"), *b = node_get(now, "environment");
	struct node *facts;
	int rc;

	if (a == NULL || b == NULL || node_equal(a, b))
		return 0;
	facts = lineage_put_map(section, name);
	rc = facts != NULL ? environ_diff(a, b, put_fact, facts) : ERR_NOMEM;
	return rc;
}

static int compare_stage(struct lineage_diff *d, struct node *list, struct node *environments,
	const struct node *now)
{
	const char *name = lineage_text(now, "name");
	const struct node *old = find_stage(d->old, name);
	int rc = 0;

	if (old == NULL || !node_equal(node_get(old, "cmd"), node_get(now, "cmd")))
		rc = put_stage(list, name, old, now);
	return rc == 0 && old != NULL ? diff_environment(environments, name, old, now) : rc;
}

int lineage_diff_stages(struct lineage_diff *d)
{
	const struct node *old = node_get(d->old, "stages"), *now = node_get(d->now, "stages");
	struct node *list = lineage_put_list(d->root, "stages");
	struct node *environments = list != NULL ? lineage_put_map(d->root, "environment") : NULL;
	int rc = environments != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < now->n; i++)
		rc = compare_stage(d, list, environments, now->items[i]);
	for (size_t i = 0; rc == 0 && i < old->n; i++) {
		const char *name = lineage_text(old->items[i], "name");

		if (find_stage(d->now, name) == NULL)
			rc = put_stage(list, name, old->items[i], NULL);
	}
	return rc;
}
