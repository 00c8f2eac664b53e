/*
 * Any bytes as JSON: what is read is the same when it is written and read again, and every scalar's
 * place holds it.
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

static int is_finite(const struct node *n)
{
	if (n->type == NODE_FLOAT)
		return strchr(n->text, 'n') == NULL;
	for (size_t i = 0; i < n->n; i++)
		if (!is_finite(n->items[i]))
			return 0;
	return 1;
}

/* The bytes at the place of each value say the same by themselves. */
static void check_places(const struct node *n, const uint8_t *data, size_t size, unsigned depth)
{
	struct node *alone = NULL;

	require(n->start <= n->end && n->end <= size && n->line > 0 && n->column > 0);
	if (depth < 4) {
		require(json_parse(&alone, "part.json", data + n->start, n->end - n->start) == 0);
		require(node_equal(n, alone));
		node_free(alone);
	}
	for (size_t i = 0; i < n->n; i++)
		check_places(n->items[i], data, size, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct node *n = NULL, *again = NULL;
	struct buf json = BUF_INIT;

	if (json_parse(&n, "t.json", data, size) < 0) {
		require(!strncmp(err_msg(), "t.json:", 7));
		return 0;
	}
	if (n->line > 0)
		check_places(n, data, size, 0);
	require(node_json(&json, n, 0) == 0);
	require(json_parse(&again, "again.json", json.p, json.len) == 0);
	require(!is_finite(n) || node_equal(n, again));
	node_free(again);
	node_free(n);
	buf_release(&json);
	return 0;
}
