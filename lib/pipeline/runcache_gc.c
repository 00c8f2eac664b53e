/*
 * What `git dvx gc` has to know of pipelines: which objects the worktrees' dvx.lock files name
 * besides Git's pointers (listings of directories, metrics that Git keeps itself), and which
 * entries of the run cache have lost theirs.
 */
#include "lib/pipeline/runcache_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/pipeline/listing.h"
#include "lib/repo/source.h"

/* ---- what is needed ---- */

struct keeping {
	struct store *store;
	int (*fn)(const struct oid *oid, uint64_t size, const char *path, void *data);
	void *data;
	const char *path;
};

static int keep(const struct keeping *k, const struct oid *oid)
{
	uint64_t size;

	return store_find_size(k->store, oid, &size) ? k->fn(oid, size, k->path, k->data) : 0;
}

static int keep_listed(const struct listing_file *e, void *data)
{
	return keep(data, &e->oid);
}

static int keep_path(struct keeping *k, const struct locked_path *p)
{
	struct buf listing = BUF_INIT;
	uint64_t size;
	int rc;

	k->path = p->path;
	rc = keep(k, &p->fp.oid);
	if (rc == 0 && p->fp.type == FP_DIR && store_find_size(k->store, &p->fp.oid, &size) &&
		store_read(k->store, &p->fp.oid, size, &listing) == 0)
		rc = listing_parse(listing.p, listing.len, keep_listed, k);
	buf_release(&listing);
	return rc == ERR_CORRUPT ? 0 : rc;
}

static int keep_stage(const struct locked_stage *s, void *data)
{
	struct keeping *k = data;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n_outs; i++)
		rc = keep_path(k, &s->outs[i]);
	for (size_t i = 0; rc == 0 && i < s->n_deps; i++) {
		k->path = s->deps[i].path;
		if (s->deps[i].fp.type == FP_DIR)
			rc = keep(k, &s->deps[i].fp.oid);
	}
	return rc;
}

/* What the dvx.lock files of one worktree name. */
static int keep_worktree(const struct repo *repo, struct keeping *k)
{
	static const char *const names[] = {"dvx.lock", NULL};
	struct strvec files = STRVEC_INIT;
	struct source *src = NULL;
	int rc;

	if (!repo->dir->worktree)
		return 0;
	rc = source_worktree(&src, repo, k->store);
	if (rc == 0)
		rc = source_find(src, names, &files);
	for (size_t i = 0; rc == 0 && i < files.n; i++) {
		struct stagelock *lock = NULL;

		rc = stagelock_load(&lock, src, files.v[i]);
		if (rc == 0)
			rc = stagelock_each(lock, keep_stage, k);
		else if (rc == ERR_INVALID) { /* nothing can be put back by it */
			err_clear();
			rc = 0;
		}
		stagelock_free(lock);
	}
	strvec_release(&files);
	source_free(src);
	return rc;
}

/* Another worktree: `git_dir` is its Git directory, `dot_git` the path of its ".git". */
static int keep_other(
	const struct repo *repo, struct keeping *k, const char *git_dir, const char *dot_git)
{
	struct gitdir g = *repo->dir;
	const struct repo view = {.dir = &g, .config = repo->config, .hash_len = repo->hash_len};
	struct buf top = BUF_INIT, own = BUF_INIT;
	int rc = buf_addstr(&own, git_dir);

	if (rc == 0)
		rc = fs_dirname(&top, dot_git);
	if (rc == 0 && strcmp(git_dir, repo->dir->git_dir) != 0 && fs_exists(dot_git)) {
		g.worktree = top.p;
		g.git_dir = own.p;
		rc = keep_worktree(&view, k);
	}
	buf_release(&top);
	buf_release(&own);
	return rc;
}

