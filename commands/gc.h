/*
 * The two halves of `git dvx gc`.
 */
#ifndef COMMANDS_GC_H
#define COMMANDS_GC_H

#include "commands/command.h"
#include "commands/json.h"
#include "lib/base/strvec.h"
#include "lib/repo/scan.h"
#include "lib/store/store_gc.h"

/* What the local part came to. */
struct gc_outcome {
	const struct store_gc_result *store;
	size_t kept_without_copy; /* older versions of which the remote has none, or that could not
				   * be asked: `why` */
	size_t kept_damaged;	  /* whose copy there is not whole */
	const char *remote;	  /* its name; "" when it was not asked */
	const char *why;	  /* NULL: it could be asked */
};

struct gc {
	struct command_ctx *ctx;
	/* For a command that is another one's clean-up; all may be NULL.  keep: append what else is
	 * to be kept.  dropped: an object is (or would be) removed; once for each of its copies.
	 * told: instead of the text. */
	int (*keep)(struct gc *gc, struct pointers *p, struct scan_list *l);
	void (*dropped)(struct gc *gc, const struct oid *oid);
	void (*told)(struct gc *gc, const struct gc_outcome *o);
	void *data;
	int force; /* what is needed here goes as well, where the remote's copy is whole */
	int workspace, branches, tags, commits;
	const char *prune; /* NULL: two weeks */
	int no_prune, quick, dry_run, as_json;
	/* the remote's part */
	int on_remote, repack, jobs;
	const char *remote, *grace;
	struct strvec projects;
	struct json json;
};

/* Clean up the local store, print what was done.  0 or a negative error. */
int gc_local(struct gc *gc);
/* Append what the worktree's dvx.lock files need. */
int gc_keep_locked(struct command_ctx *ctx, struct scan_list *l);
/* Remove entries of the run cache that lost their objects, older than this (ns since 1970). */
int gc_runs(const struct gc *gc, int64_t older_than, size_t *removed);
/* Have git-dvx-transfer clean up the remote.  0, an exit status, or a negative error. */
int gc_remote(struct gc *gc);

#endif
