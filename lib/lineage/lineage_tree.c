/*
 * Putting answers together: small steps that are the same in all parts.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/utf8.h"
#include "lib/lineage/lineage_internal.h"

int lineage_put_text(struct node *map, const char *key, const char *text)
{
	struct buf clean = BUF_INIT;
	int rc;

	if (text == NULL)
		return node_append(map, key, node_null());
	rc = utf8_add(&clean, text);
	if (rc == 0)
		rc = node_append(map, key, node_string(buf_str(&clean)));
	buf_release(&clean);
	return rc;
}

int lineage_put_oid(struct node *map, const struct oid *oid)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, oid);
	return node_append(map, "sha256", node_string(hex));
}

int lineage_put_size(struct node *map, const char *key, uint64_t n)
{
	return node_append(map, key, node_int(n > INT64_MAX ? INT64_MAX : (int64_t)n));
}

struct node *lineage_put_map(struct node *map, const char *key)
{
	struct node *child = node_map();

	return node_append(map, key, child) == 0 ? child : NULL;
}

struct node *lineage_put_list(struct node *map, const char *key)
{
	struct node *child = node_list();

	return node_append(map, key, child) == 0 ? child : NULL;
}

struct node *lineage_push_map(struct node *list)
{
	struct node *child = node_map();

	return node_push(list, child) == 0 ? child : NULL;
}

const char *lineage_text(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n != NULL && node_is_scalar(n) && n->type != NODE_NULL ? n->text : NULL;
}

int lineage_unknown(struct node *list, const char *what, const char *fmt, ...)
{
	struct node *entry = lineage_push_map(list);
	char text[1024];
	va_list ap;
	int rc;

	if (entry == NULL)
		return ERR_NOMEM;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rc = lineage_put_text(entry, "what", what);
	if (rc == 0)
		rc = lineage_put_text(entry, "reason", err_printable(text));
	return rc;
}
