/*
 * Where an entry of a block map begins and ends as lines, how its file is indented, and block text
 * made from nodes.
 *
 * A parser's mark for the end of a block stands behind the comments and empty lines that follow;
 * here the end is found by indentation, and by the last scalar for what need not be indented (lines
 * of a flow collection or of a quoted string).
 */
#include "lib/pipeline/stageedit_text.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

/* ---- lines ---- */

static size_t line_start(const struct buf *text, size_t pos)
{
	while (pos > 0 && text->p[pos - 1] != '\n')
		pos--;
	return pos;
}

static size_t line_end(const struct buf *text, size_t pos)
{
	const char *nl = pos < text->len ? memchr(text->p + pos, '\n', text->len - pos) : NULL;

	return nl != NULL ? (size_t)(nl - text->p) + 1 : text->len;
}

/* Begin of the line with this number, from 1. */
static size_t line_numbered(const struct buf *text, unsigned line)
{
	size_t pos = 0;

	while (line > 1 && pos < text->len) {
		pos = line_end(text, pos);
		line--;
	}
	return pos;
}

size_t stageedit_line_before(const struct buf *text, size_t pos)
{
	return pos > 0 ? line_start(text, pos - 1) : 0;
}

static size_t indent_of(const struct buf *text, size_t pos)
{
	size_t n = 0;

	while (pos + n < text->len && text->p[pos + n] == ' ')
		n++;
	return n;
}

int stageedit_is_blank(const struct buf *text, size_t pos)
{
	size_t end = line_end(text, pos);

	while (pos < end && strchr(" \t\r\n", text->p[pos]) != NULL)
		pos++;
	return pos == end;
}

static int is_comment(const struct buf *text, size_t pos)
{
	pos += indent_of(text, pos);
	return pos < text->len && text->p[pos] == '#';
}

/* ---- entries ---- */

int stageedit_is_flow(const struct buf *text, const struct node *n)
{
	return !node_is_scalar(n) && n->start < text->len &&
	       strchr("{[", text->p[n->start]) != NULL;
}

/* Behind the last byte of the scalars and flow collections in `n`. */
static size_t last_byte(const struct buf *text, const struct node *n)
{
	size_t last = 0;

	if (node_is_scalar(n) || stageedit_is_flow(text, n)) {
		last = n->end <= text->len ? n->end : text->len;
		while (last > n->start && strchr(" \t\r\n", text->p[last - 1]) != NULL)
			last--;
		return last > n->start ? last : 0;
	}
	for (size_t i = 0; i < n->n; i++) {
		size_t end = last_byte(text, n->items[i]);

		last = end > last ? end : last;
	}
	return last;
}

void stageedit_entry(struct stageedit_lines *out, const struct buf *text, const struct node *value)
{
	size_t pos, last = last_byte(text, value);

	out->start = line_numbered(text, value->key_line);
	out->indent = indent_of(text, out->start);
	out->end = line_end(text, out->start);
	for (pos = out->end; pos < text->len; pos = line_end(text, pos)) {
		if (stageedit_is_blank(text, pos))
			continue;
		if (indent_of(text, pos) > out->indent)
			out->end = line_end(text, pos);
		else if (!is_comment(text, pos))
			break;
	}
	if (last > out->end)
		out->end = line_end(text, last - 1);
}

void stageedit_take_comments(struct stageedit_lines *l, const struct buf *text)
{
	while (l->start > 0) {
		size_t above = stageedit_line_before(text, l->start);

		if (!is_comment(text, above) || indent_of(text, above) > l->indent)
			break;
		l->start = above;
	}
}

/* ---- style ---- */

/* Columns from the keys of this stage to the dashes of its first list in block style: 1 when found.
 */
static int find_dash(size_t *out, const struct buf *text, const struct node *stage)
{
	for (size_t i = 0; stage->type == NODE_MAP && i < stage->n; i++) {
		const struct node *list = stage->items[i];
		struct stageedit_lines key;

		if (list->type != NODE_LIST || list->n == 0 || stageedit_is_flow(text, list) ||
			list->column == 0)
			continue;
		stageedit_entry(&key, text, list);
		if (list->column - 1 < key.indent)
			continue;
		*out = list->column - 1 - key.indent;
		return 1;
	}
	return 0;
}

void stageedit_style(struct stageedit_style *out, const struct buf *text, const struct node *stages)
{
	const char *nl = text->len > 0 ? memchr(text->p, '\n', text->len) : NULL;
	struct stageedit_lines parent, entry;

	*out = (struct stageedit_style){.step = 2, .eol = "\n"};
	if (nl != NULL && nl > text->p && nl[-1] == '\r')
		out->eol = "\r\n";
	if (stages == NULL || stages->type != NODE_MAP || stages->n == 0 ||
		stageedit_is_flow(text, stages))
		return;
	stageedit_entry(&parent, text, stages);
	stageedit_entry(&entry, text, stages->items[0]);
	if (entry.indent > parent.indent)
		out->step = entry.indent - parent.indent;
	for (size_t i = 0; i < stages->n; i++)
		if (find_dash(&out->dash, text, stages->items[i]))
			break;
	if (stages->n > 1) {
		stageedit_entry(&entry, text, stages->items[1]);
		stageedit_take_comments(&entry, text);
		out->blank_lines =
			stageedit_is_blank(text, stageedit_line_before(text, entry.start));
	}
}

