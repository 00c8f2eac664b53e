/*
 * `git dvx exp push` and `pull`: experiments by name to and from a Git remote, their data by the
 * blob remote.  Data goes first and comes last, as with commits of branches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/exp.h"
#include "commands/transfer.h"
#include "lib/base/err.h"
#include "lib/base/strmap.h"
#include "lib/repo/git.h"

#define REFS "refs/dvx/exps/"

/* What is to travel. */
struct moving {
	struct exp_args *a;
	const char *remote; /* of Git */
	char *const *names; /* n; 0: all that belong to HEAD, or all */
	int n;
	struct strvec refs;
};

/* The first operand, if it is no experiment's name: a remote's name, a URL or a path. */
static int choose_remote(struct moving *m, const struct exp_args *a)
{
	struct buf key = BUF_INIT;
	int is_remote = 0;

	m->remote = "origin";
	m->names = a->v;
	m->n = a->n;
	if (a->n > 0 && buf_addf(&key, "remote.%s.url", a->v[0]) == 0)
		is_remote = config_get_own(a->ctx->c, key.p) != NULL || strpbrk(a->v[0], "/:");
	if (is_remote) {
		m->remote = m->names[0];
		m->names++;
		m->n--;
	}
	buf_release(&key);
	return m->remote[0] == '-' ? command_usage("'%s' is no remote", m->remote) : 0;
}

/* Move the data that these revisions name. */
static int move_data(struct moving *m, enum batch_direction direction)
{
	struct transfer t = {.direction = direction};
	int rc = transfer_prepare(&t, m->a->ctx, NULL, 0);

	for (size_t i = 0; rc == 0 && i < m->refs.n; i++)
		rc = strvec_push(&t.select.revs, m->refs.v[i]);
	if (rc == 0 && m->refs.n > 0)
		rc = transfer_objects(&t, m->a->ctx);
	transfer_release(&t);
	return rc;
}

/* "git push" or "git fetch" of the refs. */
static int move_refs(struct moving *m, const char *verb)
{
	struct run r = RUN_INIT;
	int rc = git_prepare(&r, &m->a->ctx->repo, verb, "--quiet", (char *)NULL);

	if (rc == 0 && strcmp(verb, "push") == 0) /* what hooks would do is done */
		rc = strvec_push(&r.argv, "--no-verify");
	if (rc == 0 && m->a->force)
		rc = strvec_push(&r.argv, "--force");
	if (rc == 0)
		rc = strvec_pushl(&r.argv, "--", m->remote, (char *)NULL);
	for (size_t i = 0; rc == 0 && i < m->refs.n; i++)
		rc = strvec_pushf(&r.argv, "%s:%s", m->refs.v[i], m->refs.v[i]);
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, NULL);
	if (rc > 0)
		rc = err_set(
			ERR_REMOTE, "'git %s %s' failed with exit status %d", verb, m->remote, rc);
	run_release(&r);
	return rc;
}

static void report(const struct moving *m, const char *what)
{
	for (size_t i = 0; i < m->refs.n; i++)
		printf("%s experiment '%s'\n", what, strrchr(m->refs.v[i], '/') + 1);
	if (m->refs.n == 0)
		puts(m->a->all_commits ? "No experiments."
				       : "No experiments made from HEAD; -A takes those of all "
					 "commits.");
}

/* ---- push ---- */

static int choose_local(struct moving *m)
{
	const struct exp_args *a = m->a;
	const struct experiment *e;
	int rc = 0;

	for (int i = 0; rc == 0 && i < m->n; i++) {
		rc = exp_named(&e, a, m->names[i]);
		if (rc == 0 && e->state != EXPERIMENT_DONE)
			rc = err_set(ERR_INVALID, "experiment '%s' is %s and has no result",
				e->name, experiment_state_name(e->state));
		if (rc == 0)
			rc = strvec_push(&m->refs, e->ref);
	}
	for (size_t i = 0; rc == 0 && m->n == 0 && i < a->list.n; i++) {
		e = &a->list.v[i];
		if (e->state == EXPERIMENT_DONE &&
			(a->all_commits ||
				memcmp(e->base, a->head, (size_t)a->ctx->repo.hash_len) == 0))
			rc = strvec_push(&m->refs, e->ref);
	}
	return rc;
}

int exp_push(struct exp_args *a)
{
	struct moving m = {.a = a};
	int rc = choose_remote(&m, a);

	if (rc == 0)
		rc = choose_local(&m);
	if (rc == 0)
		rc = move_data(&m, BATCH_UPLOAD);
	if (rc == 0 && m.refs.n > 0)
		rc = move_refs(&m, "push");
	if (rc == 0)
		report(&m, "Pushed");
	strvec_release(&m.refs);
	return rc;
}

/* ---- pull ---- */

/* One line of ls-remote: "<id>\t<ref>".  Taken if it is asked for. */
static int take_remote(struct moving *m, const char *line, struct strmap *found)
{
	const struct exp_args *a = m->a;
	char head[REPO_HEX_MAX + 1], have[REPO_HEX_MAX + 1];
	const char *ref = strchr(line, '\t'), *name = strrchr(line, '/');
	const struct experiment *e;
	int wanted = 0;

	if (!ref || !name || strncmp(ref + 1, REFS, sizeof(REFS) - 1) != 0)
		return 0;
	repo_id_hex(head, &a->ctx->repo, a->head);
	if (m->n == 0)
		wanted = a->all_commits || strncmp(ref + sizeof(REFS), head, strlen(head)) == 0;
	for (int i = 0; i < m->n && !wanted; i++)
		wanted = strcmp(name + 1, m->names[i]) == 0;
	if (!wanted)
		return 0;
	e = experiment_find(&a->list, name + 1, NULL, a->ctx->repo.hash_len);
	if (e)
		repo_id_hex(have, &a->ctx->repo, e->commit);
	if (e && !a->force &&
		(strcmp(e->ref, ref + 1) != 0 || strncmp(line, have, strlen(have)) != 0))
		return err_set(ERR_EXISTS,
			"there is another experiment '%s' here; --force replaces it, 'git dvx exp "
			"remove %s' forgets it",
			name + 1, name + 1);
	if (strmap_put(found, name + 1, NULL) < 0)
		return ERR_NOMEM;
	return strvec_push(&m->refs, ref + 1);
}

static int choose_remote_refs(struct moving *m)
{
	struct buf out = BUF_INIT;
	struct strmap found = STRMAP_INIT;
	char *save = NULL, *line;
	int rc = git_run(&m->a->ctx->repo, NULL, 0, &out, "ls-remote", "--", m->remote, REFS "*",
		(char *)NULL);

	for (line = rc == 0 && out.len ? strtok_r(out.p, "\n", &save) : NULL; rc == 0 && line;
		line = strtok_r(NULL, "\n", &save))
		rc = take_remote(m, line, &found);
	for (int i = 0; rc == 0 && i < m->n; i++)
		if (!strmap_has(&found, m->names[i]))
			rc = err_set(
				ERR_NOTFOUND, "no experiment '%s' at '%s'", m->names[i], m->remote);
	strmap_release(&found, NULL);
	buf_release(&out);
	return rc;
}

int exp_pull(struct exp_args *a)
{
	struct moving m = {.a = a};
	int rc = choose_remote(&m, a);

	if (rc == 0)
		rc = choose_remote_refs(&m);
	if (rc == 0 && m.refs.n > 0)
		rc = move_refs(&m, "fetch");
	if (rc == 0)
		rc = move_data(&m, BATCH_DOWNLOAD);
	if (rc == 0)
		report(&m, "Pulled");
	strvec_release(&m.refs);
	return rc;
}
