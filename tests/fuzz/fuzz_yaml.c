/*
 * Any bytes as YAML: what is read says the same when it is written as JSON and read again, every
 * place lies in the file, and a value that is changed changes alone.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* .nan and .inf are null in JSON, and a bad escape of a lone byte cannot be in YAML at all. */
static int has_no_json(const struct node *n)
{
	if (n->type == NODE_FLOAT)
		return strchr(n->text, 'n') != NULL || strchr(n->text, 'N') != NULL ||
		       n->f - n->f != 0;
	if (n->type == NODE_STRING)
		return strlen(n->text) != n->len;
	for (size_t i = 0; i < n->n; i++)
		if (has_no_json(n->items[i]))
			return 1;
	return 0;
}

static void check_places(const struct node *n, size_t size)
{
	require(n->start <= n->end && n->end <= size && n->line > 0 && n->column > 0);
	for (size_t i = 0; i < n->n; i++)
		check_places(n->items[i], size);
}

static void check_round_trip(const struct node *n)
{
	struct buf json = BUF_INIT;
	struct node *again = NULL;

	if (has_no_json(n))
		return;
	require(node_json(&json, n, 0) == 0);
	require(json_parse(&again, "again.json", json.p, json.len) == 0);
	require(node_equal(n, again));
	node_free(again);
	again = NULL;
	require(yaml_parse(&again, "again.yaml", json.p, json.len) == 0 || strlen(err_msg()) > 0);
	require(again == NULL || node_equal(n, again));
	node_free(again);
	buf_release(&json);
}

static int change(const char *path, const struct node *value, void *data)
{
	const struct buf *before = data;
	struct buf text = BUF_INIT;
	struct node *n = node_string("x y");
	int rc;

	(void)value;
	require(n != NULL && buf_add(&text, before->p, before->len) == 0);
	rc = doc_set(&text, "t.yaml", path, n);
	require(rc == 0 || rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_LIMIT);
	require(rc == 0 || (text.len == before->len && !memcmp(text.p, before->p, text.len)));
	node_free(n);
	buf_release(&text);
	return 1; /* one is enough: others would make it slow */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct node *n = NULL;
	struct buf text = BUF_INIT;

	if (yaml_parse(&n, "t.yaml", data, size) < 0) {
		require(!strncmp(err_msg(), "t.yaml:", 7));
		return 0;
	}
	if (size > 0 && n->line > 0) {
		check_places(n, size);
		check_round_trip(n);
		require(buf_add(&text, data, size) == 0);
		node_each(n, 0, change, &text);
	}
	buf_release(&text);
	node_free(n);
	return 0;
}
