/*
 * Reading YAML 1.2 (libyaml behind it), JSON and TOML into nodes; writing single scalars.
 *
 * libyaml accepts duplicate keys and any depth, and knows no types; here a duplicate key, more than
 * YAML_DEPTH_MAX levels, more than YAML_NODES_MAX nodes (aliases counted each time they are used,
 * so that "billion laughs" ends), a second document, an unknown tag and a complex key are errors.
 * Merge keys ("<<") are resolved, as DVC's reader does.  Every message begins with
 * "<name>:<line>:<column>: ".
 */
#ifndef LIB_YAML_YAML_H
#define LIB_YAML_YAML_H

#include "lib/yaml/node.h"

enum { YAML_DEPTH_MAX = 100, YAML_NODES_MAX = 4000000, YAML_BYTES_MAX = 256 * 1024 * 1024 };

/* `name` is for messages.  0 and *out (an empty file is a null node); ERR_INVALID (message: place,
 * what is wrong, what to do), ERR_LIMIT, ERR_NOMEM. */
int yaml_parse(struct node **out, const char *name, const void *text, size_t len);
int json_parse(struct node **out, const char *name, const void *text, size_t len);
/* The same for a piece of a file, which begins at this line. */
int json_parse_at(struct node **out, const char *name, unsigned line, const void *text, size_t len);
int toml_parse(struct node **out, const char *name, const void *text, size_t len);

enum doc_format { DOC_UNKNOWN = 0, DOC_YAML, DOC_JSON, DOC_TOML };
/* By the name's extension: .yaml .yml (and .dvc, .lock), .json, .toml. */
enum doc_format doc_format_of(const char *name);
/* Parse by the name's extension; ERR_UNSUPPORTED for another one. */
int doc_parse(struct node **out, const char *name, const void *text, size_t len);

/* Append a string so that YAML reads it back as a string: plain where that is safe in flow and
 * block context, else in double quotes. */
int yaml_quote(struct buf *out, const char *text);
/* The same for `len` bytes, of which any may be NUL; one stands behind them. */
int yaml_quote_bytes(struct buf *out, const char *text, size_t len);
/* Append a value on one line: lists and maps in flow style. */
int yaml_put_value(struct buf *out, const struct node *value);

/* In the text of a YAML, JSON or TOML file, replace the scalar (or flow collection) at a dotted
 * path by `value`, or add the last key of the path to its map where the map is there; everything
 * else, comments included, stays byte for byte.  The result is parsed again and compared before it
 * is returned.  0; ERR_NOTFOUND: no such place to put it; ERR_INVALID. */
int doc_set(struct buf *text, const char *name, const char *path, const struct node *value);

#endif
