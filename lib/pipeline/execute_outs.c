/*
 * The outputs of a stage before and after its run: what becomes of the old ones, what the new ones
 * are, and where they come from when nothing has to run.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/fstree.h"
#include "lib/pipeline/execute_internal.h"
#include "lib/pipeline/runcache.h"
#include "lib/repo/git.h"

/* ---- before ---- */

/* What Git keeps nothing of: what lies behind a symbolic link or in a repository of its own.  It
 * may be anybody's, too. */
static int refuse_unreachable(const struct execution *x, const char *path)
{
	const char *top = x->c->repo->dir->worktree;
	struct buf full = BUF_INIT;
	struct stat st;
	int rc = 0;

	for (const char *p = path; rc == 0 && (p = strchr(p, '/')); p++) {
		buf_reset(&full);
		rc = buf_addf(&full, "%s/%.*s", top, (int)(p - path), path);
		if (rc == 0 && lstat(full.p, &st) == 0 && S_ISLNK(st.st_mode))
			rc = err_set(ERR_DENIED,
				"stage '%s' cannot have the output '%s': '%.*s' is a symbolic "
				"link, "
				"behind which Git keeps nothing; name the directory that it leads "
				"to",
				x->address.p, path, (int)(p - path), path);
		else if (rc == 0 && (rc = buf_addstr(&full, "/.git")) == 0 && fs_exists(full.p))
			rc = err_set(ERR_DENIED,
				"stage '%s' cannot have the output '%s': '%.*s' is a Git "
				"repository of "
				"its own, which the one around it keeps nothing of",
				x->address.p, path, (int)(p - path), path);
	}
	buf_release(&full);
	return rc;
}

static const struct fingerprint *find_fp(const struct locked_path *v, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].path, path) == 0)
			return &v[i].fp;
	return NULL;
}

/* Git has it as it is: tracked, unchanged, nothing untracked within.  1, 0, or an error. */
static int is_clean_in_git(const struct repo *repo, const char *path)
{
	struct buf spec = BUF_INIT, out = BUF_INIT;
	int rc = buf_addf(&spec, ":(top,literal)%s", path);

	if (rc == 0)
		rc = git_status_of(repo, NULL, 0, &out, "status", "--porcelain", "--ignored",
			"--untracked-files=all", "--", spec.p, (char *)NULL);
	if (rc >= 0)
		rc = rc == 0 && out.len == 0;
	buf_release(&spec);
	buf_release(&out);
	return rc;
}

/* A repository within an output has history that no fingerprint sees.  1, 0, or an error. */
static int has_repository(const struct execution *x, const char *path)
{
	struct buf full = BUF_INIT;
	int rc = fs_join(&full, x->c->repo->dir->worktree, path);

	if (rc == 0)
		rc = fstree_contains(full.p, ".git");
	buf_release(&full);
	return rc;
}

/* Would overwriting the output lose what only the user has?  1, 0, or an error. */
static int is_users_own(const struct execution *x, const char *path, const struct fingerprint *fp)
{
	const struct fingerprint *locked =
		x->entry ? find_fp(x->entry->outs, x->entry->n_outs, path) : NULL;
	int rc;

	if (fp->type == FP_DIR && (rc = has_repository(x, path)) != 0)
		return rc;
	if (fp->type == FP_ABSENT || (locked && fingerprint_eq(locked, fp)))
		return 0;
	rc = fingerprints_restore(x->c->fp, path, fp, 1);
	if (rc == 0)
		return 0;
	if (rc != ERR_NOTFOUND)
		return rc;
	rc = is_clean_in_git(x->c->repo, path);
	return rc < 0 ? rc : !rc;
}

int execute_set_aside(struct execution *x)
{
	const struct stage *s = x->s;
	const struct locked_stage *now = x->stale.now;
	struct claim_old *v = calloc(s->n_outs + 1, sizeof *v);
	struct buf path = BUF_INIT;
	int rc = 0;

	if (!v)
		return err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc >= 0 && i < s->n_outs; i++) {
		const struct fingerprint *fp = find_fp(now->outs, now->n_outs, s->outs[i].path);

		v[i].path = s->outs[i].path;
		v[i].copy = s->outs[i].persist;
		x->had_outputs |= fp && fp->type != FP_ABSENT;
		if ((rc = refuse_unreachable(x, v[i].path)) == 0 && fp && !v[i].copy &&
			(rc = is_users_own(x, v[i].path, fp)) > 0)
			v[i].keep = 1;
	}
	if (rc >= 0)
		rc = claim_set_aside(x->claim, v, s->n_outs);
	for (size_t i = 0; rc == 0 && i < s->n_outs; i++) {
		fingerprints_forget(x->c->fp, s->outs[i].path);
		buf_reset(&path);
		if ((rc = fs_join(&path, x->c->repo->dir->worktree, s->outs[i].path)) == 0)
			rc = fs_mkdirs_parent(path.p);
	}
	buf_release(&path);
	free(v);
	return rc;
}

