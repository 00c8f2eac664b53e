/*
 * `migrate import --no-rewrite`: files that should be pointers become pointers in a new commit on
 * top of HEAD.
 */
#include <stdlib.h>
#include <string.h>

#include "commands/lfs/migrate.h"
#include "lib/base/err.h"
#include "lib/repo/attrs.h"

/* The paths from the top, also as a set. */
static int add_paths(struct strvec *paths, struct strmap *set, struct command_ctx *ctx,
	const struct migrate_args *a)
{
	struct buf path = BUF_INIT;
	int i, rc = 0;

	for (i = 0; rc == 0 && i < a->n_operands; i++) {
		buf_reset(&path);
		rc = repo_path(&path, &ctx->repo, a->operands[i]);
		if (rc == 0)
			rc = strvec_push(paths, buf_str(&path));
		if (rc == 0)
			rc = strmap_put(set, buf_str(&path), NULL);
	}
	buf_release(&path);
	return rc;
}

static int check_paths(const struct strvec *paths, struct command_ctx *ctx)
{
	struct attrs *attrs = calloc(paths->n, sizeof *attrs);
	struct buf rev = BUF_INIT;
	uint8_t id[REPO_ID_MAX];
	size_t i;
	int rc = attrs ? attrs_check_cached(
				 &ctx->repo, (const char *const *)paths->v, paths->n, attrs)
		       : err_set(ERR_NOMEM, "out of memory");

	for (i = 0; rc == 0 && i < paths->n; i++) {
		if (!attrs[i].ours) {
			rc = err_set(ERR_INVALID,
				"File %s did not match any Git LFS filters in '.gitattributes'",
				paths->v[i]);
			break;
		}
		buf_reset(&rev);
		rc = buf_addf(&rev, "HEAD:%s", paths->v[i]);
		if (rc == 0 && git_resolve(&ctx->repo, rev.p, id) < 0)
			rc = err_set(ERR_NOTFOUND,
				"Could not rewrite \"%s\": unable to find entry %s in tree",
				paths->v[i], paths->v[i]);
	}
	free(attrs);
	buf_release(&rev);
	return rc;
}

static int default_message(struct buf *out, const struct migrate_args *a)
{
	int i, rc = 0;

	for (i = 0; rc == 0 && i < a->n_operands; i++)
		rc = buf_addf(out, "%s%s", i ? "," : "", a->operands[i]);
	return rc < 0 ? rc : buf_addf(out, ": convert to %s", a->lfs ? "Git LFS" : "git-dvx");
}

/* Commit the tree and move HEAD's branch, unless somebody else has moved it. */
static int commit_tree(struct command_ctx *ctx, const struct migrate_args *a, const uint8_t *head,
	const uint8_t *tree)
{
	char tree_hex[REPO_HEX_MAX + 1], head_hex[REPO_HEX_MAX + 1];
	struct buf message = BUF_INIT, commit = BUF_INIT, why = BUF_INIT;
	int rc = a->message ? buf_addstr(&message, a->message) : default_message(&message, a);

	repo_id_hex(tree_hex, &ctx->repo, tree);
	repo_id_hex(head_hex, &ctx->repo, head);
	if (rc == 0)
		rc = git_run(&ctx->repo, NULL, 0, &commit, "commit-tree", tree_hex, "-p", head_hex,
			"-m", message.p, (char *)NULL);
	buf_rtrim(&commit);
	if (rc == 0)
		rc = buf_addf(&why, "git %s migrate import --no-rewrite", a->lfs ? "lfs" : "dvx");
	if (rc == 0)
		rc = git_run(&ctx->repo, NULL, 0, NULL, "update-ref", "-m", why.p, "HEAD", commit.p,
			head_hex, (char *)NULL);
	buf_release(&message);
	buf_release(&commit);
	buf_release(&why);
	return rc;
}

int migrate_commit(struct command_ctx *ctx, const struct migrate_args *a)
{
	struct migrate_options o = migrate_options_of(a);
	struct strvec paths = STRVEC_INIT;
	struct strmap set = STRMAP_INIT;
	struct migrate *m = NULL;
	uint8_t head[REPO_ID_MAX], tree[REPO_ID_MAX];
	int rc = migrate_ask(ctx, a);

	o.paths = &set;
	if (rc == 0)
		rc = git_resolve(&ctx->repo, "HEAD^{commit}", head);
	if (rc == 0)
		rc = add_paths(&paths, &set, ctx, a);
	if (rc == 0)
		rc = check_paths(&paths, ctx);
	if (rc == 0)
		rc = migrate_open_store(ctx, a);
	if (rc == 0)
		rc = migrate_new(&m, &ctx->repo, ctx->s, &o);
	if (rc == 0)
		rc = rewrite_tree_of(migrate_rewrite(m), head, tree);
	if (rc == 0)
		rc = migrate_sync(m);
	if (rc == 0)
		rc = commit_tree(ctx, a, head, tree);
	if (rc == 0)
		rc = migrate_checkout(ctx);
	migrate_free(m);
	strmap_release(&set, NULL);
	strvec_release(&paths);
	return rc;
}
