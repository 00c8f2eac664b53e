/*
 * `dvx.lock` (docs/dvx-lock.md): what each stage was run with and what came out, one line for each
 * dependency and output.
 */
#ifndef LIB_PIPELINE_STAGELOCK_H
#define LIB_PIPELINE_STAGELOCK_H

#include "lib/pipeline/fingerprint.h"
#include "lib/repo/source.h"
#include "lib/yaml/node.h"

struct locked_path {
	char *path;
	struct fingerprint fp;
};

/* What one run of a stage used and made. */
struct locked_stage {
	char *name;
	struct strvec cmd;
	char *wdir; /* where it starts, from the top ("." is that); NULL: beside its dvx.yaml */
	struct locked_path *deps, *outs; /* sorted by path */
	size_t n_deps, n_outs;
	struct node *params; /* map: file -> map: dotted key -> value; NULL: none */
	struct node *env;    /* map: what of the environment counts: "FOO" -> value, "python" ->
				"3.11.2"; NULL: none */
	struct node *environment; /* captured in that run (environ.h); NULL: not known */
};

void locked_stage_free(struct locked_stage *s);

/* A whole dvx.lock. */
struct stagelock;
/* Read; a file that is not there has no stages.  ERR_INVALID "dvx.lock:12: …; remove the file …".
 */
int stagelock_load(struct stagelock **out, struct source *src, const char *path);
int stagelock_parse(struct stagelock **out, const char *name, const void *text, size_t len);
void stagelock_free(struct stagelock *l);
/* Borrowed; NULL: the stage never ran. */
const struct locked_stage *stagelock_get(const struct stagelock *l, const char *name);
/* In the order of the file, until fn returns non-zero, which is returned; else 0. */
int stagelock_each(
	const struct stagelock *l, int (*fn)(const struct locked_stage *s, void *data), void *data);

/* Put the entries (n of them; `s` NULL with a name: remove) into the worktree's file `path`: under
 * a lock of ours, read again, changed, written in one rename.  Entries of others stay as they are.
 * The file is left alone (its time, too) when it says so already. */
struct stagelock_change {
	const char *name;
	const struct locked_stage *stage; /* NULL: remove */
};
int stagelock_update(
	const struct repo *repo, const char *path, const struct stagelock_change *v, size_t n);

/* The text of one entry, as it stands in the file and in the run cache. */
int locked_stage_format(struct buf *out, const struct locked_stage *s);
/* Hash of all that goes into the stage (command, wdir, deps, params, env, names of outputs): the
 * key of the run cache. */
int locked_stage_key(struct oid *out, const struct locked_stage *s);

#endif
