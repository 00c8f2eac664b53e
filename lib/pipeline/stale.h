/*
 * Has a stage to run, and why: the stage as it is declared and found now, beside what dvx.lock says
 * of its last run.
 */
#ifndef LIB_PIPELINE_STALE_H
#define LIB_PIPELINE_STALE_H

#include "lib/pipeline/fingerprint.h"
#include "lib/pipeline/stagelock.h"

enum stale_what {
	STALE_NEVER_RUN = 1,
	STALE_CMD,
	STALE_DEP,
	STALE_PARAM,
	STALE_ENV,
	STALE_OUT,
	STALE_ALWAYS /* always_changed */
};
enum stale_how {
	STALE_MODIFIED = 1,
	STALE_NEW,
	STALE_DELETED /* absent now, or not declared any more */
};

struct stale_reason {
	enum stale_what what;
	enum stale_how how;
	char *name;	     /* path, "params.yaml: train.lr", variable; NULL */
	char *old, *now;     /* as text, for --explain: values, commands, "3f2a91c04b (1.2 MiB, 10
				files)"; NULL */
	struct strvec files; /* a directory or glob whose old listing is here: "M a/b.png"…, the
				first 1,000 */
	size_t n_files;	     /* how many differ */
};

struct stale {
	struct stale_reason *v;
	size_t n, cap;
	struct locked_stage *now; /* what it would be run with: deps, params, env, outs as found */
	int only_outs;		  /* nothing but outputs differ: the lock's own can be restored */
};
#define STALE_INIT                                                                                 \
	{                                                                                          \
		NULL, 0, 0, NULL, 0                                                                \
	}
void stale_release(struct stale *s);

/* Where to look; all of it is borrowed. */
struct stale_context {
	const struct repo *repo;
	struct store *store;
	struct source *src; /* the worktree's: parameters are read from it */
	struct fingerprints *fp;
};
/* `lock` NULL: never run.  A frozen stage is asked about like any other.  With `explain` the texts
 * of old and now, and the files of directories.  0 and the reasons in *out (none: it need not
 * run), or a negative error and an empty *out. */
int stale_check(struct stale *out, const struct stale_context *c, const struct stage *s,
	const struct locked_stage *lock, int explain);

/* What a run of the stage uses now (without outputs): stage's command, deps hashed, params, env. */
int stale_inputs(struct locked_stage **out, const struct stale_context *c, const struct stage *s);

#endif
