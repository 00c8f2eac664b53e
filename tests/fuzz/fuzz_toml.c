/*
 * Any bytes as TOML: what is read says the same as JSON, and every place lies in the file.
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

/* What JSON can hold: no infinities, no NUL characters. */
static int check(const struct node *n, size_t size)
{
	int fits = n->type != NODE_FLOAT || n->f - n->f == 0;

	require(n->start <= n->end && n->end <= size && n->line > 0 && n->column > 0);
	if (n->type == NODE_STRING)
		fits = strlen(n->text) == n->len;
	for (size_t i = 0; i < n->n; i++)
		fits &= check(n->items[i], size);
	return fits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct node *n = NULL, *again = NULL;
	struct buf json = BUF_INIT;

	if (toml_parse(&n, "t.toml", data, size) < 0) {
		require(!strncmp(err_msg(), "t.toml:", 7));
		return 0;
	}
	if (check(n, size)) {
		require(node_json(&json, n, 0) == 0);
		require(json_parse(&again, "again.json", json.p, json.len) == 0);
		require(node_equal(n, again));
	}
	node_free(again);
	node_free(n);
	buf_release(&json);
	return 0;
}
