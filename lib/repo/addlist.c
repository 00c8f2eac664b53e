/*
 * From operands to files: tracked ones come from the index, which we read ourselves; untracked ones
 * from `git ls-files`, which knows the ignore rules and walks the worktree while we are busy with
 * the index.
 */
#include "lib/repo/addlist.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathmatch.h"
#include "lib/base/strmap.h"
#include "lib/base/workers.h"
#include "lib/repo/git.h"
#include "lib/repo/pointers.h"
#include "lib/worktree/place.h"

void add_list_release(struct add_list *l)
{
	pathpool_free(&l->paths);
	free(l->v);
	*l = (struct add_list)ADD_LIST_INIT;
}

void add_operands_release(struct add_operand *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(v[i].path);
}

int add_operand_parse(struct add_operand *out, const struct repo *repo, const char *typed)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc;

	memset(out, 0, sizeof *out);
	out->typed = typed;
	if (lstat(typed, &st) < 0 && (typed[0] == ':' || strpbrk(typed, "*?[")))
		return 0;
	if ((rc = repo_path(&path, repo, typed)) < 0)
		goto done;
	if (path.len && !place_path_ok(path.p)) {
		rc = err_set(ERR_INVALID, "'%s' cannot be added", typed);
		goto done;
	}
	/* What is not there may have been a directory. */
	out->is_dir = lstat(typed, &st) < 0 || S_ISDIR(st.st_mode);
	if (!(out->path = buf_detach(&path)))
		rc = err_set(ERR_NOMEM, "out of memory");
done:
	buf_release(&path);
	return rc;
}

int add_file_trackable(const struct add_file *f)
{
	const char *slash = strrchr(f->path, '/');

	return f->regular && strncmp(slash ? slash + 1 : f->path, ".git", 4) != 0 &&
	       strcmp(f->path, ".dvxconfig") != 0 && strcmp(f->path, ".lfsconfig") != 0;
}

/* ---- collecting ---- */

struct collect {
	struct add_list *list;
	const struct repo *repo;
	struct add_operand *operands;
	size_t n;
	struct strmap exact; /* path -> operand */
	uint32_t index_time;
};

/* The operand that a path belongs to, or NULL. */
static struct add_operand *operand_of(const struct collect *c, const char *path)
{
	struct add_operand *o = strmap_get(&c->exact, path);

	for (size_t i = 0; !o && i < c->n; i++)
		if (c->operands[i].is_dir && pathmatch_within(path, c->operands[i].path))
			o = &c->operands[i];
	return o;
}

