/*
 * The common part of push, fetch and pull: which pointers are meant, handing them to
 * git-dvx-transfer, telling what came of it.
 */
#include <stdio.h>

#include "commands/json.h"
#include "commands/transfer.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/staged.h"
#include "lib/setup/intree.h"
#include "lib/setup/remotes.h"

enum { FAILURES_NAMED = 20 };

int transfer_remote_check(const struct command_ctx *ctx, const char *name)
{
	struct remote_spec *spec = NULL;
	int rc = intree_check_leak(ctx->repo.config);

	if (rc == 0 && name != NULL)
		rc = remotes_resolve(&spec, ctx->g, ctx->repo.config, name, NULL);
	remote_spec_free(spec);
	return rc;
}

int transfer_prepare(struct transfer *t, struct command_ctx *ctx, char *const *operands, int n)
{
	int rc;

	command_stop(); /* from now on Ctrl-C is an answer of ours */
	rc = command_store(ctx);
	if (rc == 0)
		rc = transfer_remote_check(ctx, t->remote);
	if (rc == 0)
		rc = select_operands(&t->select, &ctx->repo, operands, n, 1);
	if (rc == 0)
		rc = select_patterns(&t->select, &ctx->repo, t->direction == BATCH_DOWNLOAD);
	return rc;
}

void transfer_release(struct transfer *t)
{
	select_release(&t->select);
}

/* Given revisions: their trees, and for a push also what led to them and was not pushed. */
static int scan_revisions(
	const struct transfer *t, struct command_ctx *ctx, struct scan_list *l, struct pointers *p)
{
	const struct strvec none = STRVEC_INIT;
	int rc = 0;

	if (t->direction == BATCH_UPLOAD)
		rc = scan_range(l, &ctx->repo, p, &t->select.revs, &none, "*");
	for (size_t i = 0; rc == 0 && i < t->select.revs.n; i++)
		rc = scan_tree(l, &ctx->repo, p, t->select.revs.v[i]);
	return rc;
}

/* No revisions: what HEAD and the index hold, and for a push also the commits that no
 * remote-tracking branch has (first: they know the versions before theirs). */
static int scan_present(
	const struct transfer *t, struct command_ctx *ctx, struct scan_list *l, struct pointers *p)
{
	const struct strvec none = STRVEC_INIT;
	struct strvec head = STRVEC_INIT;
	struct staged staged = STAGED_INIT;
	int bare = ctx->g->worktree == NULL;
	int rc = strvec_push(&head, "HEAD");

	if (bare)
		staged.unborn = !git_has_head(&ctx->repo);
	else if (rc == 0)
		rc = staged_list(&staged, &ctx->repo);
	if (rc == 0 && t->direction == BATCH_UPLOAD && !staged.unborn)
		rc = scan_range(l, &ctx->repo, p, &head, &none, "*");
	if (rc == 0 && bare && !staged.unborn)
		rc = scan_tree(l, &ctx->repo, p, "HEAD");
	if (rc == 0 && !bare)
		rc = scan_index(l, &ctx->repo, p, 0);
	if (rc == 0)
		rc = staged_old_pointers(&staged, l, &ctx->repo, p);
	staged_release(&staged);
	strvec_release(&head);
	return rc;
}

static int scan_wanted(const struct transfer *t, struct command_ctx *ctx, struct scan_list *l)
{
	struct pointers *p = NULL;
	int which = (t->tags ? SCAN_TAGS : 0) | (t->branches ? SCAN_BRANCHES : 0);
	int rc = pointers_open(&p, &ctx->repo);

	if (rc == 0 && t->commits)
		rc = scan_all_commits(l, &ctx->repo, p);
	if (rc == 0 && t->select.revs.n > 0)
		rc = scan_revisions(t, ctx, l, p);
	else if (rc == 0)
		rc = scan_present(t, ctx, l, p);
	if (rc == 0 && which != 0 && !t->commits)
		rc = scan_refs(l, &ctx->repo, p, which);
	pointers_close(p);
	if (rc == 0)
		rc = select_filter(&t->select, l);
	return rc < 0 ? rc : select_all_found(&t->select, l);
}

static int move(const struct transfer *t, struct command_ctx *ctx, const struct scan_list *l,
	struct sync *sync)
{
	const struct batch_options o = {.remote = t->remote,
		.jobs = t->jobs,
		.dry_run = t->dry_run,
		.progress = t->json ? PROGRESS_OFF : PROGRESS_AUTO,
		.stop = command_stop()};

	if (t->direction == BATCH_UPLOAD)
		return sync_upload(sync, l, &o);
	return sync_download(sync, l, ctx->s, &o);
}

/* ---- telling ---- */

static const char *state_name(const struct transfer *t, int state)
{
	if (state < 0)
		return "failed";
	if (state == 2)
		return "present";
	if (t->dry_run)
		return "wanted";
	return t->direction == BATCH_UPLOAD ? "pushed" : "fetched";
}

