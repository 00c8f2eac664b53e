/*
 * The tree that documents are read into: making it, finding in it, comparing it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/yaml/yaml_internal.h"
#include "lib/base/err.h"
#include "lib/base/utf8.h"

#define DIGITS "0123456789"

void node_free(struct node *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->n; i++) {
		node_free(n->items[i]);
		if (n->keys != NULL)
			free(n->keys[i]);
	}
	free(n->items);
	free(n->keys);
	free(n->text);
	free(n);
}

struct node *node_new(enum node_type type, const char *text, size_t len)
{
	struct node *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->type = type;
	if (text == NULL)
		return n;
	n->text = malloc(len + 1);
	if (n->text == NULL) {
		free(n);
		return NULL;
	}
	memcpy(n->text, text, len);
	n->text[len] = '\0';
	n->len = len;
	return n;
}

struct node *node_null(void)
{
	return node_new(NODE_NULL, "", 0);
}

struct node *node_bool(int value)
{
	const char *text = value ? "true" : "false";
	struct node *n = node_new(NODE_BOOL, text, strlen(text));

	if (n != NULL)
		n->i = value != 0;
	return n;
}

struct node *node_int(int64_t value)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, value);
	struct node *n = node_new(NODE_INT, text, (size_t)len);

	if (n != NULL) {
		n->i = value;
		n->f = (double)value;
	}
	return n;
}

struct node *node_string(const char *text)
{
	return node_new(NODE_STRING, text, strlen(text));
}

struct node *node_list(void)
{
	return node_new(NODE_LIST, NULL, 0);
}

struct node *node_map(void)
{
	return node_new(NODE_MAP, NULL, 0);
}

/* The capacity is not kept: it is 4 or the power of two that holds n. */
static int make_room(struct node *n)
{
	size_t cap = n->n ? n->n * 2 : 4;
	void *grown;

	if (n->n && (n->n < 4 || (n->n & (n->n - 1))))
		return 0;
	grown = realloc(n->items, cap * sizeof(*n->items));
	if (grown == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	n->items = grown;
	if (n->type != NODE_MAP)
		return 0;
	grown = realloc(n->keys, cap * sizeof(*n->keys));
	if (grown == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	n->keys = grown;
	return 0;
}

int node_push(struct node *list, struct node *value)
{
	int rc = value == NULL ? err_set(ERR_NOMEM, "out of memory") : make_room(list);

	if (rc < 0) {
		node_free(value);
		return rc;
	}
	list->items[list->n++] = value;
	return 0;
}

static size_t index_of(const struct node *map, const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < map->n; i++)
		if (!strncmp(map->keys[i], key, len) && map->keys[i][len] == '\0')
			break;
	return i;
}

int node_append(struct node *map, const char *key, struct node *value)
{
	char *copy = strdup(key);
	int rc = copy == NULL ? err_set(ERR_NOMEM, "out of memory") : node_push(map, value);

	if (copy == NULL)
		node_free(value);
	if (rc < 0) {
		free(copy);
		return rc;
	}
	map->keys[map->n - 1] = copy;
	return 0;
}

int node_set(struct node *map, const char *key, struct node *value)
{
	size_t i = index_of(map, key, strlen(key));

	if (i == map->n || value == NULL)
		return node_append(map, key, value);
	node_free(map->items[i]);
	map->items[i] = value;
	return 0;
}

struct node *node_dup(const struct node *n)
{
	struct node *copy = node_new(n->type, n->text, n->len);
	int rc = 0;

	if (copy == NULL)
		return NULL;
	copy->i = n->i;
	copy->f = n->f;
	copy->line = n->line;
	copy->column = n->column;
	copy->key_line = n->key_line;
	copy->start = n->start;
	copy->end = n->end;
	for (size_t i = 0; rc == 0 && i < n->n; i++) {
		struct node *item = node_dup(n->items[i]);

		rc = n->type == NODE_MAP ? node_append(copy, n->keys[i], item)
					 : node_push(copy, item);
	}
	if (rc < 0) {
		node_free(copy);
		return NULL;
	}
	return copy;
}

static struct node *get(const struct node *n, const char *key, size_t len)
{
	size_t i;

	if (n == NULL || n->type != NODE_MAP)
		return NULL;
	i = index_of(n, key, len);
	return i < n->n ? n->items[i] : NULL;
}

struct node *node_get(const struct node *n, const char *key)
{
	return get(n, key, strlen(key));
}

/* The item that "0" or "[0]" at the beginning of the path names; *used: the characters of that. */
static struct node *item_at(const struct node *list, const char *path, size_t *used)
{
	int bracket = *path == '[';
	size_t digits = strspn(path + bracket, DIGITS);
	size_t i;

	if (!digits || digits > 9 || (bracket && path[1 + digits] != ']'))
		return NULL;
	*used = digits + 2 * (size_t)bracket;
	i = strtoul(path + bracket, NULL, 10);
	return i < list->n ? list->items[i] : NULL;
}

static struct node *below(const struct node *child, const char *rest)
{
	if (child == NULL || (rest[0] == '.' && rest[1] == '\0'))
		return NULL;
	return node_at(child, rest + (*rest == '.'));
}

struct node *node_at(const struct node *n, const char *path)
{
	struct node *found = NULL;
	size_t used = 0;

	if (n == NULL)
		return NULL;
	if (*path == '\0') {
		/* the one place where a const tree gives out a node of it */
		union {
			const struct node *in;
			struct node *out;
		} same = {.in = n};

		return same.out;
	}
	if (n->type == NODE_LIST) {
		found = item_at(n, path, &used);
		if (found != NULL && path[used] && path[used] != '.' && path[used] != '[')
			return NULL;
		return below(found, path + used);
	}
	for (used = strlen(path); n->type == NODE_MAP && found == NULL && used > 0; used--)
		if (path[used] == '\0' || path[used] == '.' || path[used] == '[')
			found = below(get(n, path, used), path + used);
	return found;
}

static int numbers_equal(const struct node *a, const struct node *b)
{
	struct buf left = BUF_INIT, right = BUF_INIT;
	int equal;

	if (a->type == NODE_INT && b->type == NODE_INT)
		return a->i == b->i;
	equal = node_add_number(&left, a) == 0 && node_add_number(&right, b) == 0 &&
		!strcmp(buf_str(&left), buf_str(&right));
	buf_release(&left);
	buf_release(&right);
	return equal;
}

static int maps_equal(const struct node *a, const struct node *b)
{
	for (size_t i = 0; i < a->n; i++) {
		/* most often the other one has it at the same place */
		const struct node *other =
			!strcmp(a->keys[i], b->keys[i]) ? b->items[i] : node_get(b, a->keys[i]);

		if (other == NULL || !node_equal(a->items[i], other))
			return 0;
	}
	return 1;
}

int node_equal(const struct node *a, const struct node *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (node_is_number(a) && node_is_number(b))
		return numbers_equal(a, b);
	if (a->type != b->type || a->n != b->n)
		return 0;
	if (a->type == NODE_BOOL)
		return a->i == b->i;
	if (a->type == NODE_STRING)
		return a->len == b->len && !memcmp(a->text, b->text, a->len);
	if (a->type == NODE_MAP)
		return maps_equal(a, b);
	for (size_t i = 0; i < a->n; i++)
		if (!node_equal(a->items[i], b->items[i]))
			return 0;
	return 1;
}

struct each {
	struct buf path;
	int whole_lists;
	int (*fn)(const char *path, const struct node *value, void *data);
	void *data;
};

static int each(struct each *e, const struct node *n)
{
	size_t len = e->path.len;
	int rc = 0;

	if (n->n == 0 || (n->type == NODE_LIST && e->whole_lists))
		return e->fn(buf_str(&e->path), n, e->data);
	for (size_t i = 0; rc == 0 && i < n->n; i++) {
		if (len)
			rc = buf_addch(&e->path, '.');
		if (rc == 0)
			rc = n->type == NODE_MAP ? buf_addstr(&e->path, n->keys[i])
						 : buf_addf(&e->path, "%zu", i);
		if (rc == 0)
			rc = each(e, n->items[i]);
		buf_truncate(&e->path, len);
	}
	return rc;
}

int node_each(const struct node *n, int whole_lists,
	int (*fn)(const char *path, const struct node *value, void *data), void *data)
{
	struct each e = {.path = BUF_INIT, .whole_lists = whole_lists, .fn = fn, .data = data};
	int rc = each(&e, n);

	buf_release(&e.path);
	return rc;
}

const char *node_type_name(const struct node *n)
{
	static const char *const names[] = {[NODE_NULL] = "null",
		[NODE_BOOL] = "a bool",
		[NODE_INT] = "an int",
		[NODE_FLOAT] = "a float",
		[NODE_STRING] = "a string",
		[NODE_LIST] = "a list",
		[NODE_MAP] = "a map"};

	return names[n->type];
}
