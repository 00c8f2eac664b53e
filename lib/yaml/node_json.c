/*
 * The tree as JSON and as text for people.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/yaml/yaml_internal.h"
#include "lib/base/err.h"

static int add_json_string(struct buf *out, const char *text, size_t len)
{
	int rc = buf_addch(out, '"');

	for (size_t i = 0; rc == 0 && i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			rc = buf_addf(out, "\\%c", c);
		else if (c == '\n')
			rc = buf_addstr(out, "\\n");
		else if (c == '\t')
			rc = buf_addstr(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			rc = buf_addf(out, "\\u%04x", c);
		else
			rc = buf_addch(out, (char)c);
	}
	return rc < 0 ? rc : buf_addch(out, '"');
}

static int add_json_number(struct buf *out, const struct node *n)
{
	if (node_is_json_number(n->text, n->len))
		return buf_addstr(out, n->text);
	if (!isfinite(n->f) && !node_is_big(n))
		return buf_addstr(out, "null");
	return node_add_number(out, n);
}

static int by_key(const void *a, const void *b, void *map)
{
	const struct node *n = map;

	return strcmp(n->keys[*(const size_t *)a], n->keys[*(const size_t *)b]);
}

/* Places of the items in the order of printing; NULL: as they are. */
static int sorted_places(size_t **out, const struct node *n)
{
	union {
		const struct node *in;
		void *out;
	} map = {.in = n};

	*out = malloc((n->n ? n->n : 1) * sizeof(**out));
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n->n; i++)
		(*out)[i] = i;
	qsort_r(*out, n->n, sizeof(**out), by_key, map.out);
	return 0;
}

static int add_json_items(struct buf *out, const struct node *n, int canonical)
{
	size_t *order = NULL;
	int is_map = n->type == NODE_MAP;
	int rc = buf_addch(out, is_map ? '{' : '[');

	if (rc == 0 && is_map && canonical)
		rc = sorted_places(&order, n);
	for (size_t i = 0; rc == 0 && i < n->n; i++) {
		size_t at = order != NULL ? order[i] : i;

		if (i)
			rc = buf_addstr(out, canonical ? "," : ", ");
		if (rc == 0 && is_map)
			rc = add_json_string(out, n->keys[at], strlen(n->keys[at]));
		if (rc == 0 && is_map)
			rc = buf_addstr(out, canonical ? ":" : ": ");
		if (rc == 0)
			rc = node_json(out, n->items[at], canonical);
	}
	free(order);
	return rc < 0 ? rc : buf_addch(out, is_map ? '}' : ']');
}

int node_json(struct buf *out, const struct node *n, int canonical)
{
	switch (n->type) {
	case NODE_NULL:
		return buf_addstr(out, "null");
	case NODE_BOOL:
		return buf_addstr(out, n->i ? "true" : "false");
	case NODE_INT:
	case NODE_FLOAT:
		return canonical ? node_add_number(out, n) : add_json_number(out, n);
	case NODE_STRING:
		return add_json_string(out, n->text, n->len);
	case NODE_LIST:
	case NODE_MAP:
		break;
	}
	return add_json_items(out, n, canonical);
}

int node_print(struct buf *out, const struct node *n)
{
	if (n->type == NODE_STRING || node_is_number(n))
		return buf_add(out, n->text, n->len);
	return node_json(out, n, 0);
}
