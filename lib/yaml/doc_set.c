/*
 * Changing one value in a file that people wrote: the bytes of that value are replaced, or a line
 * is added behind the last one of its map; comments, order and layout stay.
 *
 * What the change means is worked out on the tree as well, and the new text is only given out when
 * it reads back as that tree.  So an anchor that others share, or a layout that was not foreseen,
 * ends in an error and not in a file that says something else.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/yaml/yaml_internal.h"
#include "lib/base/err.h"

/* Keys of TOML that need no quotes. */
#define BARE_KEY "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

struct edit {
	const char *name, *path;
	enum doc_format format;
	const char *text;
	size_t len;
	const struct node *root, *value;
	size_t start, end;   /* bytes to replace */
	struct buf inserted; /* by these */
	struct node *expected;
};

/* --- values as text ----------------------------------------------------------------------------
 */

static int add_string(struct buf *out, const char *text)
{
	struct node *n = node_string(text);
	int rc = n == NULL ? err_set(ERR_NOMEM, "out of memory") : node_json(out, n, 0);

	node_free(n);
	return rc;
}

/* As JSON and TOML have it. */
static int add_json(struct buf *out, const struct node *v)
{
	int rc;

	if (node_is_scalar(v))
		return node_json(out, v, 0);
	rc = buf_addch(out, v->type == NODE_MAP ? '{' : '[');
	for (size_t i = 0; rc == 0 && i < v->n; i++) {
		if (i)
			rc = buf_addstr(out, ", ");
		if (rc == 0 && v->type == NODE_MAP)
			rc = add_string(out, v->keys[i]);
		if (rc == 0 && v->type == NODE_MAP)
			rc = buf_addstr(out, ": ");
		if (rc == 0)
			rc = add_json(out, v->items[i]);
	}
	return rc < 0 ? rc : buf_addch(out, v->type == NODE_MAP ? '}' : ']');
}

static int add_value(struct buf *out, const struct node *v, enum doc_format format)
{
	return format == DOC_YAML ? yaml_put_value(out, v) : add_json(out, v);
}

/* --- replacing ---------------------------------------------------------------------------------
 */

static int replace(struct edit *e, const struct node *old)
{
	const char *text = e->text;

	e->start = old->start;
	e->end = old->end;
	if (e->format == DOC_YAML && e->start < e->end && text[e->start] == '&') {
		e->start += strcspn(text + e->start, " \t\r\n");
		e->start += strspn(text + e->start, " \t");
		if (e->start > e->end)
			e->start = e->end;
	}
	/* a block scalar ends behind its last line */
	while (e->end > e->start && (text[e->end - 1] == '\n' || text[e->end - 1] == '\r'))
		e->end--;
	if (e->start == e->end && e->start > 0 && strchr(":-", text[e->start - 1]) != NULL &&
		buf_addch(&e->inserted, ' ') < 0)
		return ERR_NOMEM;
	return add_value(&e->inserted, e->value, e->format);
}

/* --- adding a key ------------------------------------------------------------------------------
 */

/* The value of the map that stands last in the text; merged ones stand elsewhere. */
static const struct node *last_of(const struct node *map)
{
	const struct node *last = NULL;

	for (size_t i = 0; i < map->n; i++) {
		const struct node *item = map->items[i];

		if (item->start >= map->start && item->end <= map->end &&
			(last == NULL || item->start >= last->start))
			last = item;
	}
	return last;
}

static int add_key_text(struct buf *out, const char *key, enum doc_format format)
{
	if (format == DOC_YAML)
		return yaml_quote(out, key);
	if (format == DOC_TOML && *key && strspn(key, BARE_KEY) == strlen(key))
		return buf_addstr(out, key);
	return add_string(out, key);
}

static int add_pair(struct edit *e, const char *key, const char *colon)
{
	int rc = add_key_text(&e->inserted, key, e->format);

	if (rc == 0)
		rc = buf_addstr(&e->inserted, colon);
	return rc < 0 ? rc : add_value(&e->inserted, e->value, e->format);
}

