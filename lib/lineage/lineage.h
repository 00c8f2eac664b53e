/*
 * Where something comes from: of a commit, of a file in it, of a registered model - the code, the
 * stage and its command, the data, parameters, metrics and environment, up the pipeline.  Offline;
 * what is asked is read from Git and dvx.lock, never run.
 *
 * The answer is a tree that is printed as JSON as it is (docs/lineage.md has its schema); people
 * get the same in lines.
 */
#ifndef LIB_LINEAGE_LINEAGE_H
#define LIB_LINEAGE_LINEAGE_H

#include "lib/registry/registry.h"
#include "lib/repo/source.h"
#include "lib/store/store.h"
#include "lib/yaml/node.h"

struct lineage; /* what answers have in common: sources, caches, registry, history - each opened
		   when first asked for */

/* All borrowed. */
int lineage_new(struct lineage **out, const struct repo *repo, struct store *s);
void lineage_free(struct lineage *l);
/* Spare it to open the registry that the caller has open already; borrowed. */
void lineage_lend_registry(struct lineage *l, struct registry *r);
/* Answers about these commits are to come: Git is asked for all of them at once.  What it does not
 * know is left to lineage_trace.  0 or a negative error. */
int lineage_expect(struct lineage *l, const uint8_t (*commits)[REPO_ID_MAX], size_t n);

struct lineage_target {
	const char *rev;   /* NULL: HEAD (of a model: its tag's commit) */
	const char *path;  /* from the top; NULL: the whole commit */
	const char *model; /* "churn@v1.0.0", "churn#production"; NULL: none */
};
/* *out is yours.  0; ERR_NOTFOUND: no such revision, path, model; ERR_INVALID "dvx.lock:12: …" at
 * that commit.  What cannot be known is in the answer's list "unknown", each with its reason. */
int lineage_trace(struct node **out, struct lineage *l, const struct lineage_target *t);

/* What differs between two answers of lineage_trace: code (commits between, files), data (files,
 * and for tables whose rows are here: rows and columns), stages' commands, params, metrics,
 * environment. *out is yours. */
int lineage_diff(struct node **out, struct lineage *l, const struct node *a, const struct node *b);

#endif
