/*
 * Experiments (docs/experiments.md): variants of the project that are run in worktrees of their own
 * and kept as commits under refs/dvx/exps/<base commit>/<name>, so that the user's worktree, index
 * and branches stay as they are.
 */
#ifndef LIB_PIPELINE_EXPERIMENT_H
#define LIB_PIPELINE_EXPERIMENT_H

#include "lib/base/strvec.h"
#include "lib/repo/repo.h"
#include "lib/store/store.h"

/* How an experiment was made; it stands in the message of its commit. */
struct experiment_recipe {
	char *dir;	   /* the user's directory from the top, "" there */
	int64_t made;	   /* when it was queued, in ns since 1970 */
	char *start;	   /* hex name of the tree before parameters were set; NULL: not known */
	struct strvec set; /* "params.yaml:train.lr=0.1" */
	struct strvec targets; /* stages that were named */
	struct strvec copies;  /* paths from the top that are copied when the run starts */
	int force;	       /* stages that did not change run, too */
};

enum experiment_state {
	EXPERIMENT_DONE,
	EXPERIMENT_QUEUED,
	EXPERIMENT_RUNNING, /* still in the queue */
	EXPERIMENT_FAILED
};

struct experiment {
	char *name;
	char *ref;
	enum experiment_state state;
	uint8_t commit[REPO_ID_MAX]; /* the result; of others, what they start from */
	uint8_t base[REPO_ID_MAX];   /* the commit that HEAD was */
	int64_t time;		     /* of the commit, seconds since 1970 */
	struct experiment_recipe recipe;
};
struct experiment_list {
	struct experiment *v;
	size_t n, cap;
};

/* "done", "queued", "running", "failed". */
const char *experiment_state_name(enum experiment_state state);

/* All experiments, in the order in which they were made. */
int experiment_list_load(struct experiment_list *out, const struct repo *repo);
void experiment_list_release(struct experiment_list *l);
/* The one of that name, preferring the results of `base` (may be NULL), then results.  Borrowed;
 * NULL: none. */
const struct experiment *experiment_find(
	const struct experiment_list *l, const char *name, const uint8_t *base, int hash_len);

struct experiment_request {
	const char *name;		       /* NULL: two words that are made up */
	const char *message;		       /* NULL: "exp: <name>" */
	const struct strvec *set;	       /* of experiment_combine */
	const struct strvec *targets, *copies; /* as typed; NULL: none */
	int repro_force;
	int replace; /* one of that name goes first */
};

/* Make the starting commit (HEAD with the changes of the worktree's tracked files, and the new
 * parameters) and queue it.  *name is yours.  0; ERR_EXISTS for a name that is taken; ERR_NOTFOUND
 * for a parameter that is not there; ERR_INVALID. */
int experiment_queue(
	char **name, const struct repo *repo, struct store *s, const struct experiment_request *r);

/* Where the output of a run goes, besides the log; called in the thread that runs it. */
struct experiment_output {
	void (*write)(const char *name, const char *bytes, size_t len, void *data);
	void *data;
};
/* Run a queued one in a worktree of its own, by this very program's `repro` there.  1 when its
 * stages succeeded and the result is kept; 0 when they failed, and it is marked so; ERR_INTERRUPTED
 * when *stop became non-zero, ERR_LOCKED when it is being run, and other errors: then it is in the
 * queue as before.  May be called in several threads. */
int experiment_run(const struct repo *repo, struct store *s, const struct experiment *e,
	const struct experiment_output *out, const volatile int *stop);

/* Remove what runs that were killed have left.  How many, or a negative error. */
int experiment_sweep(const struct repo *repo);

struct experiment_applied {
	struct strvec lost; /* ERR_CHANGED: the files that would be lost */
	size_t pointers;    /* files whose data could not be had */
	char *kept;	    /* ref of a commit that holds what was overwritten; NULL: nothing was */
};
void experiment_applied_release(struct experiment_applied *a);
/* Make the worktree what the result is; the index stays as it is.  0; ERR_CHANGED: changes of the
 * user's own would be lost, or HEAD is not its base, and nothing was done (neither with `force`).
 */
int experiment_apply(struct experiment_applied *out, const struct repo *repo, struct store *s,
	const struct experiment *e, int force);
/* Make a branch of a result.  0; ERR_EXISTS, ERR_INVALID for a bad name. */
int experiment_branch(const struct repo *repo, const struct experiment *e, const char *branch);
/* Forget it, with its log.  0; ERR_LOCKED while it runs. */
int experiment_remove(const struct repo *repo, const struct experiment *e);
/* Append the path of its log, which may not be there. */
int experiment_log_path(struct buf *out, const struct repo *repo, const char *name);

enum { EXPERIMENT_COMBINATIONS_MAX = 10000 };
/* Pure: what the user's `-S` mean.  Each of `args` is "[file:]key=value"; "0.1,0.01", "choice(…)"
 * and "range(start,stop[,step])" are several values.  *out has *n lists, one for each combination
 * (one empty list for no args); release each, then free() the array.  ERR_INVALID, ERR_LIMIT. */
int experiment_combine(struct strvec **out, size_t *n, const struct strvec *args);

#endif