/* ---- writing ---- */

int stageedit_splice(struct buf *text, size_t start, size_t end, const void *data, size_t len)
{
	struct buf out = BUF_INIT;
	int rc = buf_add(&out, buf_str(text), start);

	if (rc == 0)
		rc = buf_add(&out, data, len);
	if (rc == 0)
		rc = buf_add(&out, text->p + end, text->len - end);
	if (rc == 0) {
		buf_reset(text);
		rc = buf_add(text, buf_str(&out), out.len);
	}
	buf_release(&out);
	return rc;
}

/* ---- maps in braces ---- */

/* Append `"key": value` in JSON, which YAML reads, too. */
static int flow_entry(struct buf *out, const char *key, const struct node *value)
{
	struct node *name = node_string(key);
	int rc = name != NULL ? node_json(out, name, 0) : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = buf_addstr(out, ": ");
	if (rc == 0)
		rc = node_json(out, value, 0);
	node_free(name);
	return rc;
}

int stageedit_flow_add(
	struct buf *text, const struct node *map, const char *key, const struct node *value)
{
	struct buf entry = BUF_INIT;
	size_t end = map->end - 1, pos = end;
	int rc;

	while (pos > map->start && strchr(" \t\r\n", text->p[pos - 1]) != NULL)
		pos--;
	rc = map->n > 0 && text->p[pos - 1] != ',' ? buf_addstr(&entry, ", ")
						   : buf_addstr(&entry, map->n > 0 ? " " : "");
	if (rc == 0)
		rc = flow_entry(&entry, key, value);
	if (rc == 0)
		rc = stageedit_splice(text, pos, pos, entry.p, entry.len);
	buf_release(&entry);
	return rc;
}

int stageedit_flow_remove(struct buf *text, const struct node *map, size_t i)
{
	size_t start = i > 0 ? map->items[i - 1]->end : map->start + 1;
	size_t end = map->items[i]->end;

	if (i == 0) {
		while (end < map->end - 1 && strchr(" \t\r\n", text->p[end]) != NULL)
			end++;
		if (text->p[end] == ',')
			end++;
		else
			end = map->items[i]->end;
	}
	return stageedit_splice(text, start, end, "", 0);
}

/* ---- blocks ---- */

static int add_indent(struct buf *out, size_t n)
{
	return buf_addf(out, "%*s", (int)n, "");
}

static int emit_entries(struct buf *out, const struct node *map, size_t indent, int first_is_placed,
	const struct stageedit_style *style);

/* The items of a list; those that are maps begin behind the dash. */
static int emit_items(struct buf *out, const struct node *list, size_t indent,
	const struct stageedit_style *style)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		const struct node *item = list->items[i];

		rc = add_indent(out, indent);
		if (rc == 0)
			rc = buf_addstr(out, "- ");
		if (rc < 0)
			break;
		if (item->type == NODE_MAP) {
			rc = emit_entries(out, item, indent + 2, 1, style);
			continue;
		}
		rc = yaml_put_value(out, item);
		if (rc == 0)
			rc = buf_addstr(out, style->eol);
	}
	return rc;
}

static int emit_value(struct buf *out, const struct node *value, size_t indent,
	const struct stageedit_style *style)
{
	int rc = 0;

	if (node_is_scalar(value)) {
		if (value->type == NODE_NULL)
			return buf_addstr(out, style->eol);
		rc = buf_addch(out, ' ');
		if (rc == 0)
			rc = yaml_put_value(out, value);
		return rc == 0 ? buf_addstr(out, style->eol) : rc;
	}
	rc = buf_addstr(out, style->eol);
	if (rc < 0)
		return rc;
	return value->type == NODE_MAP ? emit_entries(out, value, indent + style->step, 0, style)
				       : emit_items(out, value, indent + style->dash, style);
}

static int emit_entries(struct buf *out, const struct node *map, size_t indent, int first_is_placed,
	const struct stageedit_style *style)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < map->n; i++) {
		rc = add_indent(out, i == 0 && first_is_placed ? 0 : indent);
		if (rc == 0)
			rc = yaml_quote(out, map->keys[i]);
		if (rc == 0)
			rc = buf_addch(out, ':');
		if (rc == 0)
			rc = emit_value(out, map->items[i], indent, style);
	}
	return rc;
}

int stageedit_emit(
	struct buf *out, const struct node *map, size_t indent, const struct stageedit_style *style)
{
	return emit_entries(out, map, indent, 0, style);
}
