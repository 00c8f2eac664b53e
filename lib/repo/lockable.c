/*
 * Modes of lockable files.  Which files: attributes (Git is asked), our own locks (lockcache,
 * and what Git LFS noted).  How
 * they change: under index.lock, because a change of mode is a change of ctime, and an entry that
 * was right before has to be right afterwards - else the next `git status` would run the clean
 * filter on every lockable file.  An entry that was stale stays stale.
 */
#include "lib/repo/lockable.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/strmap.h"
#include "lib/repo/attrs.h"
#include "lib/repo/git.h"
#include "lib/repo/lfs_lockcache.h"
#include "lib/repo/lockcache.h"
#include "lib/base/gitvalue.h"
#include "lib/worktree/gitindex.h"
#include "lib/worktree/place.h"

enum { LOCK_WAIT_MS = 1000, ATTRIBUTES_MAX = 16 << 20 };

/* ---- is any of this in use? ---- */

int lockable_enabled(const struct repo *repo)
{
	return gitvalue_lfs_env("GIT_LFS_SET_LOCKABLE_READONLY", 1) &&
	       config_bool(repo->config, "lfs.setlockablereadonly", 1);
}

/* 1 if the file is there and has the word. */
static int file_mentions(const char *directory, const char *name)
{
	struct buf path = BUF_INIT, text = {.max = ATTRIBUTES_MAX};
	int found = directory && fs_join(&path, directory, name) == 0 &&
		    buf_read_file(&text, path.p) == 0 && strstr(buf_str(&text), "lockable");

	err_clear(); /* Git does not miss what cannot be read */
	buf_release(&path);
	buf_release(&text);
	return found;
}

/* The user's own file of attributes. */
static int user_mentions(const struct repo *repo)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *named = config_get_own(repo->config, "core.attributesfile");

	if (named && strncmp(named, "~/", 2) == 0)
		return file_mentions(home, named + 2);
	if (named)
		return file_mentions("/", named);
	return xdg && *xdg ? file_mentions(xdg, "git/attributes")
			   : file_mentions(home, ".config/git/attributes");
}

static int entry_mentions(const struct gitindex_entry *e, void *data)
{
	static const char name[] = ".gitattributes";
	const size_t len = sizeof(name) - 1;
	const struct repo *repo = data;

	if (e->path_len < len || strcmp(e->path + e->path_len - len, name) != 0 ||
		(e->path_len > len && e->path[e->path_len - len - 1] != '/'))
		return 0;
	return file_mentions(repo->dir->worktree, e->path);
}

/* Hooks ask this after every commit: no process is started for it. */
int lockable_any(const struct repo *repo)
{
	struct gitindex *index = NULL;
	int rc;

	if (!repo->dir->worktree || !lockable_enabled(repo))
		return 0;
	/* `git dvx track` may have just made the top one, so that it is not tracked. */
	if (file_mentions(repo->dir->worktree, ".gitattributes") ||
		file_mentions(repo->dir->common_dir, "info/attributes") || user_mentions(repo))
		return 1;
	rc = gitindex_read(&index, repo->dir->index, repo->hash_len);
	if (rc == 0) {
		struct repo view = *repo;

		rc = gitindex_each(index, entry_mentions, &view);
	}
	gitindex_free(index);
	return rc;
}

/* ---- changing modes ---- */

struct file {
	const char *path; /* borrowed */
	int writable;	  /* wish */
	struct stat before, after;
	int changed;
};

struct change {
	const struct repo *repo;
	struct place *place;
	struct file *v;
	size_t n;
	int hardlinks; /* dvx.link */
	mode_t umask;
};

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static mode_t wished_mode(const struct change *c, const struct file *f)
{
	mode_t mode = f->before.st_mode & 07777;

	return f->writable ? mode | (0222 & ~c->umask) | 0200 : mode & ~(mode_t)0222;
}

/* Git LFS looks at the owner's bit, too: whoever else may write is not our business. */
static int is_right(const struct file *f)
{
	return f->writable ? (f->before.st_mode & 0200) != 0 : (f->before.st_mode & 0222) == 0;
}

/* The file shares its bytes with the store: give it a copy before anybody writes into it. */
static int unshare(struct change *c, struct file *f, int fd)
{
	struct place_file copy = PLACE_FILE_INIT;
	size_t len = (size_t)f->before.st_size;
	void *old = len ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	struct stat st;
	int rc;

	if (old == MAP_FAILED)
		return err_sys("cannot read '%s'", f->path);
	rc = place_begin(c->place, f->path, &copy);
	if (rc == 0)
		rc = fs_clone_or_copy(copy.fd, fd, 0, len);
	if (rc >= 0)
		rc = place_swap(c->place, f->path, &copy, old ? old : "", len,
			fs_mtime_ns(&f->before), &st);
	else
		place_abort(c->place, &copy);
	if (old)
		munmap(old, len);
	return rc < 0 ? rc : 0;
}

