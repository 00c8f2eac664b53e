/*
 * `repro --commit` and dvx.autostage: what a run changed goes into the index, and into a commit.
 *
 * The commit is to be whole - checked out elsewhere, `repro` finds nothing to do -, and must not
 * take anything along that the user did not ask for: so dependencies go with it where Git tracks
 * them, and unknown files are named, not added.
 */
#include "lib/pipeline/outtrack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathmatch.h"
#include "lib/repo/addlist.h"
#include "lib/repo/addrun.h"
#include "lib/repo/git.h"

void outtrack_added_release(struct outtrack_added *a)
{
	strvec_release(&a->untracked);
}

struct adding {
	const struct repo *repo;
	struct add_operand *v;
	size_t n, cap;
	size_t first_dep;    /* from here on, only what Git tracks */
	struct strvec typed; /* memory of patterns */
	struct add_list list;
};

/* ---- which paths ---- */

/* 1 if an operand has the path already. */
static int is_covered(const struct adding *a, const char *path)
{
	for (size_t i = 0; i < a->n; i++) {
		const char *have = a->v[i].path;

		if (have != NULL &&
			(a->v[i].is_dir ? pathmatch_within(path, have) : strcmp(path, have) == 0))
			return 1;
	}
	return 0;
}

static struct add_operand *new_operand(struct adding *a)
{
	if (array_room(&a->v, a->n, &a->cap, sizeof(*a->v)) < 0)
		return NULL;
	a->v[a->n] = (struct add_operand){0};
	return &a->v[a->n];
}

static int take_path(struct adding *a, const char *path)
{
	struct buf full = BUF_INIT;
	struct add_operand *o;
	struct stat st;
	int rc;

	if (path[0] == '/' || path[0] == '\0' || is_covered(a, path))
		return 0;
	rc = fs_join(&full, a->repo->dir->worktree, path);
	o = rc == 0 ? new_operand(a) : NULL;
	if (rc == 0 && o == NULL)
		rc = err_no_memory();
	if (rc == 0) {
		/* what is not there may have been a directory */
		o->is_dir = lstat(full.p, &st) < 0 || S_ISDIR(st.st_mode);
		o->path = strdup(path);
		o->typed = o->path;
		rc = o->path != NULL ? 0 : err_no_memory();
		a->n += o->path != NULL;
	}
	buf_release(&full);
	return rc;
}

static int take_pattern(struct adding *a, const char *pattern)
{
	struct add_operand *o;
	int rc;

	if (pattern[0] == '/')
		return 0;
	rc = strvec_pushf(&a->typed, ":(top,glob)%s", pattern);
	o = rc == 0 ? new_operand(a) : NULL;
	if (o == NULL)
		return rc < 0 ? rc : err_no_memory();
	o->typed = a->typed.v[a->typed.n - 1];
	a->n++;
	return 0;
}

/* Pointers without the attributes that name the filter are only text: each .gitattributes on the
 * way to an output goes with it. */
static int take_attributes(struct adding *a, const char *path)
{
	struct buf file = BUF_INIT, full = BUF_INIT;
	int rc = 0;

	for (const char *p = path; rc == 0 && p != NULL && path[0] != '/';) {
		buf_reset(&file);
		buf_reset(&full);
		rc = buf_addf(&file, "%.*s.gitattributes", (int)(p - path), path);
		if (rc == 0)
			rc = fs_join(&full, a->repo->dir->worktree, file.p);
		if (rc == 0 && fs_exists(full.p))
			rc = take_path(a, file.p);
		p = strchr(p, '/');
		p = p != NULL ? p + 1 : NULL;
	}
	buf_release(&file);
	buf_release(&full);
	return rc;
}

/* The lock file lies beside the stages' file. */
static int take_files_of(struct adding *a, const struct stage *s)
{
	const char *slash = strrchr(s->file, '/');
	struct buf lock = BUF_INIT;
	int rc = take_path(a, s->file);

	if (rc == 0)
		rc = buf_addf(&lock, "%.*sdvx.lock", slash != NULL ? (int)(slash + 1 - s->file) : 0,
			s->file);
	if (rc == 0)
		rc = take_path(a, lock.p);
	for (size_t i = 0; rc == 0 && i < s->n_outs; i++) {
		rc = take_path(a, s->outs[i].path);
		if (rc == 0 && s->outs[i].cache)
			rc = take_attributes(a, s->outs[i].path);
	}
	for (size_t i = 0; rc == 0 && i < s->n_params; i++)
		rc = take_path(a, s->params[i].file);
	buf_release(&lock);
	return rc;
}