static const char *pair_sign(const struct edit *e)
{
	return e->format == DOC_TOML ? " = " : ": ";
}

/* Into "{…}": laid out as the pair before it. */
static int add_to_flow(struct edit *e, const struct node *map, const char *key)
{
	const struct node *last = last_of(map);
	const char *text = e->text;
	int rc, compact;

	if (last == NULL) {
		const char *brace = memchr(text + map->start, '{', map->end - map->start);

		if (brace == NULL)
			return err_set(ERR_INVALID, "no '{'");
		e->start = e->end = (size_t)(brace - text) + 1;
		return add_pair(e, key, pair_sign(e));
	}
	compact = last->start > 0 && text[last->start - 1] == ':';
	e->start = e->end = last->end;
	rc = buf_addch(&e->inserted, ',');
	if (rc == 0 && last->key_line != map->line) {
		size_t line = 0, begin = 0;

		/* the line of the last key, whose blanks are taken over */
		for (line = 1; line < last->key_line && begin < e->len; begin++)
			line += text[begin] == '\n';
		rc = buf_addch(&e->inserted, '\n');
		if (rc == 0)
			rc = buf_add(&e->inserted, text + begin, strspn(text + begin, " \t"));
	} else if (rc == 0 && !compact) {
		rc = buf_addch(&e->inserted, ' ');
	}
	return rc < 0 ? rc : add_pair(e, key, compact ? ":" : pair_sign(e));
}

/* A line of its own below the last one of the block. */
static int add_to_block(struct edit *e, const struct node *map, const char *key)
{
	const struct node *last = last_of(map);
	const char *text = e->text;
	size_t at = last != NULL ? last->end : map->end;
	int is_behind_line = at > 0 && text[at - 1] == '\n';
	const char *newline = strstr(text, "\r\n") != NULL ? "\r\n" : "\n";
	int rc = 0;

	if (!is_behind_line) {
		at += strcspn(text + at, "\n");
		if (at > 0 && text[at] == '\n' && text[at - 1] == '\r')
			at--;
		rc = buf_addstr(&e->inserted, newline);
	}
	e->start = e->end = at;
	for (unsigned column = 1; rc == 0 && column < map->column; column++)
		rc = buf_addch(&e->inserted, ' ');
	if (rc == 0)
		rc = add_pair(e, key, pair_sign(e));
	if (rc == 0 && is_behind_line)
		rc = buf_addstr(&e->inserted, newline);
	return rc;
}

/* The first key of an empty file. */
static int add_to_nothing(struct edit *e, const char *key)
{
	int rc = 0;

	e->start = e->end = e->len;
	if (e->len > 0 && e->text[e->len - 1] != '\n')
		rc = buf_addch(&e->inserted, '\n');
	if (rc == 0 && e->format == DOC_JSON)
		rc = buf_addch(&e->inserted, '{');
	if (rc == 0)
		rc = add_pair(e, key, ": ");
	if (rc == 0 && e->format == DOC_JSON)
		rc = buf_addch(&e->inserted, '}');
	return rc < 0 ? rc : buf_addch(&e->inserted, '\n');
}

/* A line at the beginning of a TOML file, before all its tables. */
static int add_to_top(struct edit *e, const char *key)
{
	int rc;

	e->start = e->end = e->len >= 3 && !memcmp(e->text, "\xef\xbb\xbf", 3) ? 3 : 0;
	rc = add_pair(e, key, pair_sign(e));
	return rc < 0 ? rc : buf_addch(&e->inserted, '\n');
}

static int is_flow(const struct edit *e, const struct node *map)
{
	if (e->format == DOC_TOML)
		return map->start < map->end && e->text[map->start] == '{';
	return e->format == DOC_JSON ||
	       (map->end > map->start && e->text[map->end - 1] == '}' &&
		       (last_of(map) == NULL || last_of(map)->end < map->end));
}

