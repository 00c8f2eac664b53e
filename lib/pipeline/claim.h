/*
 * Who runs which stage at this moment (docs/running-stages.md): a file for each running stage in
 * "<git_dir>/dvx/running/", held by flock for as long as the stage - or a process that it left
 * behind - lives.  It names the paths that the stage reads and writes, and what was moved aside for
 * it: lock and journal in one.  A file whose lock is free belongs to a run that was killed: whoever
 * finds it puts the old outputs back first.
 */
#ifndef LIB_PIPELINE_CLAIM_H
#define LIB_PIPELINE_CLAIM_H

#include "lib/base/strvec.h"
#include "lib/repo/repo.h"

struct claim;
struct locked_stage;

struct claim_wants {
	const char *stage;	     /* address, for messages */
	const struct strvec *reads;  /* paths from the top; may be NULL */
	const struct strvec *writes; /* conflict with reads and writes at, below and above them */
	const struct strvec *mutex;  /* names that only one stage may have at a time; may be NULL */
	int no_wait;
	/* Both may be NULL.  Whom is waited for, told once: "stage 'train' (process 1234), which
	 * writes 'model'"; and a stage whose run was killed and whose outputs were put back. */
	void (*waiting)(const char *who, void *data);
	void (*recovered)(const char *stage, void *data);
	void *data;
	const volatile int *stop;
};

/* Recover what killed runs left, then wait until nothing conflicts, and hold the claim.  0;
 * ERR_INTERRUPTED when *stop becomes non-zero; ERR_LOCKED at once with `no_wait`, or when a stage
 * is in the way whose command this process belongs to. */
int claim_take(struct claim **out, const struct repo *repo, const struct claim_wants *w);
/* 1 if claim_take had to wait for somebody, or recovered something: what was known of the stage
 * before is out of date. */
int claim_was_delayed(const struct claim *c);
/* The descriptor that a stage's processes inherit (run.h's `keep_fd`). */
int claim_fd(const struct claim *c);
/* Append "DVX_CLAIMS=…", which goes into the environment of a stage's processes: the claims that
 * wait for them, so that they must not wait for those.  0 or ERR_NOMEM. */
int claim_environment(struct strvec *env, const struct claim *c);

/* What is to happen with an output before the stage runs. */
struct claim_old {
	const char *path;
	int copy; /* persist: it stays where it is, and a copy is made */
	int keep; /* changed by the user: kept for him when the stage succeeds */
};
/* Move old outputs aside (by rename, a directory whole), journalled before: a crash from here on
 * puts them back.  Absent ones are fine.  Once for a claim; on failure roll back. */
int claim_set_aside(struct claim *c, const struct claim_old *v, size_t n);
/* The new outputs are complete, and stand in `now`: from the moment at which the lock file at
 * `lock` (from the top) names these as the stage's, a crash leaves them in place. */
int claim_made(struct claim *c, const char *lock, const struct locked_stage *now);

/* Each of the two ends the claim, which is freed whatever is returned: 0 or a negative error. */
/* The stage failed: remove what it made of the claimed outputs, put the old ones back, end. */
int claim_roll_back(struct claim *c);
/* The stage succeeded and its lock file says so: remove what was set aside, end.  What was to be
 * kept lies in "<git_dir>/dvx/overwritten/<stage>.<n>/" then, which is appended to `kept` (NULL is
 * fine). */
int claim_commit(struct claim *c, struct buf *kept);

/* Put back what killed runs left; `told` (may be NULL) hears each stage.  The number of them, or an
 * error.  Called by every command that looks at outputs (repro, run, status, exp); costs nothing
 * when no stage is running. */
int claim_recover(const struct repo *repo, void (*told)(const char *stage, void *data), void *data);

#endif
