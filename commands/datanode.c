/*
 * The parts that rows_node.c and tensors_node.c make their trees of.
 */
#include "commands/datanode.h"

#include "lib/base/utf8.h"

struct node *datanode_text(const char *text)
{
	struct buf valid = BUF_INIT;
	struct node *n = NULL;

	if (text == NULL)
		return node_null();
	if (utf8_add(&valid, text) == 0)
		n = node_string(buf_str(&valid));
	buf_release(&valid);
	return n;
}

int datanode_set(struct node *map, const char *name, struct node *value)
{
	struct buf valid = BUF_INIT;
	int rc = utf8_add(&valid, name);

	if (rc == 0)
		rc = node_set(map, buf_str(&valid), value);
	else
		node_free(value);
	buf_release(&valid);
	return rc;
}

int datanode_set_text(struct node *map, const char *key, const char *text)
{
	return node_set(map, key, datanode_text(text));
}

int datanode_set_count(struct node *map, const char *key, uint64_t n)
{
	return node_set(map, key, node_int((int64_t)n));
}

struct node *datanode_inner(struct node *in, const char *key, struct node *made)
{
	int rc = key != NULL ? node_set(in, key, made) : node_push(in, made);

	return rc == 0 ? made : NULL;
}