static int add_key(struct edit *e, const struct node *map, const char *key)
{
	if (map->type == NODE_NULL)
		return add_to_nothing(e, key);
	if (e->format == DOC_TOML && map == e->root)
		return add_to_top(e, key);
	return is_flow(e, map) ? add_to_flow(e, map, key) : add_to_block(e, map, key);
}

/* --- what it should mean -----------------------------------------------------------------------
 */

/* Make the node at `place` of the expected tree what the value is. */
static int become(struct node *place, const struct node *value)
{
	struct node *copy = node_dup(value), old = *place;

	if (copy == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	*place = *copy;
	*copy = old;
	node_free(copy);
	return 0;
}

/* The map that the path's last key belongs to, and that key. */
static const struct node *parent_of(const struct edit *e, struct buf *path, const char **key)
{
	const char *dot = strrchr(e->path, '.');
	const struct node *parent = e->root;

	*key = dot != NULL ? dot + 1 : e->path;
	if (dot != NULL) {
		if (buf_add(path, e->path, (size_t)(dot - e->path)) < 0)
			return NULL;
		parent = node_at(e->root, buf_str(path));
	}
	if (parent == NULL || **key == '\0' || strpbrk(*key, "[]") != NULL)
		return NULL;
	if (parent->type == NODE_MAP || (parent == e->root && parent->type == NODE_NULL))
		return parent;
	return NULL;
}

static int plan_addition(struct edit *e)
{
	struct buf path = BUF_INIT;
	const char *key = NULL;
	const struct node *map = parent_of(e, &path, &key);
	struct node *place;
	int rc;

	if (map == NULL) {
		rc = err_set(
			ERR_NOTFOUND, "%s: no '%s', and no map to add it to", e->name, e->path);
		goto done;
	}
	rc = add_key(e, map, key);
	if (rc == 0 && map->type == NODE_NULL) {
		node_free(e->expected);
		e->expected = node_map();
		if (e->expected == NULL)
			rc = err_set(ERR_NOMEM, "out of memory");
	}
	place = rc == 0 ? node_at(e->expected, buf_str(&path)) : NULL;
	if (place != NULL)
		rc = node_set(place, key, node_dup(e->value));
done:
	buf_release(&path);
	return rc;
}

static int plan(struct edit *e)
{
	const struct node *old = *e->path ? node_at(e->root, e->path) : NULL;
	int rc;

	e->expected = node_dup(e->root);
	if (e->expected == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	if (old == NULL)
		return plan_addition(e);
	rc = replace(e, old);
	return rc < 0 ? rc : become(node_at(e->expected, e->path), e->value);
}

/* The new text, if it says what was meant. */
static int apply(struct edit *e, struct buf *out)
{
	struct node *read = NULL;
	int rc = buf_add(out, e->text, e->start);

	if (rc == 0)
		rc = buf_add(out, e->inserted.p, e->inserted.len);
	if (rc == 0)
		rc = buf_add(out, e->text + e->end, e->len - e->end);
	if (rc == 0 &&
		(doc_parse(&read, e->name, out->p, out->len) < 0 || !node_equal(read, e->expected)))
		rc = err_set(ERR_INVALID,
			"%s: '%s' cannot be changed alone (an anchor, alias or merge key?); edit "
			"the file by hand",
			e->name, e->path);
	node_free(read);
	return rc;
}

int doc_set(struct buf *text, const char *name, const char *path, const struct node *value)
{
	struct edit e = {.name = name,
		.path = path,
		.format = doc_format_of(name),
		.text = buf_str(text),
		.len = text->len,
		.value = value};
	struct node *root = NULL;
	struct buf out = BUF_INIT;
	int rc;

	rc = doc_parse(&root, name, e.text, e.len);
	if (rc < 0)
		return rc;
	e.root = root;
	rc = plan(&e);
	if (rc == 0)
		rc = apply(&e, &out);
	if (rc == 0) {
		buf_reset(text);
		rc = buf_add(text, out.p, out.len);
	}
	node_free(e.expected);
	node_free(root);
	buf_release(&e.inserted);
	buf_release(&out);
	return rc;
}
