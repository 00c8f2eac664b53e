/*
 * Trees for JSON of what data hold: text from files may be any bytes, JSON may not.
 */
#ifndef COMMANDS_DATANODE_H
#define COMMANDS_DATANODE_H

#include <stdint.h>

#include "lib/yaml/node.h"

/* A new string; what is not UTF-8 becomes U+FFFD.  NULL text: null.  NULL: out of memory. */
struct node *datanode_text(const char *text);
/* Put a value under a name from outside; taken over, also on failure.  0 or ERR_NOMEM, as all that
 * follow. */
int datanode_set(struct node *map, const char *name, struct node *value);
int datanode_set_text(struct node *map, const char *key, const char *text);
int datanode_set_count(struct node *map, const char *key, uint64_t n);
/* `made` is put into the list (or, with a key, into the map) `in`, and stays yours to fill; NULL:
 * out of memory. */
struct node *datanode_inner(struct node *in, const char *key, struct node *made);

#endif
