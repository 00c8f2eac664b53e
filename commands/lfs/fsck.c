/*
 * `git lfs fsck`: the checks of `git dvx fsck`, of the files that Git LFS looks at, with what it
 * says and does: corrupt objects are moved to ".git/lfs/bad" unless it is a dry run.
 */
#include "commands/lfs/lfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/fsck.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"

/* The object name of a revision, which Git LFS prints. */
static int name_of(struct buf *out, const struct repo *repo, const char *word)
{
	char hex[REPO_HEX_MAX + 1];
	uint8_t id[REPO_ID_MAX];
	int rc = git_resolve(repo, word, id);

	if (rc < 0)
		return rc;
	repo_id_hex(hex, repo, id);
	return buf_addstr(out, hex);
}

/* "A..B", a commit, or nothing. */
static int take_revision(struct fsck *f, const char *word, struct buf *head)
{
	const char *dots = word ? strstr(word, "..") : NULL;
	int rc = 0;

	if (!dots) {
		if (word || git_has_head(&f->ctx->repo))
			rc = name_of(head, &f->ctx->repo, word ? word : "HEAD");
		if (rc == 0 && head->len && !word)
			f->head = head->p;
		return rc == 0 && word ? strvec_push(&f->select.revs, head->p) : rc;
	}
	rc = strvec_pushn(&f->range, word, (size_t)(dots - word));
	return rc < 0 ? rc : strvec_push(&f->range, dots + 2);
}

/* Patterns that are never fetched are not missed. */
static int leave_out(struct fsck *f)
{
	const char *exclude = config_get(f->ctx->c, "lfs.fetchexclude");
	int rc = exclude && *exclude ? strvec_push(&f->select.exclude, exclude) : 0;

	return rc < 0 ? rc : select_patterns(&f->select, &f->ctx->repo, 0);
}

static int check(struct fsck *f)
{
	int objects = f->only_objects || !f->only_pointers;
	int pointers = f->only_pointers || !f->only_objects;
	int rc = objects ? fsck_objects(f) : 0;

	if (rc == 0 && pointers)
		rc = fsck_pointers(f);
	if (rc == 0 && f->problems == 0)
		puts("Git LFS fsck OK");
	return rc < 0 ? rc : f->problems ? COMMAND_NO : COMMAND_OK;
}

int lfs_fsck(struct command_ctx *ctx, int argc, char **argv)
{
	struct fsck f = {
		.ctx = ctx, .select = SELECT_INIT, .bad_packs = STRVEC_INIT, .range = STRVEC_INIT};
	struct buf bad = BUF_INIT, head = BUF_INIT;
	int dry_run = 0, n, rc;
	const struct opt options[] = {
		{0, "objects", OPT_FLAG, &f.only_objects, NULL, "check objects only", 0},
		{0, "pointers", OPT_FLAG, &f.only_pointers, NULL, "check pointers only", 0},
		{'d', "dry-run", OPT_FLAG, &dry_run, NULL, "move nothing", 0}, OPT_END};

	if (command_options(
		    &rc, argc, argv, options, "git lfs fsck [<options>] [<revision>]", 0, &n))
		goto done;
	json_init(&f.json);
	f.list = json_array(&f.json, f.json.root, "problems");
	f.move_aside = !dry_run;
	rc = n > 1 ? command_usage("too many revisions; say one, or A..B") : command_store(ctx);
	if (rc == 0)
		rc = fs_join(&bad, ctx->g->common_dir, "lfs/bad");
	f.bad_dir = bad.p;
	if (rc == 0)
		rc = take_revision(&f, n == 1 ? argv[1] : NULL, &head);
	if (rc == 0)
		rc = leave_out(&f);
	if (rc == 0)
		rc = pointers_open(&f.pointers, &ctx->repo);
	if (rc == 0)
		rc = check(&f);
done:
	json_release(&f.json);
	pointers_close(f.pointers);
	strvec_release(&f.bad_packs);
	strvec_release(&f.range);
	select_release(&f.select);
	buf_release(&bad);
	buf_release(&head);
	return rc;
}
