/*
 * What a YAML, JSON or TOML file says: a tree of scalars, lists and maps.  Every node knows where
 * it stands in its file, so that messages can say so and an editor can change one scalar and
 * nothing else.
 *
 * Types are those of YAML 1.2's core schema (section 10.3): "yes", "on", "1_000", "12:30" and dates
 * are strings; true/false, null and ~, 0x1F, 0o17, 1e3, .inf and .nan are what they look like.
 * Maps keep their order; their keys are strings (a scalar key of another type is its text).
 */
#ifndef LIB_YAML_NODE_H
#define LIB_YAML_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum node_type { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_STRING, NODE_LIST, NODE_MAP };

struct node {
	enum node_type type;
	char *text; /* scalars: the characters without quotes, "" for an empty null; owned */
	size_t len; /* of text (a string may hold NUL characters) */
	int64_t i;  /* NODE_INT that fits (else it is a NODE_FLOAT); NODE_BOOL: 0 or 1 */
	double f;   /* NODE_FLOAT and NODE_INT */
	struct node **items; /* NODE_LIST, NODE_MAP: n values; owned */
	char **keys;	     /* NODE_MAP: n keys, in the order of the file; owned */
	size_t n;
	unsigned line, column; /* from 1; 0: made by the program */
	unsigned key_line;     /* of its key, when it is a value of a map */
	size_t start, end;     /* bytes [start, end) of the file, quotes included */
};

void node_free(struct node *n);

/* New nodes; NULL when out of memory. */
struct node *node_null(void);
struct node *node_bool(int value);
struct node *node_int(int64_t value);
struct node *node_float(double value); /* text: the shortest that reads back the same */
struct node *node_string(const char *text);
struct node *node_list(void);
struct node *node_map(void);
struct node *node_dup(const struct node *n);

/* A scalar as YAML 1.2's core schema reads this plain text ("12" an int, "yes" a string). */
struct node *node_of_plain(const char *text);

/* Take over `value` (also on failure).  0 or ERR_NOMEM.  node_set replaces, keeping the place of
 * the key. */
int node_push(struct node *list, struct node *value);
int node_set(struct node *map, const char *key, struct node *value);
/* The same for a key that is known not to be there yet (no search). */
int node_append(struct node *map, const char *key, struct node *value);

/* Borrowed; NULL where there is none, or `n` is NULL or no map. */
struct node *node_get(const struct node *n, const char *key);
/* By a dotted path: "train.lr", "layers.0.units", "layers[0].units"; a key that holds dots itself
 * is found, too (the longest key first).  "" is n itself. */
struct node *node_at(const struct node *n, const char *path);

static inline int node_is_scalar(const struct node *n)
{
	return n->type < NODE_LIST;
}
static inline int node_is_number(const struct node *n)
{
	return n->type == NODE_INT || n->type == NODE_FLOAT;
}

/* 1 if they mean the same: ints and floats by value (1 is 1.0, .nan is .nan), maps whatever the
 * order of their keys. */
int node_equal(const struct node *a, const struct node *b);

/* Each scalar (and empty list or map) with its dotted path, in order.  Lists are descended into
 * ("layers.0") unless `whole_lists`.  Stops at the first non-zero value of fn, which is returned.
 */
int node_each(const struct node *n, int whole_lists,
	int (*fn)(const char *path, const struct node *value, void *data), void *data);

/* "null", "a bool", "an int", "a float", "a string", "a list", "a map", for messages. */
const char *node_type_name(const struct node *n);

/* Append as text for people: a string as it is, true/false, null, numbers as they were written,
 * lists and maps in JSON. */
int node_print(struct buf *out, const struct node *n);
/* Append as JSON on one line, keys in order; .nan and .inf become null.  With `canonical` keys are
 * sorted by bytes, numbers that are equal are written alike, and NaN, Infinity and null differ: for
 * hashing. */
int node_json(struct buf *out, const struct node *n, int canonical);

#endif