static int report_json(
	const struct transfer *t, const struct command_ctx *ctx, const struct sync *sync)
{
	struct remote_spec *spec = NULL;
	struct json j;
	cJSON *list;
	char hex[OID_HEX_LEN + 1];

	json_init(&j);
	if (sync->result.remote[0] == '\0' &&
		remotes_resolve(&spec, ctx->g, ctx->repo.config, t->remote, NULL) < 0)
		err_clear(); /* nothing was to be done; so none is needed */
	json_string(&j, j.root, "remote",
		spec				 ? spec->name
		: sync->result.remote[0] != '\0' ? sync->result.remote
						 : NULL);
	remote_spec_free(spec);
	json_uint(&j, j.root, "bytes", sync->result.bytes);
	list = json_array(&j, j.root, "objects");
	for (size_t i = 0; i < sync->n; i++) {
		const struct batch_object *o = &sync->objects[i];
		cJSON *item = json_item(&j, list);

		oid_to_hex(hex, &o->oid);
		json_string(&j, item, "oid", hex);
		json_uint(&j, item, "size", o->size);
		json_string(&j, item, "path", o->path);
		json_string(&j, item, "state", state_name(t, o->state));
		if (o->state < 0)
			json_string(&j, item, "error", o->error != NULL ? o->error : "failed");
	}
	return json_print(&j);
}

static void print_dry_run(const struct transfer *t, const struct sync *sync)
{
	char hex[OID_HEX_LEN + 1];

	for (size_t i = 0; i < sync->n; i++) {
		if (sync->objects[i].state != 1)
			continue;
		oid_to_hex(hex, &sync->objects[i].oid);
		printf("%s %s => %s\n", t->direction == BATCH_UPLOAD ? "push" : "fetch", hex,
			sync->objects[i].path);
	}
}

/* Did a push fail for want of an object here? */
static int lacks_object(const struct transfer *t, const struct sync *sync)
{
	for (size_t i = 0; t->direction == BATCH_UPLOAD && i < sync->n; i++)
		if (sync->objects[i].state == ERR_NOTFOUND)
			return 1;
	return 0;
}

static void print_failures(const struct transfer *t, const struct sync *sync, size_t failed)
{
	struct buf names = BUF_INIT;

	if (sync_failures(&names, sync, t->direction, FAILURES_NAMED) < 0)
		err_clear();
	fflush(stdout);
	fprintf(stderr, "error: %zu of %zu objects could not be %s '%s':\n%s", failed, sync->n,
		t->direction == BATCH_UPLOAD ? "pushed to" : "fetched from", sync->result.remote,
		buf_str(&names));
	if (lacks_object(t, sync))
		fputs("hint: 'git dvx fetch -A -r <name>' gets what is not here from a remote that "
		      "has it\n",
			stderr);
	buf_release(&names);
}

static int report(const struct transfer *t, const struct command_ctx *ctx, const struct sync *sync)
{
	size_t failed = sync_failed(sync);
	struct buf summary = BUF_INIT;
	int rc = 0;

	if (t->json) {
		rc = report_json(t, ctx, sync);
	} else {
		if (t->dry_run)
			print_dry_run(t, sync);
		rc = sync_summary(&summary, sync, t->direction, t->dry_run);
		if (rc > 0)
			puts(buf_str(&summary));
		else if (rc == 0 && failed == 0)
			puts("Everything up to date");
		rc = rc < 0 ? rc : 0;
	}
	if (rc == 0 && failed > 0) {
		print_failures(t, sync, failed);
		rc = COMMAND_FAILED;
	}
	buf_release(&summary);
	return rc;
}

/* In a partial clone, blobs that Git has not fetched may be pointers that nobody looked at. */
static int tell_unseen(const struct transfer *t, const struct command_ctx *ctx)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	size_t len, n = 0;
	char *line;
	int rc, end;

	if (!t->commits || !git_is_partial(&ctx->repo))
		return 0;
	rc = git_prepare(&run, &ctx->repo, "rev-list", "--objects", "--all", "--missing=print",
		"--no-object-names", (char *)NULL);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\n', &line, &len)) > 0) {
		n += *line == '?';
		rc = 0;
	}
	end = git_reader_finish(r);
	run_release(&run);
	if (rc == 0 && n) {
		fflush(stdout);
		fprintf(stderr,
			"warning: %zu blob%s not in this partial clone: pointers among them were "
			"not looked at\n",
			n, n == 1 ? " is" : "s are");
	}
	return rc && end != ERR_INTERRUPTED ? rc : end;
}

int transfer_objects(const struct transfer *t, struct command_ctx *ctx)
{
	struct scan_list list = SCAN_LIST_INIT;
	struct sync sync = SYNC_INIT;
	int rc = scan_wanted(t, ctx, &list);

	if (rc == 0)
		rc = move(t, ctx, &list, &sync);
	if (rc == 0)
		rc = tell_unseen(t, ctx);
	if (rc == 0)
		rc = report(t, ctx, &sync);
	if (rc == ERR_INTERRUPTED)
		err_set(rc, TRANSFER_INTERRUPTED);
	sync_release(&sync);
	scan_list_release(&list);
	return rc;
}

int transfer_command(struct command_ctx *ctx, int argc, char **argv, enum batch_direction direction,
	const char *usage)
{
	struct transfer t = {.direction = direction};
	const struct opt options[] = {TRANSFER_OPTIONS(&t), OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options, usage, 0, &n))
		goto done;
	rc = transfer_prepare(&t, ctx, argv + 1, n);
	if (rc == 0)
		rc = transfer_objects(&t, ctx);
	if (rc == 0)
		rc = transfer_run_cache(&t, ctx);
done:
	transfer_release(&t);
	return rc;
}
