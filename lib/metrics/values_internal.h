/*
 * What a state declares, between the two halves of values.h: values_declared.c knows pipelines and
 * what was typed, values.c reads the files.
 */
#ifndef LIB_METRICS_VALUES_INTERNAL_H
#define LIB_METRICS_VALUES_INTERNAL_H

#include "lib/base/strmap.h"
#include "lib/metrics/values.h"

/* A file that counts, and what of it. */
struct declared {
	char *path;
	char *type, *select; /* NULL: by its name; all of it */
	struct strvec keys;  /* of parameters; empty: all of it */
	int optional;	     /* it may be missing: nobody names it */
	int whole;	     /* somebody wants all of it */
};
struct declared_list {
	struct declared **v; /* owned */
	size_t n, cap;
	struct strmap by_path;
};
void declared_list_release(struct declared_list *l);

/* What the pipeline declares. */
int declared_collect(struct declared_list *out, const struct pipeline *p, enum values_kind kind);

/* What of it was asked for. */
struct chosen {
	const struct declared **v; /* borrowed from the list that was chosen from, and from `own` */
	size_t n, cap;
	struct declared_list own; /* files that nobody declares, and those with keys of their own */
};
/* `all` must stay as long as *out is used. */
int declared_choose(struct chosen *out, const struct declared_list *all, struct source *src,
	const struct values_options *o);
void chosen_release(struct chosen *c);

#endif
