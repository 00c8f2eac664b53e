/*
 * From a parsed file to the columns that are drawn.  Pure.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/metrics/plots_internal.h"
#include "lib/base/err.h"
#include "lib/base/utf8.h"

enum { NAMED_FIELDS = 12 };

static int has_field(const struct node *rows, const char *field)
{
	enum { LOOKED_AT = 1000 };

	for (size_t i = 0; i < rows->n && i < LOOKED_AT; i++)
		if (node_at(rows->items[i], field) != NULL)
			return 1;
	return 0;
}

const struct node *plot_rows(const struct node *root, const char *field)
{
	const struct node *found = NULL;

	if (root->type == NODE_LIST && root->n > 0) {
		const struct node *first = root->items[0];

		if (node_is_number(first) ||
			(first->type == NODE_MAP && (field == NULL || has_field(root, field))))
			return root;
	}
	for (size_t i = 0; found == NULL && i < root->n; i++)
		found = plot_rows(root->items[i], field);
	return found;
}

const char *plot_field(const struct node *rows, size_t place)
{
	const struct node *first = rows->n > 0 ? rows->items[0] : NULL;

	if (first == NULL || first->type != NODE_MAP || first->n == 0)
		return NULL;
	return first->keys[place < first->n ? place : first->n - 1];
}

int plot_json_string(struct buf *out, const char *text)
{
	struct buf clean = BUF_INIT;
	struct node *n = NULL;
	int rc = utf8_add(&clean, text);

	if (rc == 0) {
		n = node_string(buf_str(&clean));
		rc = n != NULL ? node_json(out, n, 0) : err_set(ERR_NOMEM, "out of memory");
	}
	node_free(n);
	buf_release(&clean);
	return rc;
}

/* How programs write a number that is none. */
static int is_no_number(const struct node *n)
{
	static const char *const words[] = {"nan", "inf", "infinity"};
	const char *text = n->text + (*n->text == '-' || *n->text == '+');

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i]) == 0)
			return 1;
	return 0;
}

static int add_value(struct buf *out, const struct node *value)
{
	if (value == NULL || value->type == NODE_NULL ||
		(value->type == NODE_STRING && is_no_number(value)))
		return buf_addstr(out, "null");
	if (value->type == NODE_STRING)
		return plot_json_string(out, value->text);
	return node_is_scalar(value) ? node_json(out, value, 0) : buf_addstr(out, "null");
}

/* Which fields there are, for the message. */
static int no_field(const char *name, const struct node *rows, const char *field)
{
	const struct node *first = rows->n > 0 ? rows->items[0] : NULL;
	struct buf there = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && first != NULL && first->keys != NULL && i < first->n; i++) {
		if (i == NAMED_FIELDS) {
			rc = buf_addstr(&there, ", …");
			break;
		}
		rc = buf_addf(&there, "%s%s", i ? ", " : "", first->keys[i]);
	}
	rc = err_set(ERR_NOTFOUND, "%s: no field '%s'; there are: %s", name, field,
		there.len > 0 ? buf_str(&there) : "none");
	buf_release(&there);
	return rc;
}

int plot_column(struct buf *out, const char *name, const struct node *rows, const char *field)
{
	int rc = buf_addch(out, '['), any = field == NULL;

	for (size_t i = 0; rc == 0 && i < rows->n; i++) {
		const struct node *row = rows->items[i];
		const struct node *value = field != NULL ? node_at(row, field) : row;

		any |= value != NULL;
		if (i)
			rc = buf_addch(out, ',');
		if (rc == 0)
			rc = field == NULL && row->type == NODE_MAP ? buf_addf(out, "%zu", i)
								    : add_value(out, value);
	}
	if (rc == 0 && !any)
		return no_field(name, rows, field);
	return rc < 0 ? rc : buf_addch(out, ']');
}