static int change_mode(struct file *f, int fd, mode_t mode)
{
	if (fchmod(fd, mode) < 0)
		return err_sys("cannot change the mode of '%s'", f->path);
	if (fstat(fd, &f->after) < 0)
		return err_sys("cannot stat '%s'", f->path);
	f->changed = 1;
	return 0;
}

/* A file that is not there, or not regular, is not ours to change. */
static int change_one(struct change *c, struct file *f)
{
	int fd = place_open_read(c->place, f->path), rc = 0;

	if (fd < 0 || fstat(fd, &f->before) < 0 || !S_ISREG(f->before.st_mode) || is_right(f)) {
		err_clear();
		goto done;
	}
	if (f->writable && c->hardlinks && f->before.st_nlink > 1) {
		rc = unshare(c, f, fd);
		close(fd);
		fd = rc == 0 ? place_open_read(c->place, f->path) : -1;
		rc = rc == 0 && fd < 0 ? fd : rc;
	}
	if (rc == 0)
		rc = change_mode(f, fd, wished_mode(c, f));
done:
	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- the index ---- */

struct matching {
	struct change *c;
	struct gitindex_patch *patches;
	uint8_t (*ids)[REPO_ID_MAX];
	size_t n, at;
};

/* Did the entry know the file as it was before?  Seconds alone would do for Git, but not for us. */
static int knew(const struct gitindex_entry *e, const struct stat *before)
{
	return gitindex_stat_match(&e->st, before) &&
	       (!e->st.mtime_nsec || e->st.mtime_nsec == (uint32_t)before->st_mtim.tv_nsec) &&
	       (!e->st.ctime_nsec || e->st.ctime_nsec == (uint32_t)before->st_ctim.tv_nsec);
}

/* Entries come sorted by path, and so are the files. */
static int match_entry(const struct gitindex_entry *e, void *data)
{
	struct matching *m = data;
	const struct change *c = m->c;
	const struct file *f;

	while (m->at < c->n && strcmp(c->v[m->at].path, e->path) < 0)
		m->at++;
	if (m->at == c->n)
		return 1;
	f = &c->v[m->at];
	if (strcmp(f->path, e->path) != 0 || e->stage != 0 || !f->changed || !knew(e, &f->before))
		return 0;
	memcpy(m->ids[m->n], e->id, sizeof(m->ids[0]));
	m->patches[m->n] = (struct gitindex_patch){.path = f->path, .id = m->ids[m->n]};
	gitindex_stat_fill(&m->patches[m->n++].st, &f->after);
	return 0;
}

static int patch_index(struct change *c, struct lockfile *lock)
{
	struct matching m = {.c = c,
		.patches = calloc(c->n, sizeof(*m.patches)),
		.ids = calloc(c->n, sizeof(*m.ids))};
	struct gitindex *index = NULL;
	int rc = m.patches && m.ids ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = gitindex_read(&index, c->repo->dir->index, c->repo->hash_len);
	if (rc == 0)
		rc = gitindex_each(index, match_entry, &m);
	gitindex_free(index);
	if (rc >= 0 && m.n)
		rc = gitindex_patch(c->repo->dir->index, c->repo->hash_len, m.patches, m.n, lock);
	if (rc > 0 && m.n)
		rc = lockfile_commit(lock);
	free(m.patches);
	free(m.ids);
	return rc < 0 ? rc : 0;
}

/* Without the lock the modes change nevertheless: Git then looks once into each file. */
static int change_all(struct change *c)
{
	struct lockfile lock = LOCKFILE_INIT;
	struct stat st;
	int locked =
		stat(c->repo->dir->index, &st) == 0 &&
		lockfile_take(&lock, c->repo->dir->index, st.st_mode & 0777, LOCK_WAIT_MS) == 0;
	int rc = 0, changed = 0;

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		rc = change_one(c, &c->v[i]);
		changed += c->v[i].changed;
	}
	if (locked && changed) {
		int patched = patch_index(c, &lock);

		rc = rc < 0 ? rc : patched;
	}
	lockfile_rollback(&lock);
	return rc < 0 ? rc : changed;
}

/* 1 if all files are as they should be: the common case takes no lock. */
static int all_right(struct change *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct file *f = &c->v[i];

		if (place_lstat(c->place, f->path, &f->before) == 0 && S_ISREG(f->before.st_mode) &&
			!is_right(f))
			return 0;
	}
	err_clear();
	return 1;
}

