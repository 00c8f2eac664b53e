/*
 * Parts of `git dvx migrate` (and `git lfs migrate`): options in migrate.c, refs in
 * migrate_range.c, the two that rewrite in migrate_run.c, the one that adds a commit in
 * migrate_commit.c, the table in migrate_info.c.
 */
#ifndef COMMANDS_LFS_MIGRATE_H
#define COMMANDS_LFS_MIGRATE_H

#include <stdint.h>

#include "commands/command.h"
#include "lib/repo/migrate.h"
#include "lib/repo/rewrite_refs.h"

struct migrate_args {
	enum migrate_mode mode;
	const char *mode_name;
	int lfs; /* called as git-lfs: its attributes, its layout of the store */
	/* as given */
	const char *include, *exclude, *above, *object_map, *message, *remote, *unit, *pointers;
	struct strvec include_refs, exclude_refs;
	int everything, skip_fetch, yes, verbose, fixup, no_rewrite, top;
	char *const *operands;
	int n_operands;
	/* understood */
	struct attr_filter filter;
	uint64_t above_bytes;
	uint64_t unit_bytes; /* 0: whatever fits */
	enum migrate_pointers pointers_mode;
};

/* What migrate_new is to be given; the rest is zero. */
struct migrate_options migrate_options_of(const struct migrate_args *a);
/* The commits that the options name, after fetching from the Git remotes where that is wanted. */
int migrate_commits(struct rewrite_ids *out, struct command_ctx *ctx, const struct migrate_args *a,
	const struct rewrite_refs *refs);
/* Run migrate over them: the conversion and the new commits, with progress. */
int migrate_rewrite_commits(
	struct migrate *m, const struct rewrite_ids *commits, const char *title);
/* ERR_DENIED unless the working copy is clean, or the user gives its changes up. */
int migrate_ask(struct command_ctx *ctx, const struct migrate_args *a);
/* Open ctx->s in the layout that is wanted. */
int migrate_open_store(struct command_ctx *ctx, const struct migrate_args *a);
/* Make the working copy what HEAD has. */
int migrate_checkout(struct command_ctx *ctx);

/* The verbs: import and export of history, of the working copy alone (--no-rewrite), and info.
 * 0 or a negative error. */
int migrate_run(struct command_ctx *ctx, const struct migrate_args *a);
int migrate_commit(struct command_ctx *ctx, const struct migrate_args *a);
int migrate_info(struct command_ctx *ctx, const struct migrate_args *a);

#endif
