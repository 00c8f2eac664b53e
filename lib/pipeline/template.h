/*
 * `${…}` in dvx.yaml: the context (params.yaml, `vars:`, `item`, `key`) and the substitution, by
 * the rules that DVC documents ("Templating", "foreach", "matrix").  Pure.
 */
#ifndef LIB_PIPELINE_TEMPLATE_H
#define LIB_PIPELINE_TEMPLATE_H

#include "lib/base/strmap.h"
#include "lib/base/strvec.h"
#include "lib/yaml/node.h"

enum { TEMPLATE_BYTES_MAX = 256 * 1024 * 1024 }; /* that the templates of one file may make */

/* Zeroed: no variables.  `file`, `item`, `key`, `used` and `made` are borrowed. */
struct template
{
	const char *file;      /* that the templates stand in, for messages */
	struct node *context;  /* all variables; NULL: none */
	struct strvec sources; /* "params.yaml", "vars": where variables of the context come from */
	struct node *origins;  /* what each source said: a list beside `sources` */
	const struct node *item; /* of a foreach or matrix; NULL: none */
	const char *key;	 /* of a foreach over a map, or of a matrix; NULL: none */
	struct strmap *used; /* gets "<file>:<dotted key>" of what was put in; NULL: nobody asks */
	size_t *made;	     /* grows up to TEMPLATE_BYTES_MAX; NULL: no limit */
};

void template_release(struct template *t);
/* A copy that may grow on its own; `out` is zeroed.  0 or ERR_NOMEM. */
int template_dup(struct template *out, const struct template *t);

/* Merge the map `more` into the context: maps merge, any other key that is there already is
 * ERR_INVALID, as in DVC. `where` names the source ("params.yaml", "vars"). */
int template_merge(struct template *t, const struct node *more, const char *where);

enum template_mode {
	TEMPLATE_PLAIN = 0, /* only scalars may be put in */
	TEMPLATE_CMD,	    /* also maps, as "--key value …" */
	TEMPLATE_COLLECTION /* a `${…}` that is the whole string may be a list or map */
};

/* A copy of `n` with every `${…}` in its strings and keys resolved: a string that is nothing but
 * one `${…}` becomes the value itself, whatever its type; `\${` is a literal `${`.  ERR_INVALID
 * names place and variable; ERR_LIMIT. */
int template_resolve(
	struct node **out, const struct template *t, const struct node *n, enum template_mode mode);
/* 1 if a string of `n` has a `${…}` to resolve. */
int template_is(const struct node *n);

/* Note that the variable at the dotted path was put in, if it comes from a file. */
int template_note(const struct template *t, const char *path);

/* Append a scalar as Python's str() writes it, which is what DVC puts into commands and names:
 * true, None, 1e-05, 1.0. */
int template_scalar(struct buf *out, const struct node *n);

/* Set "<file>:<line>:<column>: …" as the message; ERR_INVALID.  For a key: its line alone. */
int template_complain(const char *file, const struct node *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int template_complain_key(const char *file, const struct node *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