/* ---- after ---- */

int execute_take_outs(const struct execution *x, struct locked_stage *now)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < now->n_outs; i++) {
		struct locked_path *out = &now->outs[i];

		fingerprints_forget(x->c->fp, out->path);
		if ((rc = refuse_unreachable(x, out->path)) == 0)
			rc = fingerprints_of(x->c->fp, out->path, &out->fp);
		if (rc == 0 && out->fp.type == FP_ABSENT)
			rc = err_set(ERR_NOTFOUND, "stage '%s' did not make its output '%s'",
				x->address.p, out->path);
		if (rc == 0 && !(x->o->flags & EXECUTE_NO_COMMIT))
			rc = fingerprints_store(x->c->fp, out->path, &out->fp);
	}
	return rc;
}

/* ---- instead ---- */

/* An output of Git's own that is what it should be: in a clone, the store has never seen it. */
static int is_right(const struct execution *x, const struct locked_path *out)
{
	struct fingerprint now;

	for (size_t i = 0; i < x->s->n_outs; i++) {
		if (!x->s->outs[i].cache && strcmp(x->s->outs[i].path, out->path) == 0)
			return fingerprints_of(x->c->fp, out->path, &now) == 0 &&
			       fingerprint_eq(&now, &out->fp);
	}
	return 0;
}

static int can_restore(const struct execution *x, const struct locked_path *outs, size_t n)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!is_right(x, &outs[i]))
			rc = fingerprints_restore(x->c->fp, outs[i].path, &outs[i].fp, 1);
	}
	return rc;
}

int execute_can_restore(const struct execution *x, const struct locked_path *outs, size_t n)
{
	struct runcache_transfer t = {.stop = x->o->stop};
	int rc = can_restore(x, outs, n);

	if (rc != ERR_NOTFOUND || !(x->o->flags & EXECUTE_PULL))
		return rc;
	rc = runcache_fetch_outputs(x->c->repo, x->c->fp, outs, n, &t);
	return rc == 0 ? can_restore(x, outs, n) : rc;
}

int execute_restore(const struct execution *x, const struct locked_path *outs, size_t n)
{
	struct claim_old *v = calloc(n + 1, sizeof *v);
	size_t n_own = 0;
	int rc = v ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct fingerprint fp;
		int own;

		rc = fingerprints_of(x->c->fp, outs[i].path, &fp);
		if (rc < 0 || fingerprint_eq(&fp, &outs[i].fp))
			continue;
		own = is_users_own(x, outs[i].path, &fp);
		if (own > 0)
			v[n_own++] = (struct claim_old){outs[i].path, 0, 1};
		else
			rc = own;
	}
	if (rc == 0)
		rc = claim_set_aside(x->claim, v, n_own);
	for (size_t i = 0; rc == 0 && i < n_own; i++)
		fingerprints_forget(x->c->fp, v[i].path);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = fingerprints_restore(x->c->fp, outs[i].path, &outs[i].fp, 0);
	free(v);
	return rc;
}

struct find {
	const struct execution *x;
	struct locked_stage *now;
};

static int take_run(const struct locked_stage *entry, void *data)
{
	const struct find *f = data;
	int rc;

	if (entry->n_outs != f->now->n_outs)
		return 0;
	for (size_t i = 0; i < entry->n_outs; i++)
		if (strcmp(entry->outs[i].path, f->now->outs[i].path) != 0)
			return 0;
	rc = execute_can_restore(f->x, entry->outs, entry->n_outs);
	if (rc < 0)
		return rc == ERR_NOTFOUND || rc == ERR_CORRUPT ? 0 : rc;
	for (size_t i = 0; i < entry->n_outs; i++)
		f->now->outs[i].fp = entry->outs[i].fp;
	node_free(f->now->environment);
	f->now->environment = NULL;
	if (entry->environment && !(f->now->environment = node_dup(entry->environment)))
		return err_set(ERR_NOMEM, "out of memory");
	return 1;
}

int execute_find_run(const struct execution *x, struct locked_stage *now)
{
	struct find f = {x, now};

	return runcache_find(x->c->repo, now, take_run, &f);
}
