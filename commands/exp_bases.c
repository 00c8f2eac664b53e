/*
 * Which commits `git dvx exp show` and `list` begin from: HEAD, or those that -A, -a, -T, --num and
 * --rev choose; and the names they are known by.
 */
#include <stdlib.h>
#include <string.h>

#include "commands/exp.h"
#include "commands/states.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"

void exp_bases_release(struct exp_bases *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].label);
	free(b->v);
	*b = (struct exp_bases){0};
}

/* Once each; `label` NULL: found out later. */
static int add_base(
	struct exp_bases *b, const struct repo *repo, const uint8_t *commit, const char *label)
{
	struct exp_base *more;

	for (size_t i = 0; i < b->n; i++)
		if (memcmp(b->v[i].commit, commit, (size_t)repo->hash_len) == 0)
			return 0;
	more = reallocarray(b->v, b->n + 1, sizeof(*more));
	if (!more)
		return err_set(ERR_NOMEM, "out of memory");
	b->v = more;
	memset(&b->v[b->n], 0, sizeof(*b->v));
	memcpy(b->v[b->n].commit, commit, (size_t)repo->hash_len);
	b->v[b->n].label = label ? strdup(label) : NULL;
	b->n++;
	return label && !b->v[b->n - 1].label ? err_set(ERR_NOMEM, "out of memory") : 0;
}

/* The branch that HEAD is on comes before others of the same commit. */
static int add_head(struct exp_bases *b, const struct exp_args *a)
{
	struct buf branch = BUF_INIT;
	int rc = states_branch(&branch, &a->ctx->repo);

	if (rc == 0)
		rc = add_base(b, &a->ctx->repo, a->head, branch.len > 0 ? branch.p : NULL);
	buf_release(&branch);
	return rc;
}

static int add_revision(struct exp_bases *b, const struct repo *repo, const char *rev)
{
	struct buf spec = BUF_INIT;
	uint8_t id[REPO_ID_MAX];
	int rc = buf_addf(&spec, "%s^{commit}", rev);

	if (rc == 0)
		rc = git_resolve(repo, spec.p, id);
	if (rc == ERR_NOTFOUND)
		err_set(rc, "unknown revision '%s'", rev);
	if (rc == 0)
		rc = add_base(b, repo, id, rev);
	buf_release(&spec);
	return rc;
}

/* The last commits of HEAD's own line. */
static int add_history(struct exp_bases *b, const struct repo *repo, int n)
{
	struct buf out = BUF_INIT, count = BUF_INIT;
	uint8_t id[REPO_ID_MAX];
	char *save = NULL, *line = NULL;
	int rc = buf_addf(&count, "--max-count=%d", n);

	if (rc == 0)
		rc = git_run(repo, NULL, 0, &out, "rev-list", "--first-parent", count.p, "HEAD",
			(char *)NULL);
	if (rc == 0 && out.len > 0)
		line = strtok_r(out.p, "\n", &save);
	for (; rc == 0 && line; line = strtok_r(NULL, "\n", &save)) {
		rc = repo_id_parse(id, repo, line);
		if (rc == 0)
			rc = add_base(b, repo, id, NULL);
	}
	buf_release(&out);
	buf_release(&count);
	return rc;
}

static int add_states(struct exp_bases *b, const struct repo *repo, const struct states_options *o)
{
	struct states s = {0};
	int rc = states_list(&s, repo, o);

	for (size_t i = 0; rc == 0 && i < s.n; i++)
		if (!s.v[i].is_worktree)
			rc = add_base(b, repo, s.v[i].id, s.v[i].name);
	states_release(&s);
	return rc;
}

/* Branches and tags; what has none is called by the beginning of its own name. */
static int find_labels(struct exp_bases *b, const struct repo *repo)
{
	const struct states_options named = {.branches = 1, .tags = 1};
	struct states s = {0};
	char hex[REPO_HEX_MAX + 1];
	int rc = states_list(&s, repo, &named);

	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		const char *name = NULL;

		if (b->v[i].label)
			continue;
		for (size_t k = 0; k < s.n && !name; k++)
			if (!s.v[k].is_worktree &&
				memcmp(s.v[k].id, b->v[i].commit, (size_t)repo->hash_len) == 0)
				name = s.v[k].name;
		repo_id_hex(hex, repo, b->v[i].commit);
		b->v[i].label = name ? strdup(name) : strndup(hex, REPO_HEX_SHOWN);
		rc = b->v[i].label ? 0 : err_set(ERR_NOMEM, "out of memory");
	}
	states_release(&s);
	return rc;
}

int exp_bases_choose(struct exp_bases *out, const struct exp_args *a)
{
	const struct repo *repo = &a->ctx->repo;
	const struct states_options o = {.branches = a->all_branches, .tags = a->all_tags};
	int rc = 0;

	if (!a->has_head)
		return 0;
	if (a->revs.n == 0)
		rc = add_head(out, a);
	for (size_t i = 0; rc == 0 && i < a->revs.n; i++)
		rc = add_revision(out, repo, a->revs.v[i]);
	if (rc == 0 && a->last > 1)
		rc = add_history(out, repo, a->last);
	if (rc == 0 && (o.branches || o.tags))
		rc = add_states(out, repo, &o);
	for (size_t i = 0; rc == 0 && a->all_commits && i < a->list.n; i++)
		rc = add_base(out, repo, a->list.v[i].base, NULL);
	return rc == 0 ? find_labels(out, repo) : rc;
}
