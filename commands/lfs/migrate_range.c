/*
 * Which commits a migration is about: by default those of the current branch that no remote has.
 */
#include <stdio.h>
#include <string.h>

#include "commands/lfs/lfs.h"
#include "commands/lfs/migrate.h"
#include "lib/base/err.h"

/* Names of refs of hosts for merge requests, which --everything takes along. */
static const char *const host_refs[] = {
	"refs/merge-requests/", "refs/pull/", "refs/pull-requests/"};

static int starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int is_everything(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof host_refs / sizeof host_refs[0]; i++)
		if (starts_with(name, host_refs[i]))
			return 1;
	return starts_with(name, "refs/heads/") || starts_with(name, "refs/tags/") ||
	       starts_with(name, "refs/remotes/");
}

static int add_everything(struct strvec *include, const struct rewrite_refs *refs)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < refs->n; i++)
		if (is_everything(refs->v[i].name))
			rc = strvec_push(include, refs->v[i].name);
	return rc;
}

/* A branch, or "^branch" to leave its commits out. */
static int add_operand(
	struct strvec *include, struct strvec *exclude, struct command_ctx *ctx, const char *name)
{
	struct buf full = BUF_INIT;
	int out = *name == '^';
	int rc = lfs_full_ref(&full, &ctx->repo, name + out);

	if (rc == ERR_NOTFOUND)
		rc = err_set(rc, "Git can't resolve ref: \"%s\"", name + out);
	if (rc == 0)
		rc = strvec_push(out ? exclude : include, full.p);
	buf_release(&full);
	return rc;
}

/* What --include-ref was given, commas in it separating several. */
static int add_list(struct strvec *to, const struct strvec *given)
{
	const char *p;
	size_t i, len;
	int rc = 0;

	for (i = 0; rc == 0 && i < given->n; i++)
		for (p = given->v[i]; rc == 0 && *p; p += len + (p[len] == ',')) {
			len = strcspn(p, ",");
			if (len)
				rc = strvec_pushn(to, p, len);
		}
	return rc;
}

static int add_current(struct strvec *include, const struct repo *repo)
{
	struct buf name = BUF_INIT;
	int rc = git_status_of(repo, NULL, 0, &name, "symbolic-ref", "-q", "HEAD", (char *)NULL);

	buf_rtrim(&name);
	if (rc > 0 || (rc == 0 && !starts_with(buf_str(&name), "refs/heads/")))
		rc = err_set(ERR_INVALID, "cannot migrate non-local ref: HEAD; name the branches");
	if (rc == 0 && !git_has_head(repo))
		rc = err_set(ERR_NOTFOUND, "there is no commit to migrate on '%s'", name.p);
	if (rc == 0)
		rc = strvec_push(include, name.p);
	buf_release(&name);
	return rc;
}

/* The remotes' own commits, as far as known; asked for first unless that is not wanted. */
static int add_remotes(struct strvec *exclude, const struct repo *repo, int skip_fetch)
{
	struct buf names = BUF_INIT, refs = BUF_INIT;
	char *line, *save = NULL;
	int rc = git_run(repo, NULL, 0, &names, "remote", (char *)NULL);

	if (rc == 0 && names.len && !skip_fetch) {
		fputs("migrate: Fetching remote refs: ..., ", stderr);
		rc = git_run(repo, NULL, 0, &refs, "fetch", "--quiet", "--all", (char *)NULL);
		fputs(rc == 0 ? "done.\n" : "failed.\n", stderr);
		if (rc < 0)
			err_prefix(rc, "with --skip-fetch, what is known of the remotes will do");
	}
	buf_reset(&refs);
	if (rc == 0)
		rc = git_run(repo, NULL, 0, &refs, "for-each-ref", "--format=%(refname)",
			"refs/remotes", (char *)NULL);
	for (line = rc == 0 && refs.len ? strtok_r(refs.p, "\n", &save) : NULL; line && rc == 0;
		line = strtok_r(NULL, "\n", &save))
		rc = strvec_push(exclude, line);
	buf_release(&names);
	buf_release(&refs);
	return rc;
}

int migrate_commits(struct rewrite_ids *out, struct command_ctx *ctx, const struct migrate_args *a,
	const struct rewrite_refs *refs)
{
	struct strvec include = STRVEC_INIT, exclude = STRVEC_INIT;
	int explicit = a->include_refs.n + a->exclude_refs.n > 0, i, rc = 0;

	for (i = 0; rc == 0 && i < a->n_operands; i++)
		rc = add_operand(&include, &exclude, ctx, a->operands[i]);
	if (rc == 0 && explicit) {
		rc = add_list(&include, &a->include_refs);
		if (rc == 0)
			rc = add_list(&exclude, &a->exclude_refs);
	} else if (rc == 0 && a->everything) {
		rc = add_everything(&include, refs);
	} else if (rc == 0) {
		if (!a->n_operands)
			rc = add_current(&include, &ctx->repo);
		if (rc == 0 && ctx->g->worktree)
			rc = add_remotes(&exclude, &ctx->repo, a->skip_fetch);
	}
	if (rc == 0 && include.n) {
		fputs("migrate: Sorting commits: ..., ", stderr);
		rc = rewrite_refs_commits(out, &ctx->repo, &include, &exclude);
		fputs(rc == 0 ? "done.\n" : "failed.\n", stderr);
	}
	strvec_release(&include);
	strvec_release(&exclude);
	return rc;
}
