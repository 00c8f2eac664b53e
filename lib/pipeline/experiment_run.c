/*
 * Running an experiment: a worktree of its starting commit, this program's `repro` in it, and what
 * came out as a commit upon the base.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/fstree.h"
#include "lib/base/guard.h"
#include "lib/base/run.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/pipeline/outtrack.h"
#include "lib/repo/git.h"

enum { POLL_MS = 100, PIECE = 64 * 1024 };

struct running {
	const struct repo *repo;
	struct store *store;
	const struct experiment *e;
	const struct experiment_output *out;
	const volatile int *stop;
	struct exp_work work;
	char commit[REPO_HEX_MAX + 1], base[REPO_HEX_MAX + 1];
};

static int is_stopped(const struct running *x)
{
	return x->stop && *x->stop;
}

/* ---- the stages ---- */

/* Paths that Git does not have and that the user wants there. */
static int copy_paths(struct running *x)
{
	const struct strvec *paths = &x->e->recipe.copies;
	struct buf from = BUF_INIT, to = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < paths->n; i++) {
		buf_reset(&from);
		buf_reset(&to);
		rc = buf_addf(&from, "%s/%s", x->repo->dir->worktree, paths->v[i]);
		if (rc == 0)
			rc = buf_addf(&to, "%s/%s", x->work.dir.p, paths->v[i]);
		if (rc == 0)
			rc = fstree_remove(to.p);
		if (rc == 0)
			rc = fs_mkdirs_parent(to.p);
		if (rc == 0)
			rc = fstree_copy(from.p, to.p);
	}
	buf_release(&from);
	buf_release(&to);
	return rc;
}

/* `repro` of this very program, as the user would type it there. */
static int prepare(struct run *r, struct running *x, struct buf *dir)
{
	/* what describes the user's repository would lead there */
	static const char *const unset[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",
		"GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"};
	static const char *const names[] = {"DVX_EXP_NAME", "DVC_EXP_NAME"};
	static const char *const bases[] = {"DVX_EXP_BASELINE_REV", "DVC_EXP_BASELINE_REV"};
	const struct experiment_recipe *recipe = &x->e->recipe;
	struct buf self = BUF_INIT;
	int rc = run_resolve_sibling(&self, "git-dvx");

	if (rc == 0)
		rc = strvec_pushl(&r->argv, self.p, "repro", (char *)NULL);
	if (rc == 0 && recipe->force)
		rc = strvec_push(&r->argv, "--force");
	if (rc == 0)
		rc = strvec_push(&r->argv, "--");
	for (size_t i = 0; rc == 0 && i < recipe->targets.n; i++)
		rc = strvec_push(&r->argv, recipe->targets.v[i]);
	for (size_t i = 0; rc == 0 && i < sizeof(unset) / sizeof(unset[0]); i++)
		rc = strvec_push(&r->env, unset[i]);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		rc = strvec_pushf(&r->env, "%s=%s", names[i], x->e->name);
		if (rc == 0)
			rc = strvec_pushf(&r->env, "%s=%s", bases[i], x->base);
	}
	if (rc == 0)
		rc = buf_addf(dir, "%s/%s", x->work.dir.p, recipe->dir);
	if (rc == 0)
		rc = fs_mkdirs(dir->p);
	r->dir = dir->p;
	r->in = RUN_NULL;
	r->out = RUN_PIPE;
	r->err = RUN_TO_STDOUT;
	r->keep_fd = x->work.log; /* the lock lives as long as the stages */
	buf_release(&self);
	return rc;
}

/* What it prints goes to the log and to the user.  1 while there may be more. */
static int pass_on(struct running *x, int fd)
{
	char bytes[PIECE];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	int rc;

	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	rc = fs_write_full(x->work.log, bytes, (size_t)n);
	if (rc < 0)
		return err_prefix(rc, "log of experiment '%s'", x->e->name);
	if (x->out && x->out->write)
		x->out->write(x->e->name, bytes, (size_t)n, x->out->data);
	return 1;
}

/* Read to the end; a process that outlives the stages and holds the pipe is not waited for. */
static int follow(struct running *x, struct run *r)
{
	int told = 0, rc = 1;

	while (rc > 0) {
		struct pollfd p = {r->out_fd, POLLIN, 0};
		int n = poll(&p, 1, POLL_MS);

		if (is_stopped(x) && !told) {
			kill(r->pid, SIGTERM);
			told = 1;
		}
		if (n > 0)
			rc = pass_on(x, r->out_fd);
		else if (n == 0 && run_ended(r))
			rc = 0;
	}
	if (rc < 0)
		kill(r->pid, SIGTERM);
	return rc;
}

/* The exit status of repro, or a negative error. */
static int run_stages(struct running *x)
{
	struct run r = RUN_INIT;
	struct guard guard = GUARD_INIT;
	struct buf dir = BUF_INIT;
	int status, rc = prepare(&r, x, &dir);

	if (rc == 0)
		rc = guard_start(&guard, 0, 0);
	if (rc == 0)
		rc = run_start(&r);
	if (rc == 0) {
		guard_watch(&guard, r.pid);
		rc = follow(x, &r);
		guard_watch(&guard, 0);
		status = run_finish(&r);
		rc = rc < 0 ? rc : status;
	}
	guard_end(&guard);
	run_release(&r);
	buf_release(&dir);
	return rc;
}

/* ---- the result ---- */

