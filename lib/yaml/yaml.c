/*
 * From libyaml's events to nodes: types by YAML 1.2's core schema, one document, no duplicate keys,
 * bounded depth and size, anchors and merge keys resolved.
 *
 * libyaml counts characters, an editor needs bytes: a cursor follows the marks through the text.
 */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "lib/yaml/yaml_internal.h"
#include "lib/base/err.h"

#define TAG_PREFIX "tag:yaml.org,2002:"
#define BOM	   "\xef\xbb\xbf"

struct reader {
	yaml_parser_t parser;
	const char *name;
	const char *text; /* behind a byte order mark */
	size_t len;
	size_t bom;	     /* bytes before `text` */
	size_t chars, bytes; /* the cursor: character number and its byte in `text` */
	size_t nodes;	     /* so far, copies included */
	unsigned depth;
	struct strmap anchors; /* name to a copy of the node, owned */
};

static int fail(const struct reader *r, const yaml_mark_t *at, const char *what)
{
	return err_set(ERR_INVALID, "%s:%zu:%zu: %s", r->name, at->line + 1, at->column + 1, what);
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return 0;
	return yaml_report(&r->parser, r->name, r->text, r->len);
}

/* The byte of the file at a mark.  Marks mostly grow, so the cursor goes a few characters. */
static size_t byte_of(struct reader *r, const yaml_mark_t *mark)
{
	while (r->chars < mark->index && r->bytes < r->len) {
		r->bytes++;
		while (r->bytes < r->len && ((unsigned char)r->text[r->bytes] & 0xc0) == 0x80)
			r->bytes++;
		r->chars++;
	}
	while (r->chars > mark->index) {
		r->bytes--;
		while (r->bytes > 0 && ((unsigned char)r->text[r->bytes] & 0xc0) == 0x80)
			r->bytes--;
		r->chars--;
	}
	return r->bom + r->bytes;
}

static void set_start(struct reader *r, struct node *n, const yaml_event_t *event)
{
	n->line = (unsigned)event->start_mark.line + 1;
	n->column = (unsigned)event->start_mark.column + 1;
	n->start = byte_of(r, &event->start_mark);
}

/* Where a scalar or alias stands; NULL: there was no memory for it. */
static int set_extent(struct reader *r, struct node *n, const yaml_event_t *event)
{
	if (n == NULL)
		return err_no_memory();
	set_start(r, n, event);
	n->end = byte_of(r, &event->end_mark);
	return 0;
}

static int count(struct reader *r, const yaml_mark_t *at, size_t more)
{
	r->nodes += more;
	if (r->nodes <= YAML_NODES_MAX)
		return 0;
	return err_set(ERR_LIMIT, "%s:%zu:%zu: more than %d values, aliases counted at each use",
		r->name, at->line + 1, at->column + 1, YAML_NODES_MAX);
}

static size_t size_of(const struct node *n)
{
	size_t sum = 1;

	for (size_t i = 0; i < n->n; i++)
		sum += size_of(n->items[i]);
	return sum;
}

/* --- scalars -----------------------------------------------------------------------------------
 */

static int bad_tag(const struct reader *r, const yaml_mark_t *at, const char *tag)
{
	return err_set(ERR_INVALID,
		"%s:%zu:%zu: tag '%s' is not known here; remove it (known: !!str !!int !!float "
		"!!bool !!null !!seq !!map)",
		r->name, at->line + 1, at->column + 1, tag);
}

