/*
 * Which values of a file count, and what they are called (docs/metrics.md, "Selection").  Pure.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/metrics/values.h"

/* A table is a list of nothing but maps. */
static int is_table(const struct node *n)
{
	if (n->type != NODE_LIST || n->n == 0)
		return 0;
	for (size_t i = 0; i < n->n; i++)
		if (n->items[i]->type != NODE_MAP)
			return 0;
	return 1;
}

/* ---- paths ---- */

static int bad_path(const char *path, const char *why)
{
	return err_set(ERR_INVALID,
		"cannot select '%s': %s; a path is like 'train.loss', 'layers[0].units' or, in a "
		"table, '0,acc'",
		path, why);
}

/* What stands in brackets at *p - a number, or a quoted key - as a part of a dotted path. */
static int add_bracket(struct buf *out, const char *path, const char **p)
{
	const char *from = *p + 1, *end;
	char quote = *from == '\'' || *from == '"' ? *from : '\0';
	int rc = 0;

	from += quote != '\0';
	end = strchr(from, quote ? quote : ']');
	if (!end || end == from || (quote && end[1] != ']'))
		return bad_path(path, "a bracket is not closed");
	if (out->len > 0)
		rc = buf_addch(out, '.');
	if (rc == 0)
		rc = buf_add(out, from, (size_t)(end - from));
	*p = end + (quote ? 2 : 1);
	return rc;
}

/* "$.a['b'][0]" to "a.b.0". */
static int dotted(struct buf *out, const char *path)
{
	const char *p = path;
	int rc = 0;

	if (strchr(path, '*') || strstr(path, ".."))
		return bad_path(path, "it has wildcards");
	if (*p == '$' && (p[1] == '.' || p[1] == '[' || p[1] == '\0'))
		p++;
	while (rc == 0 && *p) {
		if (*p == '[') {
			rc = add_bracket(out, path, &p);
			continue;
		}
		if (*p == '.' && out->len == 0) {
			p++;
			continue;
		}
		rc = buf_addch(out, *p++);
	}
	return rc;
}

/* ---- tables ---- */

static const struct node *field(const struct node *row, const char *column)
{
	const struct node *found = node_get(row, column);
	char *end;
	unsigned long i;

	if (found || *column < '0' || *column > '9')
		return found;
	i = strtoul(column, &end, 10);
	return *end == '\0' && i < row->n ? row->items[i] : NULL;
}

/* "row,column": the value, or NULL. */
static const struct node *cell(
	const struct node *table, const char *path, const char *comma, const char *name)
{
	char *end;
	long row = strtol(path, &end, 10);

	if (end == path || end != comma || row == LONG_MIN)
		return NULL;
	if (row < 0)
		row += (long)table->n;
	if (row < 0 || (size_t)row >= table->n)
		return NULL;
	return field(table->items[row], name);
}

/* All values of a column; the value itself where there is one row.  1 and *out (yours), 0 when no
 * row has it, or ERR_NOMEM. */
static int column(struct node **out, const struct node *table, const char *name)
{
	struct node *list, *copy;
	int any = 0, rc = 0;

	for (size_t i = 0; i < table->n; i++)
		any |= node_get(table->items[i], name) != NULL;
	if (!any)
		return 0;
	if (table->n == 1) {
		*out = node_dup(node_get(table->items[0], name));
		return *out ? 1 : err_set(ERR_NOMEM, "out of memory");
	}
	if (!(list = node_list()))
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < table->n; i++) {
		const struct node *value = node_get(table->items[i], name);

		copy = value ? node_dup(value) : node_null();
		rc = copy ? node_push(list, copy) : err_set(ERR_NOMEM, "out of memory");
	}
	if (rc < 0) {
		node_free(list);
		return rc;
	}
	*out = list;
	return 1;
}

/* ---- both ---- */

static int as_map(struct node **out, const char *name, struct node *value)
{
	struct node *map = node_map();
	int rc;

	if (!map) {
		node_free(value);
		return err_set(ERR_NOMEM, "out of memory");
	}
	rc = node_set(map, name, value);
	if (rc < 0)
		node_free(map);
	else
		*out = map;
	return rc;
}

static int dup_found(struct node **out, const struct node *found, const char *path)
{
	if (!found)
		return err_set(ERR_NOTFOUND, "there is no '%s' in it", path);
	*out = node_dup(found);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

int values_select(struct node **out, const struct node *root, const char *path)
{
	const char *comma = strchr(path, ',');
	struct buf name = BUF_INIT;
	struct node *copy = NULL;
	int rc;

	if (comma && is_table(root)) {
		const char *field_name = comma + 1 + strspn(comma + 1, " ");

		rc = buf_addf(&name, "%.*s.%s", (int)(comma - path), path, field_name);
		if (rc == 0)
			rc = dup_found(&copy, cell(root, path, comma, field_name), path);
	} else {
		rc = dotted(&name, path);
		if (rc == 0 && is_table(root))
			rc = column(&copy, root, buf_str(&name));
		if (rc == 0 && !copy)
			rc = dup_found(&copy, node_at(root, buf_str(&name)), path);
	}
	if (rc >= 0 && name.len == 0)
		*out = copy; /* "$": all of it */
	else if (rc >= 0)
		rc = as_map(out, name.p, copy);
	buf_release(&name);
	return rc < 0 ? rc : 0;
}

/* ---- names ---- */

struct row {
	char prefix[24]; /* "12." */
	struct buf name;
	int (*fn)(const char *name, const struct node *value, void *data);
	void *data;
};

static int each_field(const char *name, const struct node *value, void *data)
{
	struct row *r = data;
	int rc;

	buf_reset(&r->name);
	rc = buf_addf(&r->name, "%s%s", r->prefix, name);
	return rc < 0 ? rc : r->fn(r->name.p, value, r->data);
}

int values_each(const struct node *root,
	int (*fn)(const char *name, const struct node *value, void *data), void *data)
{
	struct row r = {.fn = fn, .data = data};
	int rc = 0;

	if (root->type == NODE_NULL || (!node_is_scalar(root) && root->n == 0))
		return 0;
	if (node_is_scalar(root) || (root->type == NODE_LIST && !is_table(root)))
		return fn("value", root, data);
	if (root->type == NODE_MAP)
		return node_each(root, 1, fn, data);
	if (root->n == 1)
		return values_each(root->items[0], fn, data);
	if (root->n > VALUES_ROWS_MAX) {
		snprintf(r.prefix, sizeof r.prefix, "-1.");
		rc = values_each(root->items[root->n - 1], each_field, &r);
		buf_release(&r.name);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < root->n; i++) {
		snprintf(r.prefix, sizeof r.prefix, "%zu.", i);
		rc = values_each(root->items[i], each_field, &r);
	}
	buf_release(&r.name);
	return rc;
}
