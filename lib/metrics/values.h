/*
 * Numbers and settings out of files of any state of the project: metrics and parameters, by what
 * the pipeline of that state declares.
 */
#ifndef LIB_METRICS_VALUES_H
#define LIB_METRICS_VALUES_H

#include "lib/pipeline/pipeline.h"
#include "lib/repo/source.h"
#include "lib/yaml/node.h"

enum values_kind {
	VALUES_METRICS,
	VALUES_PARAMS,
	VALUES_DEPS /* only the parameters that stages depend on */
};
enum { VALUES_KINDS = VALUES_DEPS + 1, VALUES_BYTES_MAX = 64 * 1024 * 1024 };

struct values_file {
	char *path;
	const struct node *root; /* a map (or list) of JSON, YAML, TOML; of CSV and TSV a list of
				    maps by header; of plain text a scalar.  NULL: see error.
				    Shared (cache); borrowed */
	char *error;		 /* why there is nothing */
	int code;		 /* enum err of that: ERR_NOTFOUND, there is no such file */
};
struct values {
	char *name; /* of the state: "workspace", "v1.0" */
	struct values_file *v;
	size_t n;
	char *error; /* dvx.yaml cannot be read there; NULL */
};

/* Parsed files and pipelines, by Git blob: what states share is parsed once. */
struct values_cache;
/* 0 or ERR_NOMEM. */
int values_cache_new(struct values_cache **out);
void values_cache_free(struct values_cache *c);

/* Instead of what is declared; NULL: nothing. */
struct values_override {
	const char *type, *path;
};
struct values_options {
	enum values_kind kind;
	const char *const *targets; /* n; 0: all that is declared.  Files, directories,
				       "params.yaml:lr,epochs"; from the top */
	size_t n;
	int all; /* whole files, whatever keys are named */
	struct values_override override;
};

/* What the state `src` declares: metrics (outputs of stages and top-level), with the selection that
 * `type:`/`path:` of the metric ask for applied; or params (params.yaml and all files and keys that
 * stages name).  0, also where files or dvx.yaml cannot be read: that is said in *out. */
int values_collect(struct values *out, struct values_cache *c, struct source *src,
	const struct values_options *o);
void values_release(struct values *v);

/* Tables of more rows are too many columns for anybody: their last row stands for them. */
enum { VALUES_ROWS_MAX = 20 };
/* Each value with its name as it is shown: dotted; "value" for a file that is a single value; of a
 * table "0.acc", "acc" where it has one row, "-1.acc" where it has many.  Lists are values.  Stops
 * at the first non-zero value of fn, which is returned. */
int values_each(const struct node *root,
	int (*fn)(const char *name, const struct node *value, void *data), void *data);

/* Read one file's bytes by its name's extension, or by `type` (json, yaml, toml, csv, tsv, hcsv,
 * htsv, raw; NULL).  Pure. */
int values_parse(
	struct node **out, const char *name, const char *type, const void *text, size_t len);
/* 0 if there is such a type, else ERR_INVALID. */
int values_check_type(const char *type);
/* Keep what `path` selects: dotted path or simple JSONPath; for tables "column", "row,column" (from
 * 0 or -1: the last).  *out, a map of the dotted name to the value, is yours.  ERR_NOTFOUND;
 * ERR_INVALID: a path of a kind that is not known. */
int values_select(struct node **out, const struct node *root, const char *path);

#endif