/* The node of a scalar by its tag, whose type its text must have. */
static int tagged(struct reader *r, struct node **out, const yaml_event_t *event, const char *text)
{
	static const struct {
		const char *name;
		enum node_type type;
	} known[] = {{"str", NODE_STRING}, {"int", NODE_INT}, {"float", NODE_FLOAT},
		{"bool", NODE_BOOL}, {"null", NODE_NULL}};
	const char *tag = (const char *)event->data.scalar.tag;
	size_t prefix = strlen(TAG_PREFIX), i;
	int fits;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strncmp(tag, TAG_PREFIX, prefix) && !strcmp(tag + prefix, known[i].name))
			break;
	if (i == sizeof(known) / sizeof(*known) && strcmp(tag, "!") != 0)
		return bad_tag(r, &event->start_mark, tag);
	if (!strcmp(tag, "!") || known[i].type == NODE_STRING) {
		*out = node_string(text);
		return *out == NULL ? err_set(ERR_NOMEM, "out of memory") : 0;
	}
	*out = node_of_plain(text);
	if (*out == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	fits = (*out)->type == known[i].type ||
	       (known[i].type == NODE_FLOAT && (*out)->type == NODE_INT);
	if (!fits)
		return err_set(ERR_INVALID, "%s:%zu:%zu: '%s' is not what the tag !!%s says",
			r->name, event->start_mark.line + 1, event->start_mark.column + 1, text,
			known[i].name);
	(*out)->type = known[i].type;
	return 0;
}

static int string_with_nuls(struct node **out, const char *text, size_t len)
{
	*out = node_string("");
	if (*out == NULL || ((*out)->text = realloc((*out)->text, len + 1)) == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	memcpy((*out)->text, text, len + 1); /* libyaml ends its texts with a NUL, too */
	(*out)->len = len;
	return 0;
}

static int read_scalar(struct reader *r, struct node **out, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	int rc = 0;

	if (strlen(text) != len)
		rc = string_with_nuls(out, text, len);
	else if (event->data.scalar.tag != NULL)
		rc = tagged(r, out, event, text);
	else if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		*out = node_of_plain(text);
	else
		*out = node_string(text);
	return rc < 0 ? rc : set_extent(r, *out, event);
}

/* --- anchors -----------------------------------------------------------------------------------
 */

static int keep_anchor(struct reader *r, const yaml_event_t *event, const yaml_char_t *anchor,
	const struct node *n)
{
	struct node *copy, *old = strmap_get(&r->anchors, (const char *)anchor);
	int rc = count(r, &event->start_mark, size_of(n));

	if (rc < 0)
		return rc;
	copy = node_dup(n);
	if (copy == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	rc = strmap_put(&r->anchors, (const char *)anchor, copy);
	node_free(rc < 0 ? copy : old);
	return rc;
}

static int read_alias(struct reader *r, struct node **out, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct node *target = strmap_get(&r->anchors, name);
	int rc;

	if (target == NULL)
		return err_set(ERR_INVALID,
			"%s:%zu:%zu: there is no complete value '&%s' before this '*%s'; put a "
			"text "
			"that begins with '*' in quotes",
			r->name, event->start_mark.line + 1, event->start_mark.column + 1, name,
			name);
	rc = count(r, &event->start_mark, size_of(target) - 1);
	if (rc < 0)
		return rc;
	*out = node_dup(target);
	return set_extent(r, *out, event);
}

/* --- collections -------------------------------------------------------------------------------
 */

static int read_node(struct reader *r, struct node **out, yaml_event_t *event);

static int check_collection(
	struct reader *r, const yaml_event_t *event, const yaml_char_t *tag, const char *known)
{
	if (tag != NULL && strcmp((const char *)tag, "!") != 0 &&
		strcmp((const char *)tag, known) != 0)
		return bad_tag(r, &event->start_mark, (const char *)tag);
	if (r->depth < YAML_DEPTH_MAX)
		return 0;
	return err_set(ERR_LIMIT, "%s:%zu:%zu: nested more than %d levels deep", r->name,
		event->start_mark.line + 1, event->start_mark.column + 1, YAML_DEPTH_MAX);
}

/* A block ends where its last value does: libyaml's own mark is behind the comments that follow. */
static void set_end(struct reader *r, struct node *n, int is_block, const yaml_event_t *end)
{
	if (is_block && n->n > 0)
		n->end = n->items[n->n - 1]->end;
	else
		n->end = byte_of(r, &end->end_mark);
}

static int read_list(struct reader *r, struct node **out, const yaml_event_t *start)
{
	struct node *list = node_list(), *item = NULL;
	yaml_event_t event = {.type = YAML_NO_EVENT};
	int rc = list == NULL ? err_set(ERR_NOMEM, "out of memory") : 0;

	if (rc == 0)
		set_start(r, list, start);
	while (rc == 0 && (rc = next_event(r, &event)) == 0) {
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		rc = read_node(r, &item, &event);
		if (rc == 0) {
			rc = node_push(list, item);
			item = NULL;
		}
		yaml_event_delete(&event);
	}
	if (rc == 0)
		set_end(r, list, start->data.sequence_start.style == YAML_BLOCK_SEQUENCE_STYLE,
			&event);
	yaml_event_delete(&event);
	if (rc < 0) {
		node_free(list);
		return rc;
	}
	*out = list;
	return 0;
}

/* What the merge key's value has and the map has not (https://yaml.org/type/merge.html). */
static int merge_map(struct reader *r, struct mapkeys *m, const struct node *from)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < from->n; i++) {
		struct node *copy;

		if (mapkeys_get(m, from->keys[i]) != NULL)
			continue;
		r->nodes += size_of(from->items[i]);
		if (r->nodes > YAML_NODES_MAX)
			return err_set(ERR_LIMIT, "%s:%u:%u: more than %d values, merged ones too",
				r->name, from->line, from->column, YAML_NODES_MAX);
		copy = node_dup(from->items[i]);
		rc = mapkeys_add(m, r->name, from->keys[i], from->items[i]->key_line, 1, copy);
	}
	return rc;
}

