/*
 * `git dvx status`: Git's status, seen from the data: which versions of data files are staged,
 * which changed, what is only a pointer, what the blob remote does not have yet.
 *
 * The work tree is compared by one lstat for each pointer of the index; nothing is hashed unless a
 * file has the right size and another time.  The network is asked with --remote only
 * (status_remote.c); what the stages have to say is in status_stages.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/states.h"
#include "commands/status.h"
#include "commands/status_remote.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"
#include "lib/pipeline/claim.h"
#include "lib/repo/git.h"
#include "lib/repo/sync.h"

/* ---- collecting ---- */

/* For what is as young as the index.  With extensions the object is not what the file holds: Git
 * and the filter know. */
static int is_unchanged(const struct repo *repo, const struct scan_item *item)
{
	struct buf spec = BUF_INIT;
	int same;

	if (!item->odd)
		return scan_file_holds(repo, item->path, &item->oid);
	same = buf_addf(&spec, ":(top,literal)%s", item->path) == 0 &&
	       git_status_of(repo, NULL, 0, NULL, "diff", "--quiet", "--no-ext-diff", "--", spec.p,
		       (char *)NULL) == 0;
	buf_release(&spec);
	return same;
}

static void note_file(
	struct status *s, const struct scan_item *item, const struct scan_found *found)
{
	struct unstaged *u = &s->v[s->n];

	*u = (struct unstaged){.item = item};
	switch (found->state) {
	case SCAN_FILE_DATA:
		return;
	case SCAN_FILE_ABSENT:
		u->status = 'D';
		break;
	case SCAN_FILE_POINTER:
		u->status = 'P';
		u->here = store_has(s->ctx->s, &item->oid, item->size);
		break;
	case SCAN_FILE_CHANGED:
		/* the right size, but not the time that the index knows */
		if ((found->size == item->size || item->odd) && is_unchanged(&s->ctx->repo, item))
			return;
		u->status = 'M';
		u->size = found->size;
		break;
	}
	s->n++;
}

static int compare_work_tree(struct status *s, struct pointers *p)
{
	struct scan_found *found = NULL;
	int rc = scan_index(&s->index, &s->ctx->repo, p, 1);

	if (rc == 0)
		rc = select_filter(&s->select, &s->index);
	if (rc == 0)
		rc = scan_files(&found, &s->index, &s->ctx->repo);
	if (rc < 0)
		return rc;
	s->v = calloc(s->index.n + 1, sizeof(*s->v));
	for (size_t i = 0; s->v != NULL && i < s->index.n; i++)
		if (!s->index.v[i].skip_worktree && s->index.v[i].size > 0)
			note_file(s, &s->index.v[i], &found[i]);
	free(found);
	return s->v != NULL ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* Objects of commits that no remote-tracking branch has. */
static int count_unpushed(struct status *s, struct pointers *p)
{
	const struct strvec none = STRVEC_INIT;
	struct strvec head = STRVEC_INIT;
	struct scan_list l = SCAN_LIST_INIT;
	int rc = 0;

	if (s->staged.unborn)
		return 0;
	rc = strvec_push(&head, "HEAD");
	if (rc == 0)
		rc = scan_range(&l, &s->ctx->repo, p, &head, &none, "*");
	if (rc == 0)
		rc = select_filter(&s->select, &l);
	if (rc == 0)
		rc = scan_list_unique_oid(&l);
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		s->unpushed_bytes += l.v[i].size;
	s->unpushed = l.n;
	scan_list_release(&l);
	strvec_release(&head);
	return rc;
}

/* Keep the staged changes that concern data and were asked for. */
static void keep_data_changes(struct status *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->staged.n; i++) {
		struct staged_change *c = &s->staged.v[i];

		if ((pointers_is_pointer(&c->old) || pointers_is_pointer(&c->new)) &&
			select_wants(&s->select, c->path))
			s->staged.v[kept++] = *c;
		else
			free(c->path);
	}
	s->staged.n = kept;
}

static int collect(struct status *s)
{
	struct pointers *p = NULL;
	int rc = states_branch(&s->branch, &s->ctx->repo);

	if (rc == 0)
		rc = pointers_open(&p, &s->ctx->repo);
	if (rc == 0)
		rc = staged_list(&s->staged, &s->ctx->repo);
	if (rc == 0)
		rc = staged_resolve(&s->staged, p);
	if (rc == 0) {
		keep_data_changes(s);
		rc = compare_work_tree(s, p);
	}
	if (rc == 0)
		rc = count_unpushed(s, p);
	pointers_close(p);
	return rc;
}

