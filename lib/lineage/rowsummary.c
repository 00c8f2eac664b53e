/*
 * Counts, key, columns and cells of a row diff.  Names of columns may hold any bytes, JSON may not.
 */
#include "lib/lineage/rowsummary.h"

#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/lineage/lineage_internal.h"

static const char *const column_kinds[] = {
	[ROWDIFF_COLUMN_ADDED] = "added",
	[ROWDIFF_COLUMN_REMOVED] = "removed",
	[ROWDIFF_COLUMN_RENAMED] = "renamed",
	[ROWDIFF_COLUMN_MOVED] = "moved",
};
static const char *const key_origins[] = {[ROWDIFF_KEY_GIVEN] = "given",
	[ROWDIFF_KEY_DETECTED] = "detected",
	[ROWDIFF_KEY_NONE] = "none"};

static int put_counts(struct node *map, const struct rowdiff_summary *s)
{
	struct node *rows = lineage_put_map(map, "rows");
	int rc = rows != NULL ? lineage_put_size(rows, "old", s->rows[0]) : ERR_NOMEM;

	if (rc == 0)
		rc = lineage_put_size(rows, "new", s->rows[1]);
	if (rc == 0)
		rc = lineage_put_size(map, "added", s->added);
	if (rc == 0)
		rc = lineage_put_size(map, "removed", s->removed);
	if (rc == 0)
		rc = lineage_put_size(map, "changed", s->changed);
	return rc == 0 ? lineage_put_size(map, "same", s->same) : rc;
}

static int put_key(struct node *map, const struct rowdiff_summary *s)
{
	int rc = lineage_put_text(map, "key_from", key_origins[s->key_from]);
	struct node *key = rc == 0 ? lineage_put_list(map, "key") : NULL;
	struct buf name = BUF_INIT;

	rc = key != NULL ? 0 : ERR_NOMEM;
	for (size_t i = 0; rc == 0 && i < s->n_key; i++) {
		buf_reset(&name);
		rc = utf8_add(&name, s->key[i]);
		if (rc == 0)
			rc = node_push(key, node_string(buf_str(&name)));
	}
	buf_release(&name);
	return rc;
}

static int put_columns(struct node *map, const struct rowdiff_summary *s)
{
	struct node *list = lineage_put_list(map, "columns");
	int rc = list != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < s->n_columns; i++) {
		struct node *column = lineage_push_map(list);

		rc = column != NULL
			     ? lineage_put_text(column, "change", column_kinds[s->columns[i].kind])
			     : ERR_NOMEM;
		if (rc == 0)
			rc = lineage_put_text(column, "old", s->columns[i].old);
		if (rc == 0)
			rc = lineage_put_text(column, "new", s->columns[i].now);
	}
	return rc;
}

static int put_cells(struct node *map, const struct rowdiff_summary *s)
{
	struct node *cells = lineage_put_map(map, "changed_cells");
	struct buf name = BUF_INIT;
	int rc = cells != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; rc == 0 && i < s->n_cells; i++) {
		buf_reset(&name);
		rc = utf8_add(&name, s->cells[i].column);
		if (rc == 0)
			rc = node_set(
				cells, buf_str(&name), node_int((int64_t)s->cells[i].changed));
	}
	buf_release(&name);
	return rc;
}

int rowsummary_node(struct node *map, const struct rowdiff_summary *s)
{
	int rc = put_counts(map, s);

	if (rc == 0)
		rc = put_key(map, s);
	if (rc == 0)
		rc = put_columns(map, s);
	return rc == 0 ? put_cells(map, s) : rc;
}
