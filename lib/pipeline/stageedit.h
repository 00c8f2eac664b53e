/*
 * Changing the text of dvx.yaml: a stage is inserted or taken out as text, everything else -
 * comments, order, quoting - stays byte for byte.  Pure; the result is parsed and compared before
 * it is given back.
 */
#ifndef LIB_PIPELINE_STAGEEDIT_H
#define LIB_PIPELINE_STAGEEDIT_H

#include "lib/base/buf.h"
#include "lib/base/strvec.h"

/* A stage as `run` and `stage add` are given it; paths relative to wdir, as they will be written.
 */
struct stage_spec {
	const char *name;
	const char *cmd;	    /* one line, as the shell will see it */
	const char *wdir;	    /* NULL: the file's directory */
	const char *desc;	    /* NULL: none */
	struct strvec deps, params; /* params: "lr,epochs" or "file.json:a.b,c" */
	struct strvec outs, outs_no_cache, outs_persist, outs_persist_no_cache;
	struct strvec metrics, metrics_no_cache, plots, plots_no_cache;
	struct strvec env_set, env_vars, env_files, mutex,
		resources; /* "A=b", names, paths, names, "gpu=1" */
	int always_changed, frozen;
};
void stage_spec_release(struct stage_spec *s);

/* Insert at the end of `stages:` (made if it is not there), or put in the place of the stage of
 * that name when `force`.  0; ERR_EXISTS "stage 'x' exists already in 'dvx.yaml' (line 4); --force
 * replaces it"; ERR_INVALID for a bad name or file. */
int stageedit_add(struct buf *text, const char *file, const struct stage_spec *s, int force);
/* Remove a stage (its comment lines directly above go, too).  ERR_NOTFOUND. */
int stageedit_remove(struct buf *text, const char *file, const char *name);
/* Set `frozen: true`, or take it away.  1: changed, 0: it said so already; ERR_NOTFOUND. */
int stageedit_freeze(struct buf *text, const char *file, const char *name, int frozen);
/* Give the metric (an output of a stage or a top-level one) the options type and path; NULL: as it
 * is.  `metric` is seen from the file's directory.  ERR_NOTFOUND: it is not declared there (or only
 * by a template). */
int stageedit_metric(
	struct buf *text, const char *file, const char *metric, const char *type, const char *path);

#endif