/* ---- the command ---- */

static void tell_recovered(const char *stage, void *data)
{
	(void)data;
	fprintf(stderr, "the outputs of stage '%s', which was killed while it ran, are back\n",
		stage);
}

/* Operands that name stages: then the others, if there are any, are about data. */
static int take_stages(struct status *s, char **argv, int *n)
{
	int given = *n, rc = claim_recover(&s->ctx->repo, tell_recovered, NULL);

	if (rc >= 0)
		rc = status_stages_operands(&s->stages, s->ctx, argv, given, n);
	s->only_stages = given > 0 && *n == 0;
	return rc;
}

enum { PART_DATA, PART_STAGES, PARTS };

/* One part of the work; the two have nothing to do with each other, and the first one mostly waits
 * for Git. */
static int collect_part(size_t part, void *data)
{
	struct status *s = data;

	if (part == PART_DATA)
		return s->only_stages ? 0 : collect(s);
	if (s->porcelain || (select_limited(&s->select) && s->stages.wanted.n == 0))
		return 0;
	s->stages_failed = status_stages_collect(&s->stages, s->ctx);
	if (s->stages_failed < 0)
		s->stages_error = strdup(err_msg());
	return 0;
}

static int stages_error(const struct status *s)
{
	return err_set(s->stages_failed, "%s", s->stages_error != NULL ? s->stages_error : "");
}

static int run(struct status *s)
{
	int rc = workers_run(PARTS, PARTS, collect_part, s);

	if (rc < 0)
		return rc;
	if (s->stages_failed < 0 && (s->json || s->only_stages))
		return stages_error(s);
	if (s->json)
		return status_print_json(s);
	if (s->porcelain) {
		status_print_porcelain(s);
		return 0;
	}
	if (!s->only_stages)
		status_print_data(s);
	if (s->stages_failed < 0)
		return stages_error(s);
	status_print_stages(s);
	return 0;
}

int cmd_status(struct command_ctx *ctx, int argc, char **argv)
{
	struct status s = {.ctx = ctx};
	struct status_remote r = {.wanted = 0};
	const struct opt options[] = {{0, "json", OPT_FLAG, &s.json, NULL, "print JSON", 0},
		{'p', "porcelain", OPT_FLAG, &s.porcelain, NULL,
			"print two status letters and the path, for scripts", 0},
		{'c', "remote", OPT_FLAG, &r.wanted, NULL,
			"compare with what the blob remote has instead", 0},
		{0, "cloud", OPT_FLAG, &r.wanted, NULL, NULL, 0},
		{'r', NULL, OPT_VALUE, &r.remote, "<name>",
			"blob remote, instead of the default; means --remote", 0},
		{'a', "all-branches", OPT_FLAG, &r.branches, NULL,
			"with --remote: also the data of all branches", 0},
		{'T', "all-tags", OPT_FLAG, &r.tags, NULL,
			"with --remote: also the data of all tags", 0},
		{'A', "all-commits", OPT_FLAG, &r.commits, NULL,
			"with --remote: the data of all commits", 0},
		{0, "explain", OPT_FLAG, &s.stages.explain, NULL,
			"say of stages what changed, from what to what", 0},
		SELECT_OPTIONS(&s.select), OPT_END};
	int n, rc;

	if (command_options(&rc, argc, argv, options,
		    "git dvx status [<options>] [<path>|<stage>...]", 0, &n))
		goto done;
	rc = command_store(ctx);
	if (rc == 0 && !r.wanted && !r.remote)
		rc = take_stages(&s, argv, &n);
	if (rc == 0)
		rc = select_operands(&s.select, &ctx->repo, argv + 1, n, 0);
	if (rc == 0)
		rc = select_patterns(&s.select, &ctx->repo, 0);
	if (rc == 0 && (r.wanted || r.remote)) {
		r.as_json = s.json;
		rc = status_remote(ctx, &r, &s.select);
		goto done;
	}
	if (rc == 0)
		rc = run(&s);
done:
	free(s.v);
	free(s.stages_error);
	buf_release(&s.branch);
	staged_release(&s.staged);
	scan_list_release(&s.index);
	select_release(&s.select);
	status_stages_release(&s.stages);
	return rc;
}
