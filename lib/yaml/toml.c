/*
 * TOML into nodes: events of toml++ (tomlwalk.h) become a tree, characters become bytes.  Times
 * become strings, as they are written.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/yaml/tomlwalk.h"
#include "lib/yaml/yaml_internal.h"

enum { TOML_BYTES_MAX = 16 * 1024 * 1024 };

struct building {
	const char *name;
	const char *text;
	size_t len;
	size_t *lines; /* where each begins */
	size_t n_lines;
	struct node *open[YAML_DEPTH_MAX]; /* maps and lists that are being filled */
	size_t depth;
	struct node *root;
};

static int find_lines(struct building *b)
{
	size_t n = 1;

	for (size_t i = 0; i < b->len; i++)
		n += b->text[i] == '\n';
	b->lines = calloc(n, sizeof(*b->lines));
	if (b->lines == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	if (b->len >= 3 && !memcmp(b->text, "\xef\xbb\xbf", 3))
		b->lines[0] = 3;
	b->n_lines = 1;
	for (size_t i = 0; i < b->len; i++)
		if (b->text[i] == '\n')
			b->lines[b->n_lines++] = i + 1;
	return 0;
}

static size_t byte_of(const struct building *b, struct tomlwalk_place at)
{
	size_t byte;

	if (at.line == 0)
		return 0;
	if (at.line > b->n_lines)
		return b->len;
	byte = b->lines[at.line - 1];
	for (unsigned column = 1; column < at.column && byte < b->len; column++) {
		byte++;
		while (byte < b->len && ((unsigned char)b->text[byte] & 0xc0) == 0x80)
			byte++;
	}
	return byte;
}

/* As it is written, where that reads the same; 1_000.0, inf and nan do not. */
static struct node *float_node(const char *written, size_t len, double value)
{
	char text[64];
	struct node *n;

	if (len < sizeof(text)) {
		memcpy(text, written, len);
		text[len] = '\0';
		n = node_of_plain(text);
		if (n != NULL && n->type == NODE_FLOAT)
			return n;
		node_free(n);
	}
	return node_float(value);
}

static struct node *node_of_event(const struct building *b, const struct tomlwalk_event *e)
{
	size_t start = byte_of(b, e->begin), end = byte_of(b, e->end);
	struct node *n = NULL;

	if (end < start)
		end = start;
	switch (e->kind) {
	case TOMLWALK_MAP:
		n = node_map();
		break;
	case TOMLWALK_LIST:
		n = node_list();
		break;
	case TOMLWALK_STRING:
		n = node_new(NODE_STRING, e->text_len ? e->text : "", e->text_len);
		break;
	case TOMLWALK_INT:
		n = node_int(e->i);
		break;
	case TOMLWALK_FLOAT:
		n = float_node(b->text + start, end - start, e->f);
		break;
	case TOMLWALK_BOOL:
		n = node_bool(e->i != 0);
		break;
	case TOMLWALK_TIME:
		n = node_new(NODE_STRING, b->text + start, end - start);
		break;
	case TOMLWALK_LEAVE:
		break;
	}
	if (n == NULL)
		return NULL;
	n->line = e->begin.line ? e->begin.line : 1;
	n->column = e->begin.column ? e->begin.column : 1;
	n->key_line = e->key_at.line;
	n->start = start;
	n->end = end;
	return n;
}

static int add_event(const struct tomlwalk_event *e, void *data)
{
	struct building *b = data;
	struct node *n, *parent = b->depth > 0 ? b->open[b->depth - 1] : NULL;
	int rc = 0;

	if (e->kind == TOMLWALK_LEAVE) {
		b->depth--;
		return 0;
	}
	if (e->key != NULL && strlen(e->key) != e->key_len)
		return err_set(ERR_INVALID, "%s:%u:%u: a key must not hold NUL characters", b->name,
			e->key_at.line, e->key_at.column);
	if (b->depth == YAML_DEPTH_MAX)
		return err_set(ERR_LIMIT, "%s:%u:%u: nested more than %d levels deep", b->name,
			e->begin.line, e->begin.column, YAML_DEPTH_MAX);
	n = node_of_event(b, e);
	if (n == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	if (parent == NULL)
		b->root = n;
	else if (parent->type == NODE_LIST)
		rc = node_push(parent, n);
	else /* toml++ has refused keys that are given twice */
		rc = node_append(parent, e->key, n);
	if (rc == 0 && !node_is_scalar(n))
		b->open[b->depth++] = n;
	return rc;
}

int toml_parse(struct node **out, const char *name, const void *text, size_t len)
{
	struct building b = {.name = name, .text = len ? text : "", .len = len};
	struct tomlwalk_error error = {.what = ""};
	int rc;

	if (len > TOML_BYTES_MAX)
		return err_set(ERR_LIMIT, "%s:1:1: %zu bytes are more than the %d that are read",
			name, len, TOML_BYTES_MAX);
	rc = find_lines(&b);
	if (rc == 0)
		rc = tomlwalk(b.text, len, add_event, &b, &error);
	if (rc < 0 && error.what[0])
		rc = err_set(ERR_INVALID, "%s:%u:%u: %s", name, error.at.line ? error.at.line : 1,
			error.at.column ? error.at.column : 1, error.what);
	if (rc < 0)
		node_free(b.root);
	else
		*out = b.root;
	free(b.lines);
	return rc;
}