static int merge(struct reader *r, struct mapkeys *m, const struct node *from)
{
	int rc = 0;

	if (from == NULL)
		return 0;
	if (from->type == NODE_MAP)
		return merge_map(r, m, from);
	for (size_t i = 0; from->type == NODE_LIST && rc == 0 && i < from->n; i++) {
		if (from->items[i]->type != NODE_MAP)
			break;
		rc = merge_map(r, m, from->items[i]);
		if (i + 1 == from->n)
			return rc;
	}
	if (rc < 0 || (from->type == NODE_LIST && from->n == 0))
		return rc;
	return err_set(ERR_INVALID, "%s:%u:%u: '<<' merges a map or a list of maps, not %s",
		r->name, from->line, from->column, node_type_name(from));
}

/* A key is a scalar, or an alias of one; what else there is in YAML cannot be addressed. */
static int read_key(struct reader *r, struct node **key, yaml_event_t *event)
{
	int rc;

	if (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT)
		return fail(r, &event->start_mark,
			"a key must be a word, not a list or a map; put a text with braces in "
			"quotes");
	rc = read_node(r, key, event);
	if (rc < 0)
		return rc;
	if (!node_is_scalar(*key))
		return fail(r, &event->start_mark, "a key must be a word, not a list or a map");
	if (strlen((*key)->text) != (*key)->len)
		return fail(r, &event->start_mark, "a key must not hold NUL characters");
	return 0;
}

static int is_merge_key(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT &&
	       event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       event->data.scalar.tag == NULL &&
	       !strcmp((const char *)event->data.scalar.value, "<<");
}

/* One "key: value" whose key's event is there. */
static int read_pair(
	struct reader *r, struct mapkeys *m, struct node **merged, yaml_event_t *key_event)
{
	struct node *key = NULL, *value = NULL;
	yaml_event_t event = {.type = YAML_NO_EVENT};
	int is_merge = is_merge_key(key_event);
	int rc = read_key(r, &key, key_event);

	if (rc < 0)
		goto done;
	if (is_merge && *merged != NULL) {
		rc = fail(r, &key_event->start_mark,
			"duplicate key '<<'; merge several by a list: '<<: [*a, *b]'");
		goto done;
	}
	rc = next_event(r, &event);
	if (rc == 0)
		rc = read_node(r, &value, &event);
	if (rc < 0)
		goto done;
	if (is_merge)
		*merged = value;
	else
		rc = mapkeys_add(m, r->name, key->text, key->line, key->column, value);
	value = NULL;
done:
	yaml_event_delete(&event);
	node_free(key);
	node_free(value);
	return rc;
}

