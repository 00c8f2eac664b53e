/*
 * A row diff as a tree for JSON (docs/row-diff.md): what rows_print.c prints, for programs.  Names
 * of columns and cells may hold any bytes; JSON may not.
 */
#include "commands/rows_print.h"

#include "commands/datanode.h"
#include "lib/base/err.h"
#include "lib/lineage/rowsummary.h"

struct filling {
	const struct rowdiff_summary *s;
	size_t most;
	uint64_t shown;
	struct node *list; /* where rows go */
};

/* {"old": "Paris", "new": "London"} */
static struct node *pair_node(const struct rowdiff_cell *c)
{
	struct node *pair = node_map();

	if (pair != NULL && datanode_set_text(pair, "old", c->old) == 0 &&
		datanode_set_text(pair, "new", c->now) == 0)
		return pair;
	node_free(pair);
	return NULL;
}

static struct node *cell_node(enum rowdiff_kind kind, const struct rowdiff_cell *c)
{
	return kind == ROWDIFF_CHANGED ? pair_node(c)
				       : datanode_text(kind == ROWDIFF_ADDED ? c->now : c->old);
}

static int add_key_node(struct node *map, const struct filling *p, const struct rowdiff_row *row)
{
	struct node *key = datanode_inner(map, "key", node_map());
	int rc = key != NULL ? 0 : err_no_memory();

	for (size_t i = 0; rc == 0 && i < row->n_key && i < p->s->n_key; i++)
		rc = datanode_set(key, p->s->key[i], datanode_text(row->key[i]));
	return rc;
}

static int add_row_node(const struct rowdiff_row *row, void *data)
{
	static const char *const kinds[] = {[ROWDIFF_ADDED] = "added",
		[ROWDIFF_REMOVED] = "removed",
		[ROWDIFF_CHANGED] = "changed"};
	struct filling *p = data;
	struct node *map, *cells;
	int rc;

	if (p->shown == p->most)
		return 1;
	p->shown++;
	if (!(map = datanode_inner(p->list, NULL, node_map())))
		return err_no_memory();
	rc = datanode_set_text(map, "change", kinds[row->kind]);
	if (rc == 0 && row->old_row > 0)
		rc = datanode_set_count(map, "old_row", row->old_row);
	if (rc == 0 && row->now_row > 0)
		rc = datanode_set_count(map, "new_row", row->now_row);
	if (rc == 0 && row->n_key > 0)
		rc = add_key_node(map, p, row);
	if (rc < 0 || !(cells = datanode_inner(map, "cells", node_map())))
		return rc < 0 ? rc : err_no_memory();
	for (size_t i = 0; rc == 0 && i < row->n_cells; i++)
		rc = datanode_set(
			cells, row->cells[i].column, cell_node(row->kind, &row->cells[i]));
	return rc;
}

int rows_print_node(struct node **out, struct rowdiff *d, size_t most)
{
	struct filling p = {.s = rowdiff_summary(d), .most = most};
	struct node *root = node_map();
	int rc = root != NULL ? rowsummary_node(root, p.s) : err_no_memory();

	if (rc == 0 && !(p.list = datanode_inner(root, "changes", node_list())))
		rc = err_no_memory();
	if (rc == 0)
		rc = rowdiff_each(d, add_row_node, &p);
	if (rc >= 0)
		rc = node_set(root, "more",
			node_int((int64_t)(p.s->added + p.s->removed + p.s->changed - p.shown)));
	if (rc < 0)
		node_free(root);
	else
		*out = root;
	return rc < 0 ? rc : 0;
}
