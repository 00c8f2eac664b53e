/*
 * The stages of a project as `dvx.yaml` (else `dvc.yaml`) declares them, with templating, foreach
 * and matrix resolved (docs/dvx-yaml.md).
 *
 * All paths are from the top of the worktree, without "." and ".." - but for dependencies outside
 * of the project, which are absolute.  A stage is addressed by its name when it is in the file of
 * the current directory (or the only file), else by "<file>:<name>".
 */
#ifndef LIB_PIPELINE_PIPELINE_H
#define LIB_PIPELINE_PIPELINE_H

#include "lib/base/strvec.h"
#include "lib/repo/source.h"
#include "lib/yaml/node.h"

enum stage_path_kind { STAGE_DEP = 0, STAGE_OUT, STAGE_METRIC, STAGE_PLOT };

struct stage_path {
	char *path;
	enum stage_path_kind kind;
	int glob;		    /* a dependency: a pattern as in pathmatch.h, not a path */
	int env;		    /* a dependency that `env: files:` names */
	int cache;		    /* an output that the filter keeps (else it is Git's own) */
	int persist;		    /* an output that is not removed before the stage runs */
	int push;		    /* `push: false`: objects stay here */
	char *desc;		    /* NULL: none */
	const struct node *options; /* of a plot: x, y, title, template…, of a metric: type, path,
				     xpath; borrowed; NULL: none */
	unsigned line;
};

/* Parameters that a stage depends on. */
struct stage_params {
	char *file;
	struct strvec keys; /* dotted; empty: all that the file says */
	unsigned line;
};

struct stage_resource {
	char *name; /* "gpu", "memory", … */
	uint64_t amount;
};

/* `env:`, but for its `files:`, which are among the deps. */
struct stage_env {
	struct strvec set;   /* "NAME=value": set for the command; counted as a dependency */
	struct strvec vars;  /* names of variables whose values count */
	struct strvec facts; /* captured facts that count: "python", "os", "gpu", … (environ.h) */
};

struct stage {
	char *name;			/* "train", "train@small" */
	char *file;			/* "dvx.yaml", "sub/dvx.yaml" */
	unsigned line;			/* in that file */
	struct strvec cmd;		/* the lines to run, each in a shell of its own */
	char *wdir;			/* "": the top */
	struct stage_path *deps, *outs; /* outs: metrics and plots too; in the order of the file */
	size_t n_deps, n_outs;
	struct stage_params *params;
	size_t n_params;
	struct stage_env env;
	struct stage_resource *resources;
	size_t n_resources;
	struct strvec mutex; /* names */
	int frozen, always_changed;
	char *desc;		 /* NULL: none */
	const struct node *meta; /* borrowed; NULL: none */
	size_t index;		 /* in pipeline.v */
};

/* One file of stages. */
struct pipefile {
	char *path; /* "sub/dvx.yaml" */
	char *dir;  /* "" or "sub" */
	char *lock; /* "sub/dvx.lock" */
	struct node *root;
};

struct pipeline {
	struct stage **v; /* all stages: files in their order, stages in the order of the file */
	size_t n;
	struct pipefile *files;
	size_t n_files;
	/* Top-level `metrics:`, `plots:` and `params:` of all files.  A plot that is no file has
	 * its name as `path`, and files (from the top) with fields as options `y` and, maybe, `x`.
	 * `params` has, behind these, the keys of files that templates put in: shown, but no
	 * dependency of a stage. */
	struct stage_path *metrics, *plots;
	size_t n_metrics, n_plots;
	struct stage_params *params;
	size_t n_params;
	struct node *nodes; /* list that owns what `options` and `meta` point to */
};

/* Load every file of stages of `src`: dvx.yaml, in directories without one dvc.yaml (source_find).
 * `also` (may be NULL): one more file, wherever it is.  No file at all is an empty pipeline.
 * ERR_INVALID: "<file>:<line>:<column>: what is wrong; what to do". */
int pipeline_load(struct pipeline **out, struct source *src, const char *also);
void pipeline_free(struct pipeline *p);

/* The stages that `target` means, appended to `out` (borrowed pointers): a stage's name or address;
 * the group of a foreach or matrix ("train": all "train@…"); a file of stages (all of it); a path
 * that is an output of a stage; "<name>.dvc" as old tutorials have it; in names "*" and "?" are
 * wildcards. `dir` is the current directory from the top ("" or "sub"): it says whose "train" is
 * meant. ERR_NOTFOUND: "no stage 'trian' in 'dvx.yaml'; the most similar one is 'train'". */
struct stage_list {
	const struct stage **v;
	size_t n, cap;
};
int pipeline_find(
	const struct pipeline *p, const char *dir, const char *target, struct stage_list *out);
int stage_list_add(struct stage_list *l, const struct stage *s); /* once; 0 or ERR_NOMEM */
void stage_list_release(struct stage_list *l);

/* Append the name that addresses the stage from `dir`. */
int stage_address(struct buf *out, const struct stage *s, const char *dir);
/* The file of stages that belongs to `dir`: "dvx.yaml" there, else "dvc.yaml" where only that is.
 * NULL: neither. */
const struct pipefile *pipeline_file(const struct pipeline *p, const char *dir);

/* Pure: resolve one file's text (unit tests, fuzzing).  `read` gives the files that `vars:` and the
 * default params.yaml name, as source_read does. */
struct pipeline_reader {
	int (*read)(void *data, const char *path, struct buf *out);
	void *data;
	const char *top; /* absolute path of the project, to tell what lies inside; NULL: unknown */
};
int pipeline_parse(struct pipeline **out, const char *path, const void *text, size_t len,
	const struct pipeline_reader *reader);

#endif
