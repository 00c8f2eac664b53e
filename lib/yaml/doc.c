/*
 * What documents of all formats share: which reader a name asks for, places in messages, and maps
 * that notice a key given twice.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/yaml/yaml_internal.h"
#include "lib/base/err.h"

enum doc_format doc_format_of(const char *name)
{
	static const struct {
		const char *extension;
		enum doc_format format;
	} known[] = {{".yaml", DOC_YAML}, {".yml", DOC_YAML}, {".dvc", DOC_YAML},
		{".lock", DOC_YAML}, {".json", DOC_JSON}, {".toml", DOC_TOML}};
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash != NULL ? slash : name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(known) / sizeof(*known); i++)
		if (!strcasecmp(dot, known[i].extension))
			return known[i].format;
	return DOC_UNKNOWN;
}

int doc_parse(struct node **out, const char *name, const void *text, size_t len)
{
	switch (doc_format_of(name)) {
	case DOC_YAML:
		return yaml_parse(out, name, text, len);
	case DOC_JSON:
		return json_parse(out, name, text, len);
	case DOC_TOML:
		return toml_parse(out, name, text, len);
	case DOC_UNKNOWN:
		break;
	}
	return err_set(ERR_UNSUPPORTED,
		"'%s': not a name of YAML, JSON or TOML; end it in .yaml, .json or .toml", name);
}

int doc_check_size(const char *name, size_t len)
{
	if (len <= YAML_BYTES_MAX)
		return 0;
	return err_set(ERR_LIMIT, "%s:1:1: %zu bytes are more than the %d that are read", name, len,
		YAML_BYTES_MAX);
}

struct node *mapkeys_get(const struct mapkeys *m, const char *key)
{
	if (m->map->n < MAPKEYS_LINEAR)
		return node_get(m->map, key);
	return strmap_get(&m->index, key);
}

/* All keys so far, when there get to be too many to search one by one. */
static int index_keys(struct mapkeys *m)
{
	int rc = 0;

	if (m->map->n == MAPKEYS_LINEAR)
		for (size_t i = 0; rc == 0 && i < m->map->n; i++)
			rc = strmap_put(&m->index, m->map->keys[i], m->map->items[i]);
	else if (m->map->n > MAPKEYS_LINEAR)
		rc = strmap_put(
			&m->index, m->map->keys[m->map->n - 1], m->map->items[m->map->n - 1]);
	return rc;
}

int mapkeys_add(struct mapkeys *m, const char *name, const char *key, unsigned line,
	unsigned column, struct node *value)
{
	const struct node *first = mapkeys_get(m, key);
	int rc;

	if (first != NULL) {
		rc = err_set(ERR_INVALID,
			"%s:%u:%u: duplicate key '%s' (first at line %u); remove one of the two",
			name, line, column, key, first->key_line);
		node_free(value);
		return rc;
	}
	if (value != NULL)
		value->key_line = line;
	rc = node_append(m->map, key, value);
	return rc < 0 ? rc : index_keys(m);
}

void mapkeys_release(struct mapkeys *m)
{
	strmap_release(&m->index, NULL);
	node_free(m->map);
	m->map = NULL;
}