static struct add_file *push(
	struct add_list *l, const char *path, size_t len, struct add_operand *o)
{
	if (array_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return NULL;
	memset(&l->v[l->n], 0, sizeof *l->v);
	if (!(l->v[l->n].path = pathpool_keep(&l->paths, path, len)))
		return NULL;
	l->v[l->n].operand = o;
	o->found = 1;
	return &l->v[l->n++];
}

static int add_entry(const struct gitindex_entry *e, void *data)
{
	struct collect *c = data;
	struct add_operand *o = operand_of(c, e->path);
	struct add_list *l = c->list;
	struct add_file *f;

	if (!o || (e->mode & S_IFMT) == S_IFDIR)
		return 0;
	if (e->stage && l->n && !strcmp(l->v[l->n - 1].path, e->path))
		return 0; /* another side of the same conflict */
	if (!(f = push(l, e->path, e->path_len, o)))
		return err_set(ERR_NOMEM, "out of memory");
	f->mode = e->stage ? 0 : e->mode;
	f->kind = ADD_GONE; /* until the file is seen */
	memcpy(f->index_blob, e->id, (size_t)c->repo->hash_len);
	f->st = e->st;
	f->same = !e->stage && !e->intent_to_add && S_ISREG(e->mode);
	f->racy = c->index_time && e->st.mtime_sec >= c->index_time;
	f->keep_out = e->skip_worktree || e->assume_valid;
	return 0;
}

/* Start "git ls-files" with these flags for all operands that have a path, or for one pattern. */
static int start_ls_files(struct git_reader **out, const struct collect *c, const char *flag,
	const struct add_operand *pattern)
{
	const struct gitdir *g = c->repo->dir;
	struct run run = RUN_INIT;
	struct buf dir = BUF_INIT;
	size_t i;
	int rc, any = pattern != NULL;

	rc = git_prepare(&run, c->repo, "ls-files", "-z", flag, "--exclude-standard", "--full-name",
		"--", (char *)NULL);
	/* patterns are relative to where the user is - in this worktree, which may be another than
	 * that of the current directory */
	if (rc == 0 && g->prefix)
		rc = fs_join(&dir, g->worktree, g->prefix);
	if (rc == 0 && g->prefix)
		run.dir = dir.p;
	if (rc == 0 && pattern)
		rc = strvec_push(&run.argv, pattern->typed);
	for (i = 0; rc == 0 && !pattern && i < c->n; i++) {
		if (!c->operands[i].path)
			continue;
		any = 1;
		rc = *c->operands[i].path
			     ? strvec_pushf(&run.argv, ":(top,literal)%s", c->operands[i].path)
			     : strvec_push(&run.argv, ":(top)");
	}
	if (rc == 0 && any)
		rc = git_reader_start(out, &run, NULL);
	buf_release(&dir);
	run_release(&run);
	return rc;
}

/* Take the untracked files that `r` (NULL: none) lists. */
static int read_untracked(struct collect *c, struct git_reader *r, struct add_operand *pattern)
{
	struct add_operand *o;
	char *path;
	size_t len;
	int rc = 0;

	while (r && (rc = git_reader_next(r, '\0', &path, &len)) > 0) {
		/* "sub/": a repository inside this one. */
		if (len && path[len - 1] == '/')
			path[--len] = '\0';
		o = pattern ? pattern : operand_of(c, path);
		if (o && !push(c->list, path, len, o))
			return err_set(ERR_NOMEM, "out of memory");
	}
	return rc;
}

/* Files of the index that patterns name, and the exact paths of other operands. */
static int fill_exact(struct collect *c)
{
	struct git_reader *r;
	char *path;
	size_t i, len;
	int rc = 0, end;

	for (i = 0; i < c->n && rc == 0; i++) {
		if (c->operands[i].path) {
			if (!c->operands[i].is_dir)
				rc = strmap_put(&c->exact, c->operands[i].path, &c->operands[i]);
			continue;
		}
		r = NULL;
		rc = start_ls_files(&r, c, "-c", &c->operands[i]);
		while (rc == 0 && (rc = git_reader_next(r, '\0', &path, &len)) > 0)
			rc = strmap_put(&c->exact, path, &c->operands[i]);
		end = git_reader_finish(r);
		rc = rc ? rc : end;
	}
	return rc;
}

static int collect_patterns(struct collect *c)
{
	struct git_reader *r;
	size_t i;
	int rc = 0, end;

	for (i = 0; i < c->n && rc == 0; i++) {
		if (c->operands[i].path)
			continue;
		r = NULL;
		rc = start_ls_files(&r, c, "-o", &c->operands[i]);
		if (rc == 0)
			rc = read_untracked(c, r, &c->operands[i]);
		end = git_reader_finish(r);
		rc = rc ? rc : end;
	}
	return rc;
}

static int cmp_path(const void *a, const void *b)
{
	const struct add_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Sorted, each path once. */
static void tidy(struct add_list *l)
{
	size_t i, n = 0;

	/* The index is sorted: without untracked files there is nothing to do. */
	for (i = 1; i < l->n && strcmp(l->v[i - 1].path, l->v[i].path) < 0; i++)
		;
	if (i >= l->n)
		return;
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, cmp_path);
	for (i = 0; i < l->n; i++)
		if (!n || strcmp(l->v[n - 1].path, l->v[i].path) != 0)
			l->v[n++] = l->v[i];
	l->n = n;
}

static int collect_paths(struct collect *c)
{
	struct gitindex *x = NULL;
	struct git_reader *untracked = NULL;
	int rc, end;

	if ((rc = start_ls_files(&untracked, c, "-o", NULL)) < 0 || (rc = fill_exact(c)) < 0 ||
		(rc = gitindex_read(&x, c->repo->dir->index, c->repo->hash_len)) < 0)
		goto done;
	c->index_time = gitindex_timestamp(x);
	if ((rc = gitindex_each(x, add_entry, c)) < 0 ||
		(rc = read_untracked(c, untracked, NULL)) < 0)
		goto done;
	rc = collect_patterns(c);
	tidy(c->list);
done:
	end = git_reader_finish(untracked);
	gitindex_free(x);
	return rc ? rc : end;
}

/* ---- looking at the files ---- */

struct stat_job {
	struct add_list *list;
	int worktree_fd;
};

enum { STAT_BATCH = 256 };

/* 1 if a symbolic link is on the way to path[0..len): then Git takes the file for deleted. */
static int through_link(int dir, const char *path, size_t len)
{
	char prefix[PATH_MAX];
	struct stat st;
	size_t i;

	for (i = 0; i <= len && i < sizeof prefix; i++) {
		prefix[i] = '\0';
		if (i == len || path[i] == '/')
			if (fstatat(dir, prefix, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
				S_ISLNK(st.st_mode))
				return 1;
		prefix[i] = path[i];
	}
	return 0;
}

/* The directory of the file before, and whether a link is on the way to it. */
struct seen_dir {
	const char *path;
	size_t len;
	int link;
};

static int behind_link(struct seen_dir *seen, int dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!len)
		return 0;
	if (!seen->path || len != seen->len || memcmp(seen->path, path, len) != 0)
		*seen = (struct seen_dir){path, len, through_link(dir, path, len)};
	return seen->link;
}

static int stat_one(struct add_file *f, int dir, int trust_mode, struct seen_dir *seen)
{
	struct stat st;
	int gone;

	if (f->keep_out) {
		f->kind = ADD_UNCHANGED;
		return 0;
	}
	gone = behind_link(seen, dir, f->path);
	if (!gone && fstatat(dir, f->path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return err_sys("cannot stat '%s'", f->path);
		gone = 1;
	}
	if (gone) {
		if (f->kind == ADD_TODO) /* listed a moment ago, and gone now */
			f->kind = ADD_UNCHANGED;
		return 0;
	}
	f->kind = ADD_TODO;
	f->regular = S_ISREG(st.st_mode);
	f->executable = (st.st_mode & S_IXUSR) != 0;
	f->size = (uint64_t)st.st_size;
	f->same = f->same && f->regular && gitindex_stat_match(&f->st, &st) &&
		  (!trust_mode || f->executable == ((f->mode & S_IXUSR) != 0));
	f->racy = f->racy && f->same;
	f->same = f->same && !f->racy;
	gitindex_stat_fill(&f->st, &st);
	return 0;
}

static int stat_batch(size_t i, void *data)
{
	struct stat_job *j = data;
	struct seen_dir seen = {NULL, 0, 0};
	size_t k, end = (i + 1) * STAT_BATCH;

	int rc = 0;

	for (k = i * STAT_BATCH; rc == 0 && k < end && k < j->list->n; k++)
		rc = stat_one(&j->list->v[k], j->worktree_fd, j->list->trust_mode, &seen);
	return rc;
}

static int stat_all(struct add_list *l, const struct repo *repo)
{
	struct stat_job j = {l, open(repo->dir->worktree, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	int rc;

	if (j.worktree_fd < 0)
		return err_sys("cannot open '%s'", repo->dir->worktree);
	rc = workers_run(0, (l->n + STAT_BATCH - 1) / STAT_BATCH, stat_batch, &j);
	close(j.worktree_fd);
	return rc;
}

/* Which of the index's entries are pointers; those that did not change are done. */
static int settle_unchanged(struct add_list *l, const struct repo *repo)
{
	struct pointers_query *q = calloc(l->n ? l->n : 1, sizeof *q);
	struct pointers *p = NULL;
	size_t i;
	int rc;

	if (!q)
		return err_set(ERR_NOMEM, "out of memory");
	for (i = 0; i < l->n; i++) {
		if (S_ISREG(l->v[i].mode))
			memcpy(q[i].blob, l->v[i].index_blob, sizeof q[i].blob);
		else
			q[i].state = POINTERS_NO;
	}
	if ((rc = pointers_open(&p, repo)) < 0 || (rc = pointers_resolve(p, q, l->n)) < 0)
		goto done;
	for (i = 0; i < l->n; i++) {
		l->v[i].is_pointer = pointers_is_pointer(&q[i]);
		if (l->v[i].kind == ADD_TODO && l->v[i].same && l->v[i].is_pointer)
			l->v[i].kind = ADD_UNCHANGED;
	}
done:
	pointers_close(p);
	free(q);
	return rc;
}

int add_list_collect(
	struct add_list *l, const struct repo *repo, struct add_operand *operands, size_t n)
{
	struct collect c = {l, repo, operands, n, STRMAP_INIT, 0};
	int rc;

	l->trust_mode = config_bool(repo->config, "core.filemode", 1);
	if ((rc = collect_paths(&c)) == 0 && (rc = stat_all(l, repo)) == 0)
		rc = settle_unchanged(l, repo);
	strmap_release(&c.exact, NULL);
	return rc;
}

int add_list_attrs(struct add_list *l, const struct repo *repo, int sample)
{
	const struct add_operand *last = NULL;
	const char **paths = calloc(l->n ? l->n : 1, sizeof *paths);
	struct attrs *attrs = calloc(l->n ? l->n : 1, sizeof *attrs);
	size_t i, n = 0;
	int rc;

	if (!paths || !attrs) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	for (i = 0; i < l->n; i++) {
		l->v[i].asked =
			l->v[i].kind == ADD_TODO &&
			(!sample || (l->v[i].operand != last && add_file_trackable(&l->v[i])));
		if (!l->v[i].asked)
			continue;
		last = l->v[i].operand;
		paths[n++] = l->v[i].path;
	}
	if ((rc = attrs_check(repo, paths, n, attrs)) < 0)
		goto done;
	for (i = 0, n = 0; i < l->n; i++)
		if (l->v[i].asked)
			l->v[i].attrs = attrs[n++];
done:
	free(paths);
	free(attrs);
	return rc;
}