static int change_files(const struct repo *repo, struct file *v, size_t n)
{
	const char *link = config_get(repo->config, "dvx.link");
	struct change c = {.repo = repo,
		.v = v,
		.n = n,
		.hardlinks = link && strcmp(link, "hardlink") == 0,
		.umask = umask(0)};
	struct buf staging = BUF_INIT;
	int rc;

	umask(c.umask);
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), compare_files);
	rc = fs_join(&staging, repo->dir->git_dir, "dvx/tmp");
	if (rc == 0)
		rc = place_open(&c.place, repo->dir->worktree, staging.p);
	if (rc == 0 && !all_right(&c))
		rc = change_all(&c);
	place_close(c.place);
	buf_release(&staging);
	return rc;
}

/* ---- which files ---- */

/* Tracked files, by pathspec (NULL: all). */
static int list_files(struct strvec *out, const struct repo *repo, const char *pathspec)
{
	struct run run = RUN_INIT;
	struct git_reader *r = NULL;
	char *path;
	size_t len;
	int rc = git_prepare(&run, repo, "ls-files", "-z", "--", (char *)NULL), end;

	if (rc == 0 && pathspec)
		rc = strvec_push(&run.argv, pathspec);
	if (rc == 0)
		rc = git_reader_start(&r, &run, NULL);
	while (rc == 0 && (rc = git_reader_next(r, '\0', &path, &len)) > 0)
		rc = strvec_push(out, path);
	end = git_reader_finish(r);
	run_release(&run);
	return rc ? rc : end;
}

static int own_paths(struct strmap *out, const struct repo *repo)
{
	struct lfs_lock_page own = {.next_cursor = NULL};
	int rc = lockcache_load_own(&own.ours, repo);

	for (size_t i = 0; rc == 0 && i < own.ours.n; i++)
		rc = strmap_put(out, own.ours.v[i].path, NULL);
	lfs_lock_page_release(&own);
	return rc;
}

/* With `give_up`, files that are not lockable become writable; else they are left alone. */
static int apply(const struct repo *repo, const struct strvec *paths, int give_up)
{
	struct strmap own = STRMAP_INIT;
	struct buf lfs = BUF_INIT;
	struct file *v = calloc(paths->n + 1, sizeof(*v));
	char *lockable = calloc(paths->n + 1, 1);
	size_t n = 0;
	int rc = v && lockable ? 0 : err_set(ERR_NOMEM, "out of memory");

	if (rc == 0)
		rc = own_paths(&own, repo);
	if (rc == 0)
		rc = lfs_lockcache_read(&lfs, repo);
	if (rc == 0)
		rc = attrs_lockable(repo, (const char *const *)paths->v, paths->n, lockable);
	for (size_t i = 0; rc == 0 && i < paths->n; i++)
		if (lockable[i] || give_up)
			v[n++] = (struct file){.path = paths->v[i],
				.writable = !lockable[i] || strmap_has(&own, paths->v[i]) ||
					    lfs_lockcache_has(&lfs, paths->v[i])};
	if (rc == 0)
		rc = change_files(repo, v, n);
	strmap_release(&own, NULL);
	buf_release(&lfs);
	free(lockable);
	free(v);
	return rc;
}

/* What a server calls a path may lead anywhere. */
static int copy_sane(struct strvec *out, const struct strvec *paths)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < paths->n; i++)
		if (place_path_ok(paths->v[i]))
			rc = strvec_push(out, paths->v[i]);
	return rc;
}

int lockable_apply(const struct repo *repo, const struct strvec *paths)
{
	struct strvec these = STRVEC_INIT;
	int rc = paths && paths->n == 0 ? 0 : lockable_any(repo);

	if (rc > 0)
		rc = paths ? copy_sane(&these, paths) : list_files(&these, repo, NULL);
	if (rc == 0 && these.n)
		rc = apply(repo, &these, 0);
	strvec_release(&these);
	return rc;
}

int lockable_release(const struct repo *repo, const struct strvec *paths)
{
	struct file *v = calloc(paths->n + 1, sizeof(*v));
	int rc = v ? 0 : err_set(ERR_NOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < paths->n; i++)
		v[i] = (struct file){.path = paths->v[i], .writable = 1};
	if (rc == 0)
		rc = change_files(repo, v, paths->n);
	free(v);
	return rc;
}

int lockable_pathspec(const struct repo *repo, const char *pathspec, int lockable)
{
	struct strvec paths = STRVEC_INIT;
	int rc = lockable_enabled(repo) ? list_files(&paths, repo, pathspec) : 0;

	if (rc == 0 && paths.n)
		rc = apply(repo, &paths, !lockable);
	strvec_release(&paths);
	return rc;
}
