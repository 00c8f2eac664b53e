/*
 * `git lfs install`, `uninstall` and `update`: filter=lfs is routed to git-dvx-filter, and our
 * hooks stand where Git LFS's would; they do what its hooks do, and make staged data durable.
 */
#include <stdio.h>
#include <string.h>

#include "commands/filter_config.h"
#include "commands/lfs/lfs.h"
#include "hooks/install.h"
#include "lib/base/err.h"

struct install {
	int local, system, worktree, force, skip_smudge, skip_repo, manual;
	const char *file;
};

/* The rows that install and uninstall share. */
#define SCOPE_OPTIONS(o)                                                                           \
	{'l', "local", OPT_FLAG, &(o)->local, NULL, "this repository's configuration", 0},         \
		{'w', "worktree", OPT_FLAG, &(o)->worktree, NULL, "this worktree's configuration", \
			0},                                                                        \
		{0, "system", OPT_FLAG, &(o)->system, NULL, "the configuration for all users", 0}, \
		{0, "file", OPT_VALUE, &(o)->file, "<file>", "this file", 0},                      \
	{                                                                                          \
		0, "skip-repo", OPT_FLAG, &(o)->skip_repo, NULL,                                   \
			"leave this repository's hooks alone", 0                                   \
	}

/* 0 with `scope`; a status that was told. */
static int find_scope(struct buf *scope, const struct install *o, const struct command_ctx *ctx)
{
	if (o->local + o->system + o->worktree + (o->file != NULL) > 1)
		return lfs_fail(LFS_FAILED, "Only one of --local, --worktree, --system, and --file "
					    "options can be specified.");
	if ((o->local || o->worktree) && ctx->g == NULL)
		return lfs_fail(LFS_NO_REPOSITORY, "Not in a Git repository.");
	return filter_config_scope(scope, o->local, o->system, o->worktree, o->file);
}

/* ---- hooks ---- */

static int tell_foreign(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buf text = BUF_INIT;

	if (buf_read_file(&text, path) < 0)
		err_clear();
	buf_rtrim(&text);
	fflush(stdout);
	fprintf(stderr, "Hook already exists: %s\n\n", slash != NULL ? slash + 1 : path);
	for (const char *p = buf_str(&text); *p != '\0';) {
		size_t len = strcspn(p, "\n");

		fprintf(stderr, "\t%.*s\n", (int)len, p);
		p += len + (p[len] == '\n');
	}
	buf_release(&text);
	return lfs_fail(LFS_FAILED,
		"\nTo resolve this, either:\n"
		"  1: run `git lfs update --manual` for instructions on how to merge hooks.\n"
		"  2: run `git lfs update --force` to overwrite your hook.");
}

static int install_hooks(struct command_ctx *ctx, int force)
{
	struct hooks_result r = HOOKS_RESULT_INIT;
	int rc = lfs_mark_repository(ctx);

	if (rc == 0)
		rc = command_repo(ctx);
	if (rc == 0)
		rc = hooks_install(&ctx->repo, HOOKS_REPLACE_LFS | (force ? HOOKS_FORCE : 0), &r);
	if (rc == 0 && r.foreign.n > 0)
		rc = tell_foreign(r.foreign.v[0]);
	else if (rc == 0)
		puts("Updated Git hooks.");
	hooks_result_release(&r);
	return rc;
}

static int print_manual(void)
{
	struct buf text = BUF_INIT;
	int rc = 0;

	for (int i = 0; rc == 0 && hooks_names[i] != NULL; i++) {
		buf_reset(&text);
		rc = hooks_chain_text(&text, hooks_names[i]);
		if (rc == 0)
			printf("Add the following to '.git/hooks/%s':\n\n%s%s", hooks_names[i],
				text.p, hooks_names[i + 1] != NULL ? "\n" : "");
	}
	buf_release(&text);
	return rc;
}

/* ---- the verbs ---- */

