/*
 * `git lfs ls-files`: pointers of HEAD and the index, of a revision, between two, or of all
 * history;
 * "*" where the work tree has a file of the object's size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/lfs/lfs.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"
#include "lib/repo/git.h"
#include "lib/repo/staged.h"
#include "lib/store/oidmap.h"

enum { SHORT_HEX = 10 };

struct ls_files {
	struct command_ctx *ctx;
	struct pointers *pointers;
	int full_oid, size, debug, all, deleted, name_only, as_json;
	struct lfs_patterns patterns;
	struct select select;
};

/* ---- what ---- */

/* The new side of what is staged. */
static int list_staged(const struct ls_files *ls, struct scan_list *l)
{
	struct staged staged = STAGED_INIT;
	int rc = staged_list(&staged, &ls->ctx->repo);

	if (rc == 0)
		rc = staged_resolve(&staged, ls->pointers);
	for (size_t i = 0; rc == 0 && i < staged.n; i++) {
		const struct staged_change *c = &staged.v[i];
		struct scan_item item = {.path = c->path, .oid = c->new.oid, .size = c->new.size};

		if (pointers_is_pointer(&c->new))
			rc = scan_list_add(l, &item);
	}
	staged_release(&staged);
	return rc;
}

/* Commits of the whole history, or of what `rev` reaches: the latest names come first. */
static int list_history(const struct ls_files *ls, struct scan_list *l, const char *rev)
{
	const struct strvec none = STRVEC_INIT;
	struct strvec include = STRVEC_INIT;
	int rc = rev != NULL ? strvec_push(&include, rev) : 0;

	if (rc == 0)
		rc = rev != NULL
			     ? scan_range(l, &ls->ctx->repo, ls->pointers, &include, &none, NULL)
			     : scan_all_commits(l, &ls->ctx->repo, ls->pointers);
	if (rc == 0)
		rc = lfs_newest_first(l);
	strvec_release(&include);
	return rc;
}

/* What `newer` reaches and `older` does not, without objects that are in `older`'s tree. */
static int list_between(
	const struct ls_files *ls, struct scan_list *l, const char *older, const char *newer)
{
	struct strvec include = STRVEC_INIT, exclude = STRVEC_INIT;
	struct scan_list found = SCAN_LIST_INIT, old = SCAN_LIST_INIT;
	struct oidmap known = OIDMAP_INIT;
	int rc = strvec_push(&include, newer);

	if (rc == 0)
		rc = strvec_push(&exclude, older);
	if (rc == 0)
		rc = scan_range(&found, &ls->ctx->repo, ls->pointers, &include, &exclude, NULL);
	if (rc == 0)
		rc = scan_tree(&old, &ls->ctx->repo, ls->pointers, older);
	for (size_t i = 0; rc >= 0 && i < old.n; i++)
		rc = oidmap_add(&known, &old.v[i].oid, 0);
	if (rc >= 0)
		rc = lfs_newest_first(&found);
	for (size_t i = 0; rc >= 0 && i < found.n; i++)
		if (!oidmap_get(&known, &found.v[i].oid, NULL))
			rc = scan_list_add(l, &found.v[i]);
	oidmap_release(&known);
	scan_list_release(&found);
	scan_list_release(&old);
	strvec_release(&include);
	strvec_release(&exclude);
	return rc;
}

/* Keep the first of each path, and what has content. */
static int keep_first(struct scan_list *l, int by_path)
{
	struct strmap seen = STRMAP_INIT;
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		if (l->v[i].size == 0 || (by_path && strmap_has(&seen, l->v[i].path)))
			continue;
		if (by_path)
			rc = strmap_put(&seen, l->v[i].path, NULL);
		l->v[kept++] = l->v[i];
	}
	if (rc == 0)
		l->n = kept;
	strmap_release(&seen, NULL);
	return rc;
}

static int list(const struct ls_files *ls, struct scan_list *l, int n, char **revs)
{
	const char *rev = n > 0 ? revs[0] : "HEAD";
	int rc = 0;

	if (n == 0 && ls->ctx->g->worktree != NULL)
		rc = list_staged(ls, l);
	if (rc < 0 || (n == 0 && !git_has_head(&ls->ctx->repo)))
		goto done;
	if (ls->all)
		rc = list_history(ls, l, NULL);
	else if (ls->deleted)
		rc = list_history(ls, l, rev);
	else if (n > 1)
		rc = list_between(ls, l, revs[0], revs[1]);
	else
		rc = scan_tree(l, &ls->ctx->repo, ls->pointers, rev);
done:
	if (rc == 0)
		rc = keep_first(l, !ls->all && n < 2);
	return rc == 0 ? select_filter(&ls->select, l) : rc;
}

