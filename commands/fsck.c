/*
 * `git dvx fsck`: is the data that Git refers to here, and whole?  Or, with --remote, there?  Says
 * what Git LFS says, line by line, and with --repair mends what can be mended from the other side.
 */
#include "commands/fsck.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/scan.h"
#include "lib/repo/staged.h"

/* ---- telling ---- */

void fsck_problem(
	struct fsck *f, const char *kind, const char *path, const char *oid, const char *fmt, ...)
{
	char text[2048];
	cJSON *item;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->problems++;
	if (!f->as_json) {
		printf("%s\n", err_printable(text));
		return;
	}
	item = json_item(&f->json, f->list);
	json_string(&f->json, item, "kind", kind);
	json_string(&f->json, item, "path", path);
	json_string(&f->json, item, "oid", oid);
	json_string(&f->json, item, "message", text);
}

void fsck_say(struct fsck *f, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (f->as_json)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("%s\n", err_printable(text));
}

/* ---- what is asked about ---- */

static int list_present(struct fsck *f, struct scan_list *l)
{
	const struct repo *repo = &f->ctx->repo;
	struct staged staged = STAGED_INIT;
	int rc = 0;

	if (f->ctx->g->worktree == NULL)
		return git_has_head(repo) ? scan_tree(l, repo, f->pointers, "HEAD") : 0;
	rc = scan_index(l, repo, f->pointers, 0);
	if (rc == 0)
		rc = staged_list(&staged, repo);
	if (rc == 0)
		rc = staged_old_pointers(&staged, l, repo, f->pointers);
	staged_release(&staged);
	return rc;
}

static int list_range(struct fsck *f, struct scan_list *l)
{
	struct strvec include = STRVEC_INIT, exclude = STRVEC_INIT;
	int rc = strvec_push(&exclude, f->range.v[0]);

	if (rc == 0)
		rc = strvec_push(&include, f->range.v[1]);
	if (rc == 0)
		rc = scan_range(l, &f->ctx->repo, f->pointers, &include, &exclude, NULL);
	strvec_release(&include);
	strvec_release(&exclude);
	return rc == 0 ? select_filter(&f->select, l) : rc;
}

int fsck_list(struct fsck *f, struct scan_list *l, int all)
{
	const struct repo *repo = &f->ctx->repo;
	int which = (f->tags ? SCAN_TAGS : 0) | (f->branches ? SCAN_BRANCHES : 0);
	int chosen = which != 0 || f->select.revs.n > 0;
	int rc = 0;

	if (f->range.n == 2)
		return list_range(f, l);
	for (size_t i = 0; rc == 0 && i < f->select.revs.n; i++)
		rc = scan_tree(l, repo, f->pointers, f->select.revs.v[i]);
	if (rc == 0 && (f->commits || (all && !chosen)))
		rc = scan_all_commits(l, repo, f->pointers);
	else if (rc == 0 && which)
		rc = scan_refs(l, repo, f->pointers, which);
	if (rc == 0 && f->select.revs.n == 0 && !all)
		rc = list_present(f, l);
	if (rc == 0)
		rc = select_filter(&f->select, l);
	return rc == 0 ? select_all_found(&f->select, l) : rc;
}

/* ---- the command ---- */

static int check_here(struct fsck *f)
{
	int objects = f->only_objects || !f->only_pointers;
	int pointers = f->only_pointers || !f->only_objects;
	int rc = 0;

	if (objects)
		rc = fsck_store(f);
	if (rc == 0 && objects)
		rc = fsck_objects(f);
	if (rc == 0 && pointers)
		rc = fsck_pointers(f);
	return rc;
}

static int conclude(struct fsck *f)
{
	if (f->as_json) {
		json_bool(&f->json, f->json.root, "ok", f->problems == 0);
		json_uint(&f->json, f->json.root, "moved_aside", f->aside);
		if (json_print(&f->json) < 0)
			return ERR_NOMEM;
	} else if (f->problems == 0) {
		puts("git-dvx fsck OK");
	} else if (!f->repair && !f->only_pointers) {
		fflush(stdout);
		fprintf(stderr,
			"hint: 'git dvx fsck %s--repair' mends what can be had from the %s\n",
			f->on_remote ? "--remote " : "", f->on_remote ? "local store" : "remote");
	}
	return f->problems ? COMMAND_NO : COMMAND_OK;
}

int cmd_fsck(struct command_ctx *ctx, int argc, char **argv)
{
	struct fsck f = {.ctx = ctx, .select = SELECT_INIT, .bad_packs = STRVEC_INIT};
	const struct opt options[] = {
		{0, "objects", OPT_FLAG, &f.only_objects, NULL, "check objects only", 0},
		{0, "pointers", OPT_FLAG, &f.only_pointers, NULL, "check pointers only", 0},
		{'a', "all-branches", OPT_FLAG, &f.branches, NULL, "also the data of all branches",
			0},
		{'T', "all-tags", OPT_FLAG, &f.tags, NULL, "also the data of all tags", 0},
		{'A', "all-commits", OPT_FLAG, &f.commits, NULL, "the data of all commits", 0},
		{0, "repair", OPT_FLAG, &f.repair, NULL,
			"mend what is damaged or missing, from the other side", 0},
		{0, "remote", OPT_FLAG, &f.on_remote, NULL, "check the remote instead", 0},
		{'c', "cloud", OPT_FLAG, &f.on_remote, NULL, NULL, 0},
		{'r', NULL, OPT_VALUE, &f.remote, "<name>", "blob remote, instead of the default",
			0},
		{0, "quick", OPT_FLAG, &f.quick, NULL, "with --remote: compare sizes, read nothing",
			0},
		{'j', "jobs", OPT_INT, &f.jobs, "<n>", "how many at once", 0},
		{0, "json", OPT_FLAG, &f.as_json, NULL, "print JSON", 0}, SELECT_OPTIONS(&f.select),
		OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx fsck [<options>] [<revision>...] [<path>...]", 0, &n))
		goto done;
	json_init(&f.json);
	f.list = json_array(&f.json, f.json.root, "problems");
	rc = command_store(ctx);
	if (rc == 0)
		rc = select_operands(&f.select, &ctx->repo, argv + 1, n, 1);
	if (rc == 0)
		rc = select_patterns(&f.select, &ctx->repo, 0);
	if (rc == 0)
		rc = pointers_open(&f.pointers, &ctx->repo);
	if (rc == 0)
		rc = f.on_remote ? fsck_remote(&f) : check_here(&f);
	if (rc == 0)
		rc = conclude(&f);
done:
	json_release(&f.json);
	pointers_close(f.pointers);
	strvec_release(&f.bad_packs);
	select_release(&f.select);
	return rc;
}