static int configure(const struct install *o, const struct command_ctx *ctx)
{
	struct buf scope = BUF_INIT;
	int rc = find_scope(&scope, o, ctx);

	if (rc == 0)
		rc = filter_config_set(scope.p,
			FILTER_CONFIG_LFS | (o->skip_smudge ? FILTER_CONFIG_SKIP_SMUDGE : 0) |
				(o->force ? FILTER_CONFIG_FORCE : 0));
	if (rc == ERR_EXISTS)
		rc = lfs_fail(LFS_FAILED,
			"warning: %s\nRun `git lfs install --force` to reset Git configuration.",
			err_msg());
	buf_release(&scope);
	return rc;
}

int lfs_install(struct command_ctx *ctx, int argc, char **argv)
{
	struct install o = {0};
	const struct opt options[] = {
		{'f', "force", OPT_FLAG, &o.force, NULL, "replace other values and hooks", 0},
		{'s', "skip-smudge", OPT_FLAG, &o.skip_smudge, NULL,
			"leave pointers in the work tree until 'git lfs pull'", 0},
		{'m', "manual", OPT_FLAG, &o.manual, NULL, "print the lines for your own hooks", 0},
		SCOPE_OPTIONS(&o), OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git lfs install [<options>]", 0, &n))
		return rc;
	rc = configure(&o, ctx);
	filter_config_check_path();
	if (rc == 0 && o.manual)
		rc = print_manual();
	else if (rc == 0 && ctx->g != NULL && !o.skip_repo)
		rc = install_hooks(ctx, o.force);
	if (rc == 0)
		puts("Git LFS initialized.");
	return rc;
}

/* The hooks stay where plain git-dvx is in use: they are its own. */
static int remove_hooks(struct command_ctx *ctx)
{
	struct hooks_result r = HOOKS_RESULT_INIT;
	int rc = command_repo(ctx);

	if (rc < 0)
		return rc;
	if (filter_config_is_set(ctx->c)) {
		puts("Hooks for this repository were kept: git-dvx uses them.");
		return 0;
	}
	rc = hooks_uninstall(&ctx->repo, HOOKS_REPLACE_LFS, &r);
	if (rc == 0)
		puts("Hooks for this repository have been removed.");
	for (size_t i = 0; i < r.foreign.n; i++)
		lfs_fail(0, "Hook already exists: %s", r.foreign.v[i]);
	hooks_result_release(&r);
	return rc;
}

int lfs_uninstall(struct command_ctx *ctx, int argc, char **argv)
{
	struct install o = {0};
	const struct opt options[] = {SCOPE_OPTIONS(&o), OPT_END};
	struct buf scope = BUF_INIT;
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git lfs uninstall [<options>]", 0, &n))
		return rc;
	rc = find_scope(&scope, &o, ctx);
	if (rc == 0) {
		rc = filter_config_unset(scope.p, FILTER_CONFIG_LFS | FILTER_CONFIG_FORCE);
		if (rc == 0)
			printf("warning: there is no section filter.lfs in the %s configuration\n",
				scope.p + 2);
		rc = rc > 0 ? 0 : rc;
	}
	if (rc == 0 && ctx->g != NULL && !o.skip_repo)
		rc = remove_hooks(ctx);
	if (rc == 0 && !o.local && !o.worktree)
		puts("Global Git LFS configuration has been removed.");
	buf_release(&scope);
	return rc;
}

int lfs_update(struct command_ctx *ctx, int argc, char **argv)
{
	int force = 0, manual = 0, n, rc;
	const struct opt options[] = {
		{'f', "force", OPT_FLAG, &force, NULL, "replace hooks of others", 0},
		{'m', "manual", OPT_FLAG, &manual, NULL, "print the lines for your own hooks", 0},
		OPT_END};

	if (command_options(&rc, argc, argv, options, "git lfs update [--manual | --force]", 0, &n))
		return rc;
	return manual ? print_manual() : install_hooks(ctx, force);
}
