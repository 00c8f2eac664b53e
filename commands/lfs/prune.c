/*
 * `git lfs prune`: the clean-up of `git dvx gc -w`, with Git LFS's idea of what is recent, and its
 * words.
 *
 * It keeps more than Git LFS does - what is staged, what only a reflog still names - and whatever a
 * commit needs goes only after the remote was asked for it just now, also without --verify-remote;
 * with it, the remote's copies are read and hashed.
 */
#include "commands/lfs/lfs.h"

#include <stdio.h>
#include <string.h>

#include "commands/gc.h"
#include "commands/lfs/recent.h"
#include "lib/base/err.h"
#include "lib/store/oidmap.h"

struct prune {
	int force, recent, verbose, dry_run, verify, no_verify, verify_unreachable, quiet;
	const char *when_unverified; /* "halt" or "continue" */
	struct oidmap all;	     /* objects of the store; the value says if it goes */
	size_t dropped, kept_without_copy;
};

/* Recent branches and commits, each widened by lfs.pruneoffsetdays; a number of 0 means: none. */
static int keep_recent(struct gc *gc, struct pointers *p, struct scan_list *l)
{
	struct prune *prune = gc->data;
	const struct repo *repo = &gc->ctx->repo;
	struct recent_config c;
	struct strvec refs = STRVEC_INIT;
	int rc = 0;

	if (prune->force || prune->recent)
		return 0;
	recent_config_read(&c, repo->config);
	if (c.refs_days > 0)
		rc = recent_refs(
			&refs, repo, c.refs_days + c.prune_offset, c.remote_refs ? "*" : NULL);
	for (size_t i = 0; rc == 0 && i < refs.n; i++)
		rc = scan_tree(l, repo, p, refs.v[i]);
	if (rc == 0)
		rc = strvec_push(&refs, "HEAD");
	for (size_t i = 0; rc == 0 && c.commits_days > 0 && i < refs.n; i++)
		rc = recent_changes(l, repo, p, refs.v[i], c.commits_days + c.prune_offset);
	strvec_release(&refs);
	return rc;
}

static int count_one(const struct store_item *item, void *data)
{
	int rc = oidmap_add(&((struct prune *)data)->all, &item->oid, 0);

	return rc < 0 ? rc : 0;
}

static void note_dropped(struct gc *gc, const struct oid *oid)
{
	struct prune *p = gc->data;
	char hex[OID_HEX_LEN + 1];
	uint32_t gone;

	if (!oidmap_get(&p->all, oid, &gone) || gone)
		return;
	oidmap_set(&p->all, oid, 1);
	p->dropped++;
	if (p->verbose && !p->quiet) {
		oid_to_hex(hex, oid);
		printf(" * %s\n", hex);
	}
}

static void tell(struct gc *gc, const struct gc_outcome *o)
{
	struct prune *p = gc->data;
	char size[16];

	p->kept_without_copy = o->kept_without_copy + o->kept_damaged;
	if (p->quiet)
		return;
	printf("prune: %zu local objects, %zu retained, done.\n", p->all.n, p->all.n - p->dropped);
	if (p->kept_without_copy > 0)
		printf("prune: %zu of them kept, for %s: %s\n", p->kept_without_copy,
			o->why ? "the remote could not be asked" : "the remote has no whole copy",
			o->why ? o->why : o->remote);
	if (p->dropped == 0)
		return;
	lfs_bytes(size, o->store->dropped_bytes);
	if (p->dry_run)
		printf("prune: %zu files would be pruned (%s)\n", p->dropped, size);
	else
		printf("prune: Deleting objects: 100%% (%zu/%zu), done.\n", p->dropped, p->dropped);
}

static int run(struct prune *p, struct command_ctx *ctx, int dry_run)
{
	static char now[] = "now";
	struct gc gc = {.ctx = ctx,
		.workspace = 1,
		.prune = now,
		.quick = !p->verify,
		.dry_run = dry_run,
		.keep = keep_recent,
		.dropped = note_dropped,
		.told = tell,
		.force = p->force,
		.data = p,
		.remote = config_get_own(ctx->c, "lfs.pruneremotetocheck")};
	int rc;

	oidmap_release(&p->all);
	p->dropped = 0;
	rc = store_each(ctx->s, count_one, p);
	return rc < 0 ? rc : gc_local(&gc);
}

/* --verify-remote halts before anything is deleted. */
static int rehearse(struct prune *p, struct command_ctx *ctx)
{
	int rc;

	p->quiet = 1;
	rc = run(p, ctx, 1);
	p->quiet = 0;
	if (rc == 0 && p->kept_without_copy > 0)
		return lfs_fail(LFS_FAILED,
			"prune: %zu objects could not be verified on the remote; nothing was "
			"deleted "
			"(--when-unverified=continue deletes the others)",
			p->kept_without_copy);
	return rc;
}

static int check_words(struct prune *p, const struct config *c, int n, char **argv)
{
	if (n > 0)
		return command_usage("unexpected argument '%s'; see 'git lfs prune -h'", argv[1]);
	if (p->when_unverified && strcmp(p->when_unverified, "halt") != 0 &&
		strcmp(p->when_unverified, "continue") != 0)
		return command_usage("--when-unverified takes 'halt' or 'continue'");
	if (p->verify && p->no_verify)
		return command_usage("Cannot specify both --verify-remote and --no-verify-remote");
	if (!p->verify && !p->no_verify)
		p->verify = config_bool(c, "lfs.pruneverifyremotealways", 0);
	return 0;
}

int lfs_prune(struct command_ctx *ctx, int argc, char **argv)
{
	struct prune p = {.all = OIDMAP_INIT};
	const struct opt options[] = {
		{'d', "dry-run", OPT_FLAG, &p.dry_run, NULL, "delete nothing, only report", 0},
		{'f', "force", OPT_FLAG, &p.force, NULL,
			"also what is checked out, where the remote has it", 0},
		{0, "recent", OPT_FLAG, &p.recent, NULL, "also what is recent", 0},
		{'c', "verify-remote", OPT_FLAG, &p.verify, NULL,
			"delete nothing unless the remote has all of it", 0},
		{0, "no-verify-remote", OPT_FLAG, &p.no_verify, NULL,
			"keep what the remote has not, delete the rest", 0},
		{0, "verify-unreachable", OPT_FLAG, &p.verify_unreachable, NULL, NULL, 0},
		{0, "no-verify-unreachable", OPT_FLAG, &p.verify_unreachable, NULL, NULL, 0},
		{0, "when-unverified", OPT_VALUE, &p.when_unverified, "<action>",
			"halt or continue, with --verify-remote", 0},
		{'v', "verbose", OPT_FLAG, &p.verbose, NULL, "name each object", 0}, OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, "git lfs prune [<options>]", 0, &n))
		return rc;
	rc = command_store(ctx);
	if (rc == 0)
		rc = check_words(&p, ctx->c, n, argv);
	if (rc == 0 && p.verify && !(p.when_unverified && *p.when_unverified == 'c'))
		rc = rehearse(&p, ctx);
	if (rc == 0)
		rc = run(&p, ctx, p.dry_run);
	oidmap_release(&p.all);
	return rc;
}