/* Stage the outputs and whatever else the stages changed of what Git knows. */
static int stage_result(struct running *x)
{
	const struct repo *there = &x->work.repo;
	struct outtrack_request request = {.stop = x->stop};
	struct outtrack_added added = {0};
	struct source *src = NULL;
	struct pipeline *p = NULL;
	struct buf ignored = BUF_INIT;
	int rc = source_worktree(&src, there, x->store);

	if (rc == 0)
		rc = pipeline_load(&p, src, NULL);
	if (rc == 0) {
		request.v = (const struct stage *const *)p->v;
		request.n = p->n;
		rc = exp_index_add_pipeline(there, NULL);
	}
	if (rc == 0)
		rc = outtrack_add(there, x->store, &request, &added);
	if (rc == 0)
		rc = git_run(there, NULL, 0, &ignored, "add", "--update", "--", ":/", (char *)NULL);
	outtrack_added_release(&added);
	pipeline_free(p);
	source_free(src);
	buf_release(&ignored);
	return rc;
}

/* Results of the same name, which -f replaces. */
static int delete_replaced(struct running *x, struct buf *input, const char *own)
{
	struct experiment_list l = {0};
	int rc = x->e->recipe.force ? experiment_list_load(&l, x->repo) : 0;

	for (size_t i = 0; rc == 0 && i < l.n; i++)
		if (l.v[i].state == EXPERIMENT_DONE && strcmp(l.v[i].name, x->e->name) == 0 &&
			strcmp(l.v[i].ref, own) != 0)
			rc = buf_addf(input, "delete %s\n", l.v[i].ref);
	experiment_list_release(&l);
	return rc;
}

/* One transaction: whoever looks finds the experiment in one place or the other. */
static int move_ref(struct running *x, const char *prefix, const char *commit, int is_result)
{
	struct buf input = BUF_INIT, own = BUF_INIT;
	int rc = buf_addf(&own, "%s%s/%s", prefix, x->base, x->e->name);

	if (rc == 0)
		rc = buf_addf(&input, "delete %s %s\nupdate %s %s\n", x->e->ref, x->commit, own.p,
			commit);
	if (rc == 0 && is_result)
		rc = delete_replaced(x, &input, own.p);
	if (rc == 0)
		rc = exp_git_whole(x->repo, x->work.log, input.p, input.len, "update-ref",
			"--stdin", (char *)NULL);
	buf_release(&input);
	buf_release(&own);
	return rc;
}

static int keep_result(struct running *x)
{
	struct buf tree = BUF_INIT, commit = BUF_INIT, message = BUF_INIT;
	const char *body;
	int rc = stage_result(x);

	if (rc == 0)
		rc = exp_index_tree(&tree, &x->work.repo, NULL);
	if (rc == 0)
		rc = git_run(
			x->repo, NULL, 0, &message, "cat-file", "commit", x->commit, (char *)NULL);
	body = rc == 0 ? strstr(buf_str(&message), "\n\n") : NULL;
	if (rc == 0 && !body)
		rc = err_set(ERR_CORRUPT, "commit %s has no message", x->commit);
	if (rc == 0) {
		buf_consume(&message, (size_t)(body + 2 - message.p));
		rc = exp_commit(&commit, x->repo, x->store, tree.p, x->base, &message);
	}
	if (rc == 0)
		rc = move_ref(x, EXP_REFS_DONE, commit.p, 1);
	buf_release(&tree);
	buf_release(&commit);
	buf_release(&message);
	return rc < 0 ? err_prefix(rc, "experiment '%s'", x->e->name) : 0;
}

/* ---- the whole ---- */

/* With the lock: is it in the queue still? */
static int check_queued(struct running *x)
{
	uint8_t now[REPO_ID_MAX];
	int rc = git_resolve(x->repo, x->e->ref, now);

	if (rc == ERR_NOTFOUND ||
		(rc == 0 && memcmp(now, x->e->commit, (size_t)x->repo->hash_len) != 0))
		rc = err_set(
			ERR_NOTFOUND, "experiment '%s' is not in the queue any more", x->e->name);
	return rc;
}

int experiment_run(const struct repo *repo, struct store *s, const struct experiment *e,
	const struct experiment_output *out, const volatile int *stop)
{
	struct running x = {
		.repo = repo, .store = s, .e = e, .out = out, .stop = stop, .work = EXP_WORK_INIT};
	int rc = exp_work_lock(&x.work, repo, e->name);

	repo_id_hex(x.commit, repo, e->commit);
	repo_id_hex(x.base, repo, e->base);
	if (rc == 0)
		rc = check_queued(&x);
	if (rc == 0 && ftruncate(x.work.log, 0) < 0)
		rc = err_sys("cannot begin the log of experiment '%s'", e->name);
	if (rc == 0)
		rc = exp_work_checkout(&x.work, repo, e->name, x.commit);
	if (rc == 0)
		rc = copy_paths(&x);
	if (rc == 0)
		rc = is_stopped(&x) ? ERR_INTERRUPTED : run_stages(&x);
	if (rc >= 0 && is_stopped(&x))
		rc = ERR_INTERRUPTED;
	if (rc == 0) {
		rc = keep_result(&x);
		rc = rc == 0 ? 1 : rc;
	} else if (rc > 0) {
		rc = move_ref(&x, EXP_REFS_FAILED, x.commit, 0);
	}
	exp_work_end(&x.work, repo);
	return rc == ERR_INTERRUPTED ? err_set(rc, "interrupted") : rc;
}