static int keep_linked(const struct repo *repo, struct keeping *k)
{
	struct buf dir = BUF_INIT, file = BUF_INIT, dot_git = BUF_INIT;
	struct dirent *e;
	DIR *d = NULL;
	int rc = buf_addf(&dir, "%s/worktrees", repo->dir->common_dir);

	if (rc == 0)
		d = opendir(dir.p);
	while (d && rc == 0 && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		buf_reset(&file);
		buf_reset(&dot_git);
		buf_truncate(&dir, strlen(repo->dir->common_dir) + strlen("/worktrees"));
		rc = buf_addf(&dir, "/%s", e->d_name);
		if (rc == 0)
			rc = buf_addf(&file, "%s/gitdir", dir.p);
		if (rc < 0 || buf_read_file(&dot_git, file.p) < 0)
			continue; /* Git does not know of it, either */
		while (dot_git.len && dot_git.p[dot_git.len - 1] == '\n')
			buf_truncate(&dot_git, dot_git.len - 1);
		rc = keep_other(repo, k, dir.p, buf_str(&dot_git));
	}
	if (d)
		closedir(d);
	buf_release(&dir);
	buf_release(&file);
	buf_release(&dot_git);
	return rc;
}

int runcache_each_locked(const struct repo *repo, struct store *s,
	int (*fn)(const struct oid *oid, uint64_t size, const char *path, void *data), void *data)
{
	struct keeping k = {.store = s, .fn = fn, .data = data};
	const char *common = repo->dir->common_dir, *name = strrchr(common, '/');
	int rc = keep_worktree(repo, &k);

	if (rc == 0 && name && strcmp(name, "/.git") == 0)
		rc = keep_other(repo, &k, common, common);
	return rc == 0 ? keep_linked(repo, &k) : rc;
}

/* ---- entries ---- */

struct clearing {
	const struct repo *repo;
	struct store *store;
	int64_t older_than;
	size_t removed;
};

/* The entry, and its directories when they are empty now. */
static int remove_entry(struct clearing *c, const struct runcache_name *name)
{
	struct buf path = BUF_INIT;
	int rc = runcache_path(&path, c->repo, name);

	if (rc == 0 && unlink(path.p) == 0) {
		c->removed++;
		for (int i = 0; i < 2; i++) {
			*strrchr(path.p, '/') = '\0';
			if (rmdir(path.p) < 0)
				break;
		}
	}
	buf_release(&path);
	return rc;
}

static int clear_entry(const struct runcache_name *name, int64_t mtime, void *data)
{
	struct clearing *c = data;
	struct runcache_objects objects = {.n = 0};
	const struct locked_stage *entry;
	struct stagelock *lock = NULL;
	struct buf text = BUF_INIT;
	int rc, whole;

	if (mtime >= c->older_than)
		return 0;
	rc = runcache_read(c->repo, name, &text);
	if (rc == 0)
		rc = runcache_parse(&lock, &entry, name, text.p, text.len);
	whole = rc == 0 ? runcache_objects_of(&objects, c->store, entry) : 0;
	if (rc == ERR_NOMEM || whole < 0)
		rc = ERR_NOMEM;
	else
		rc = whole ? 0 : remove_entry(c, name);
	runcache_objects_release(&objects);
	stagelock_free(lock);
	buf_release(&text);
	return rc;
}

/* Copies of bundles can be fetched again. */
static int clear_copies(const struct clearing *c)
{
	struct buf path = BUF_INIT;
	struct dirent *e;
	struct stat st;
	DIR *dir = NULL;
	int rc = runcache_dir(&path, c->repo);

	if (rc == 0)
		dir = opendir(path.p);
	while (dir && (e = readdir(dir))) {
		const char *dot = strrchr(e->d_name, '.');

		if (dot && strcmp(dot, ".runs") == 0 &&
			fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode) && fs_mtime_ns(&st) < c->older_than)
			unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return rc;
}

int runcache_gc(const struct repo *repo, struct store *s, int64_t older_than, size_t *removed)
{
	struct clearing c = {.repo = repo, .store = s, .older_than = older_than};
	int rc = runcache_each(repo, clear_entry, &c);

	if (rc == 0)
		rc = clear_copies(&c);
	*removed = c.removed;
	return rc;
}
