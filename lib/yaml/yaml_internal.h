/*
 * What the readers of YAML, JSON and TOML share.  For lib/yaml alone.
 */
#ifndef LIB_YAML_YAML_INTERNAL_H
#define LIB_YAML_YAML_INTERNAL_H

#include "lib/base/strmap.h"
#include "lib/yaml/yaml.h"

/* A map while it is read: finds a key that is there already without searching all of them. */
struct mapkeys {
	struct node *map;
	struct strmap index; /* key to value, used from MAPKEYS_LINEAR keys on */
};

enum { MAPKEYS_LINEAR = 16 };

/* Take over `value`, also on failure; a key that is there is ERR_INVALID "<name>:<line>:<column>:
 * duplicate key…".  0, ERR_INVALID, ERR_NOMEM. */
int mapkeys_add(struct mapkeys *m, const char *name, const char *key, unsigned line,
	unsigned column, struct node *value);
/* The value, or NULL. */
struct node *mapkeys_get(const struct mapkeys *m, const char *key);
void mapkeys_release(struct mapkeys *m);

/* A node of that type with a copy of the text (NULL: none).  NULL when out of memory. */
struct node *node_new(enum node_type type, const char *text, size_t len);
/* 1 if it is an integer that no int64_t holds. */
int node_is_big(const struct node *n);
/* Append a number so that numbers that are equal are written alike; NaN, Infinity, -Infinity. */
int node_add_number(struct buf *out, const struct node *n);
/* 1 if these are a number by RFC 8259: no '+', no leading zeros, digits on both sides of the point.
 * The text must end somewhere in a byte that is none of a number. */
int node_is_json_number(const char *text, size_t len);

/* Bytes beyond YAML_BYTES_MAX.  0 or ERR_LIMIT. */
int doc_check_size(const char *name, size_t len);

struct yaml_parser_s;

/* Say why libyaml stopped: place, cause, what to do.  Always negative. */
int yaml_report(const struct yaml_parser_s *parser, const char *name, const char *text, size_t len);

#endif