static int take_all(struct adding *a, const struct outtrack_request *q)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < q->n; i++)
		rc = take_files_of(a, q->v[i]);
	for (size_t i = 0; rc == 0 && q->also != NULL && i < q->also->n; i++)
		rc = take_path(a, q->also->v[i]);
	a->first_dep = a->n;
	for (size_t i = 0; rc == 0 && i < q->n; i++)
		for (size_t k = 0; rc == 0 && k < q->v[i]->n_deps; k++)
			rc = q->v[i]->deps[k].glob ? take_pattern(a, q->v[i]->deps[k].path)
						   : take_path(a, q->v[i]->deps[k].path);
	return rc;
}

/* ---- staging ---- */

/* Each file's way: pointer, plain `git add`, or nothing.  An operand counts as found when Git will
 * know something of it. */
static int decide(struct adding *a, struct outtrack_added *out)
{
	int rc = 0;

	for (size_t i = 0; i < a->n; i++)
		a->v[i].found = 0;
	for (size_t i = 0; rc == 0 && i < a->list.n; i++) {
		struct add_file *f = &a->list.v[i];

		if (f->mode == 0 && f->operand >= a->v + a->first_dep) {
			f->kind = ADD_UNCHANGED;
			rc = strvec_push(&out->untracked, f->path);
			continue;
		}
		f->operand->found = 1;
		if (f->kind != ADD_TODO)
			continue;
		if (f->attrs.ours && add_file_trackable(f) && f->size > 0 &&
			f->size >= f->attrs.min_size) {
			f->kind = ADD_DATA;
		} else {
			f->kind = f->same ? ADD_UNCHANGED : ADD_PLAIN;
		}
	}
	return rc;
}

static int stage_all(
	struct adding *a, struct store *s, const volatile int *stop, struct outtrack_added *out)
{
	const struct add_options o = {.stop = stop};
	struct add_result r = {0};
	int rc = add_list_collect(&a->list, a->repo, a->v, a->n);

	if (rc == 0)
		rc = add_list_attrs(&a->list, a->repo, 0);
	if (rc == 0)
		rc = decide(a, out);
	return rc == 0 ? add_run(&a->list, a->repo, s, &o, &r) : rc;
}

/* ---- committing ---- */

static int pathspecs(struct buf *out, const struct adding *a)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->n; i++) {
		/* Git refuses a path that it does not know */
		if (!a->v[i].found)
			continue;
		rc = a->v[i].path != NULL ? buf_addf(out, ":(top,literal)%s", a->v[i].path)
					  : buf_addstr(out, a->v[i].typed);
		if (rc == 0)
			rc = buf_add(out, "", 1);
	}
	return rc;
}

/* 1 if the index differs from HEAD at these paths. */
static int has_changes(const struct repo *repo, const struct adding *a)
{
	struct run run = RUN_INIT;
	int rc;

	if (!git_has_head(repo))
		return 1;
	rc = git_prepare(
		&run, repo, "diff-index", "--cached", "--quiet", "HEAD", "--", (char *)NULL);
	for (size_t i = 0; rc == 0 && i < a->n; i++)
		if (a->v[i].found)
			rc = a->v[i].path != NULL
				     ? strvec_pushf(&run.argv, ":(top,literal)%s", a->v[i].path)
				     : strvec_push(&run.argv, a->v[i].typed);
	if (rc == 0)
		rc = run_capture(&run, NULL, 0, NULL);
	run_release(&run);
	return rc;
}

static int commit(const struct repo *repo, const struct adding *a, const struct outtrack_request *q)
{
	struct buf specs = BUF_INIT;
	int rc = pathspecs(&specs, a);

	if (rc == 0)
		rc = git_run(repo, buf_str(&specs), specs.len, NULL, "commit", "-m", q->message,
			"--only", q->quiet ? "--quiet" : "--no-quiet", "--pathspec-from-file=-",
			"--pathspec-file-nul", (char *)NULL);
	buf_release(&specs);
	return rc < 0 ? err_prefix(rc, "the results are staged, but not committed") : 0;
}

int outtrack_add(const struct repo *repo, struct store *s, const struct outtrack_request *q,
	struct outtrack_added *out)
{
	struct adding a = {.repo = repo, .list = ADD_LIST_INIT};
	int rc = take_all(&a, q);

	if (rc == 0)
		rc = stage_all(&a, s, q->stop, out);
	if (rc == 0 && q->message != NULL)
		rc = has_changes(repo, &a);
	if (rc > 0) {
		out->committed = 1;
		rc = commit(repo, &a, q);
	}
	add_list_release(&a.list);
	add_operands_release(a.v, a.n);
	free(a.v);
	strvec_release(&a.typed);
	return rc;
}
