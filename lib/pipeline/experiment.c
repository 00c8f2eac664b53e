/*
 * Experiments as refs: listing, finding, forgetting them and making branches of them.
 */
#include "lib/pipeline/experiment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/repo/git.h"

const char *experiment_state_name(enum experiment_state state)
{
	static const char *const names[] = {"done", "queued", "running", "failed"};

	return names[state];
}

static void experiment_release(struct experiment *e)
{
	free(e->name);
	free(e->ref);
	exp_recipe_release(&e->recipe);
}

void experiment_list_release(struct experiment_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		experiment_release(&l->v[i]);
	free(l->v);
	*l = (struct experiment_list){0};
}

/* "<base>/<name>" behind one of our prefixes.  0, or ERR_INVALID for a ref that is none of ours. */
static int parse_ref(struct experiment *e, const struct repo *repo, const char *ref)
{
	static const struct {
		const char *prefix;
		enum experiment_state state;
	} kinds[] = {{EXP_REFS_DONE, EXPERIMENT_DONE}, {EXP_REFS_QUEUE, EXPERIMENT_QUEUED},
		{EXP_REFS_FAILED, EXPERIMENT_FAILED}};
	size_t hex = 2 * (size_t)repo->hash_len;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(ref, kinds[i].prefix, len) != 0)
			continue;
		e->state = kinds[i].state;
		ref += len;
		if (strlen(ref) < hex + 2 || ref[hex] != '/' || strchr(ref + hex + 1, '/') ||
			repo_id_parse(e->base, repo, ref) < 0)
			return ERR_INVALID;
		e->name = strdup(ref + hex + 1);
		return e->name ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	return ERR_INVALID;
}

/* One record: ref, commit, time and message.  A ref that we did not make is left out. */
static int add_record(struct experiment_list *l, const struct repo *repo, char *const fields[4])
{
	struct experiment e = {0}, *more;
	const char *ref = fields[0] + strspn(fields[0], "\n"); /* the end of the record before */
	int rc = parse_ref(&e, repo, ref);

	if (rc == 0)
		rc = repo_id_parse(e.commit, repo, fields[1]);
	if (rc == ERR_INVALID) {
		experiment_release(&e);
		err_clear();
		return 0;
	}
	e.time = strtoll(fields[2], NULL, 10);
	e.ref = strdup(ref);
	if (rc == 0)
		rc = e.ref ? exp_recipe_parse(&e.recipe, fields[3]) : ERR_NOMEM;
	if (rc == 0 && l->n == l->cap) {
		more = realloc(l->v, (l->cap ? 2 * l->cap : 16) * sizeof(*more));
		rc = more ? 0 : err_set(ERR_NOMEM, "out of memory");
		l->v = more ? more : l->v;
		l->cap = more ? (l->cap ? 2 * l->cap : 16) : l->cap;
	}
	if (rc < 0) {
		experiment_release(&e);
		return rc;
	}
	if (e.state == EXPERIMENT_QUEUED && exp_work_is_locked(repo, e.name))
		e.state = EXPERIMENT_RUNNING;
	l->v[l->n++] = e;
	return 0;
}

static int cmp_made(const void *a, const void *b)
{
	const struct experiment *x = a, *y = b;

	if (x->recipe.made != y->recipe.made)
		return x->recipe.made < y->recipe.made ? -1 : 1;
	return strcmp(x->ref, y->ref);
}

int experiment_list_load(struct experiment_list *out, const struct repo *repo)
{
	struct run r = RUN_INIT;
	struct buf text = BUF_INIT;
	struct strvec fields = STRVEC_INIT;
	int rc = git_prepare(&r, repo, "for-each-ref",
		"--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents)%00",
		EXP_REFS_DONE, EXP_REFS_QUEUE, EXP_REFS_FAILED, (char *)NULL);

	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &text);
	if (rc > 0)
		rc = err_set(ERR_INVALID, "'git for-each-ref' failed with exit status %d", rc);
	if (rc == 0)
		rc = exp_split(&fields, &text);
	for (size_t i = 0; rc == 0 && i + 4 <= fields.n; i += 4)
		rc = add_record(out, repo, fields.v + i);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), cmp_made);
	strvec_release(&fields);
	buf_release(&text);
	run_release(&r);
	return rc;
}

const struct experiment *experiment_find(
	const struct experiment_list *l, const char *name, const uint8_t *base, int hash_len)
{
	const struct experiment *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct experiment *e = &l->v[i];
		int rank = 1 + (e->state == EXPERIMENT_DONE) +
			   2 * (base && memcmp(e->base, base, (size_t)hash_len) == 0);

		if ((strcmp(e->name, name) == 0 || strcmp(e->ref, name) == 0) &&
			rank >= best_rank) {
			best = e;
			best_rank = rank;
		}
	}
	return best;
}

int experiment_branch(const struct repo *repo, const struct experiment *e, const char *branch)
{
	char hex[REPO_HEX_MAX + 1];
	struct buf ref = BUF_INIT, ignored = BUF_INIT;
	int rc = buf_addf(&ref, "refs/heads/%s", branch);

	if (e->state != EXPERIMENT_DONE)
		rc = err_set(ERR_INVALID, "experiment '%s' is %s and has no result", e->name,
			experiment_state_name(e->state));
	if (rc == 0)
		rc = git_status_of(repo, NULL, 0, &ignored, "check-ref-format", "--branch", branch,
			(char *)NULL);
	if (rc > 0)
		rc = err_set(ERR_INVALID, "'%s' is no name for a branch", branch);
	if (rc == 0 && git_status_of(repo, NULL, 0, &ignored, "show-ref", "--verify", "--quiet",
			       ref.p, (char *)NULL) == 0)
		rc = err_set(ERR_EXISTS,
			"there is a branch '%s'; choose another name, or 'git "
			"branch -D %s' first",
			branch, branch);
	repo_id_hex(hex, repo, e->commit);
	if (rc == 0) /* the empty old value: only if there is none */
		rc = exp_git_whole(repo, 0, NULL, 0, "update-ref", "-m",
			"branch: from an experiment", ref.p, hex, "", (char *)NULL);
	buf_release(&ref);
	buf_release(&ignored);
	return rc;
}

int experiment_remove(const struct repo *repo, const struct experiment *e)
{
	char hex[REPO_HEX_MAX + 1];
	struct exp_work w = EXP_WORK_INIT;
	struct buf path = BUF_INIT;
	int rc = exp_work_lock(&w, repo, e->name);

	repo_id_hex(hex, repo, e->commit);
	if (rc == 0)
		rc = exp_git_whole(repo, w.log, NULL, 0, "update-ref", "--no-deref", "-d", e->ref,
			hex, (char *)NULL);
	if (rc == 0)
		rc = experiment_log_path(&path, repo, e->name);
	if (rc == 0)
		unlink(path.p);
	exp_work_end(&w, repo);
	buf_release(&path);
	return rc;
}