/* ---- telling ---- */

static int is_checked_out(const struct ls_files *ls, const struct scan_item *item)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int is;

	is = ls->ctx->g->worktree != NULL &&
	     fs_join(&path, ls->ctx->g->worktree, item->path) == 0 && lstat(path.p, &st) == 0 &&
	     S_ISREG(st.st_mode) && (uint64_t)st.st_size == item->size;
	buf_release(&path);
	return is;
}

static void print_line(const struct ls_files *ls, const struct scan_item *item)
{
	char hex[OID_HEX_LEN + 1], size[16];

	oid_to_hex(hex, &item->oid);
	if (!ls->name_only)
		printf("%.*s %c ", ls->full_oid ? OID_HEX_LEN : SHORT_HEX, hex,
			is_checked_out(ls, item) ? '*' : '-');
	fputs(item->path, stdout);
	if (ls->size)
		printf(" (%s)", lfs_bytes(size, item->size));
	putchar('\n');
}

static void print_debug(const struct ls_files *ls, const struct scan_item *item)
{
	char hex[OID_HEX_LEN + 1];

	oid_to_hex(hex, &item->oid);
	printf("filepath: %s\n    size: %llu\ncheckout: %s\ndownload: %s\n     oid: sha256 %s\n"
	       " version: https://git-lfs.github.com/spec/v1\n\n",
		item->path, (unsigned long long)item->size,
		is_checked_out(ls, item) ? "true" : "false",
		store_has(ls->ctx->s, &item->oid, item->size) ? "true" : "false", hex);
}

static int print_json(const struct ls_files *ls, const struct scan_list *l)
{
	char hex[OID_HEX_LEN + 1];
	struct json j;
	cJSON *files, *o;

	json_init(&j);
	files = json_array(&j, j.root, "files");
	for (size_t i = 0; i < l->n; i++) {
		const struct scan_item *item = &l->v[i];

		o = json_item(&j, files);
		oid_to_hex(hex, &item->oid);
		json_string(&j, o, "name", item->path);
		json_uint(&j, o, "size", item->size);
		json_bool(&j, o, "checkout", is_checked_out(ls, item));
		json_bool(&j, o, "downloaded", store_has(ls->ctx->s, &item->oid, item->size));
		json_string(&j, o, "oid_type", "sha256");
		json_string(&j, o, "oid", hex);
		json_string(&j, o, "version", "https://git-lfs.github.com/spec/v1");
	}
	return lfs_print_json(&j, 0);
}

static int print(const struct ls_files *ls, const struct scan_list *l)
{
	if (ls->as_json)
		return print_json(ls, l);
	for (size_t i = 0; i < l->n; i++) {
		if (ls->debug)
			print_debug(ls, &l->v[i]);
		else
			print_line(ls, &l->v[i]);
	}
	return 0;
}

int lfs_ls_files(struct command_ctx *ctx, int argc, char **argv)
{
	struct ls_files ls = {.ctx = ctx};
	const struct opt options[] = {
		{'l', "long", OPT_FLAG, &ls.full_oid, NULL, "print the whole object id", 0},
		{'s', "size", OPT_FLAG, &ls.size, NULL, "print the size of each object", 0},
		{'d', "debug", OPT_FLAG, &ls.debug, NULL, "print all that is known", 0},
		{'a', "all", OPT_FLAG, &ls.all, NULL, "the whole history", 0},
		{0, "deleted", OPT_FLAG, &ls.deleted, NULL, "the history of the revision", 0},
		LFS_PATTERN_OPTIONS(&ls.patterns),
		{'n', "name-only", OPT_FLAG, &ls.name_only, NULL, "print paths only", 0},
		{'j', "json", OPT_FLAG, &ls.as_json, NULL, "print JSON", 0}, OPT_END};
	struct scan_list l = SCAN_LIST_INIT;
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git lfs ls-files [<options>] [<ref> [<ref>]]", 0, &n))
		return rc;
	if (ls.all && n > 0)
		return lfs_fail(LFS_FAILED, "Cannot use --all with explicit reference");
	rc = command_store(ctx);
	if (rc == 0)
		rc = lfs_select(&ls.select, &ctx->repo, &ls.patterns, 0);
	if (rc == 0)
		rc = pointers_open(&ls.pointers, &ctx->repo);
	if (rc == 0)
		rc = list(&ls, &l, n, argv + 1);
	if (rc == ERR_NOTFOUND)
		rc = lfs_fail(LFS_FAILED, "Could not scan for Git LFS tree: %s", err_msg());
	pointers_close(ls.pointers);
	if (rc == 0)
		rc = print(&ls, &l);
	scan_list_release(&l);
	select_release(&ls.select);
	return rc;
}
