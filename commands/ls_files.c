/*
 * `git dvx ls-files`: which paths are pointers, in the index or in a revision.  Lines and JSON are
 * those of Git LFS's command.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/json.h"
#include "commands/select.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/progress.h"
#include "lib/repo/git.h"

struct ls_files {
	struct command_ctx *ctx;
	int all, full_oid, size, name_only, json;
	struct select select;
};

/* The work tree has data there, of the right size (as Git LFS decides it: nothing is hashed). */
static int is_checked_out(const struct scan_item *item, const struct scan_found *found)
{
	if (found == NULL || *item->path == '\0')
		return 0;
	return found->state == SCAN_FILE_DATA ||
	       (found->state == SCAN_FILE_CHANGED && found->size == item->size);
}

static void print_text(
	const struct ls_files *ls, const struct scan_list *l, const struct scan_found *found)
{
	char hex[OID_HEX_LEN + 1], size[16];

	for (size_t i = 0; i < l->n; i++) {
		const struct scan_item *item = &l->v[i];

		oid_to_hex(hex, &item->oid);
		if (!ls->name_only)
			printf("%.*s %c ", ls->full_oid ? OID_HEX_LEN : OID_SHOWN, hex,
				is_checked_out(item, found != NULL ? &found[i] : NULL) ? '*' : '-');
		fputs(item->path, stdout);
		if (ls->size)
			printf(" (%s)", progress_bytes(size, item->size));
		putchar('\n');
	}
}

static int print_json(
	const struct ls_files *ls, const struct scan_list *l, const struct scan_found *found)
{
	char hex[OID_HEX_LEN + 1], blob[REPO_HEX_MAX + 1];
	struct json j;
	cJSON *files;

	json_init(&j);
	files = json_array(&j, j.root, "files");
	for (size_t i = 0; i < l->n; i++) {
		const struct scan_item *item = &l->v[i];
		cJSON *o = json_item(&j, files);

		oid_to_hex(hex, &item->oid);
		repo_id_hex(blob, &ls->ctx->repo, item->blob);
		json_string(&j, o, "name", item->path);
		json_uint(&j, o, "size", item->size);
		json_bool(
			&j, o, "checkout", is_checked_out(item, found != NULL ? &found[i] : NULL));
		json_bool(&j, o, "downloaded", store_has(ls->ctx->s, &item->oid, item->size));
		json_string(&j, o, "oid_type", "sha256");
		json_string(&j, o, "oid", hex);
		json_string(&j, o, "version", "https://git-lfs.github.com/spec/v1");
		json_string(&j, o, "blob", blob);
	}
	return json_print(&j);
}

static int scan(const struct ls_files *ls, struct scan_list *l)
{
	const struct repo *repo = &ls->ctx->repo;
	const struct strvec *revs = &ls->select.revs;
	struct pointers *p = NULL;
	int rc = pointers_open(&p, repo);

	if (rc == 0 && ls->all)
		rc = scan_all_commits(l, repo, p);
	else if (rc == 0 && revs->n == 1)
		rc = scan_tree(l, repo, p, revs->v[0]);
	else if (rc == 0 && ls->ctx->g->worktree == NULL && git_has_head(repo))
		rc = scan_tree(l, repo, p, "HEAD");
	else if (rc == 0)
		rc = scan_index(l, repo, p, 0);
	pointers_close(p);
	return rc < 0 ? rc : select_filter(&ls->select, l);
}

/* What is neither a revision nor a file is no empty list: it is misspelt. */
static int check_operands(
	const struct ls_files *ls, const struct scan_list *l, char *const *v, int n)
{
	const struct strvec *revs = &ls->select.revs;
	struct select doubtful = SELECT_INIT;
	int rc = 0;

	for (int i = 0; rc == 0 && i < n; i++) {
		if (fs_exists(v[i]) || (revs->n > 0 && strcmp(v[i], revs->v[0]) == 0))
			continue;
		rc = select_operands(&doubtful, &ls->ctx->repo, &v[i], 1, 0);
		if (rc == 0)
			rc = select_all_found(&doubtful, l);
		if (rc == ERR_NOTFOUND)
			rc = err_set(rc, "'%s' is neither a revision nor a path with data", v[i]);
	}
	select_release(&doubtful);
	return rc;
}

int cmd_ls_files(struct command_ctx *ctx, int argc, char **argv)
{
	struct ls_files ls = {.ctx = ctx};
	const struct opt options[] = {
		{'l', "long", OPT_FLAG, &ls.full_oid, NULL, "print the whole object id", 0},
		{'s', "size", OPT_FLAG, &ls.size, NULL, "print the size of each object", 0},
		{'n', "name-only", OPT_FLAG, &ls.name_only, NULL, "print paths only", 0},
		{'a', "all", OPT_FLAG, &ls.all, NULL, "the pointers of all commits", 0},
		{0, "json", OPT_FLAG, &ls.json, NULL, "print JSON", 0}, SELECT_OPTIONS(&ls.select),
		OPT_END};
	struct scan_list list = SCAN_LIST_INIT;
	struct scan_found *found = NULL;
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx ls-files [<options>] [<revision>] [<path>...]", 0, &n))
		goto done;
	rc = command_store(ctx);
	if (rc == 0)
		rc = select_operands(&ls.select, &ctx->repo, argv + 1, n, !ls.all);
	if (rc == 0 && ls.select.revs.n > 1)
		rc = command_usage("one revision at most; see 'git dvx ls-files -h'");
	if (rc == 0)
		rc = select_patterns(&ls.select, &ctx->repo, 0);
	if (rc == 0)
		rc = scan(&ls, &list);
	if (rc == 0)
		rc = check_operands(&ls, &list, argv + 1, n);
	if (rc == 0 && ctx->g->worktree != NULL && !ls.name_only)
		rc = scan_files(&found, &list, &ctx->repo);
	if (rc == 0 && ls.json)
		rc = print_json(&ls, &list, found);
	else if (rc == 0)
		print_text(&ls, &list, found);
done:
	free(found);
	scan_list_release(&list);
	select_release(&ls.select);
	return rc;
}