static int read_map(struct reader *r, struct node **out, const yaml_event_t *start)
{
	struct mapkeys m = {.map = node_map()};
	struct node *merged = NULL;
	yaml_event_t event = {.type = YAML_NO_EVENT};
	int rc = m.map == NULL ? err_set(ERR_NOMEM, "out of memory") : 0;

	if (rc == 0)
		set_start(r, m.map, start);
	while (rc == 0 && (rc = next_event(r, &event)) == 0) {
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		rc = read_pair(r, &m, &merged, &event);
		yaml_event_delete(&event);
	}
	if (rc == 0) {
		set_end(r, m.map, start->data.mapping_start.style == YAML_BLOCK_MAPPING_STYLE,
			&event);
		rc = merge(r, &m, merged);
	}
	if (rc == 0) {
		*out = m.map;
		m.map = NULL;
	}
	yaml_event_delete(&event);
	node_free(merged);
	mapkeys_release(&m);
	return rc;
}

static int read_node(struct reader *r, struct node **out, yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL;
	int rc = count(r, &event->start_mark, 1);

	if (rc < 0)
		return rc;
	r->depth++;
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		rc = read_scalar(r, out, event);
	} else if (event->type == YAML_ALIAS_EVENT) {
		rc = read_alias(r, out, event);
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		rc = check_collection(r, event, event->data.sequence_start.tag, TAG_PREFIX "seq");
		if (rc == 0)
			rc = read_list(r, out, event);
	} else {
		anchor = event->data.mapping_start.anchor;
		rc = check_collection(r, event, event->data.mapping_start.tag, TAG_PREFIX "map");
		if (rc == 0)
			rc = read_map(r, out, event);
	}
	r->depth--;
	if (rc == 0 && anchor != NULL)
		rc = keep_anchor(r, event, anchor, *out);
	if (rc < 0) {
		node_free(*out);
		*out = NULL;
	}
	return rc;
}

/* --- the document ------------------------------------------------------------------------------
 */

static int read_stream(struct reader *r, struct node **out)
{
	yaml_event_t event = {.type = YAML_NO_EVENT};
	int rc = 0, documents = 0, ended = 0;

	while (rc == 0 && !ended && (rc = next_event(r, &event)) == 0) {
		if (event.type == YAML_STREAM_END_EVENT)
			ended = 1;
		else if (event.type == YAML_DOCUMENT_START_EVENT && documents++)
			rc = fail(r, &event.start_mark,
				"a second document begins here; one file holds one: remove the "
				"'---'");
		else if (event.type != YAML_STREAM_START_EVENT &&
			 event.type != YAML_DOCUMENT_START_EVENT &&
			 event.type != YAML_DOCUMENT_END_EVENT)
			rc = read_node(r, out, &event);
		yaml_event_delete(&event);
	}
	if (rc == 0 && *out == NULL && (*out = node_null()) == NULL)
		rc = err_set(ERR_NOMEM, "out of memory");
	return rc;
}

static void free_node(void *n)
{
	node_free(n);
}

int yaml_parse(struct node **out, const char *name, const void *text, size_t len)
{
	struct reader r = {.name = name, .text = text, .len = len};
	struct node *root = NULL;
	int rc = doc_check_size(name, len);

	if (rc < 0)
		return rc;
	if (len >= 3 && !memcmp(text, BOM, 3)) {
		r.bom = 3;
		r.text += 3;
		r.len -= 3;
	}
	if (!yaml_parser_initialize(&r.parser))
		return err_set(ERR_NOMEM, "out of memory");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text, r.len);
	rc = read_stream(&r, &root);
	if (rc == 0)
		*out = root;
	else
		node_free(root);
	strmap_release(&r.anchors, free_node);
	yaml_parser_delete(&r.parser);
	return rc;
}
