/*
 * Where experiments run: a log whose flock says that a run is alive, and a linked worktree below
 * the Git directory.  What a killed run left is recognised by the free lock and removed by the next
 * command.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/fstree.h"
#include "lib/base/lockfile.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/repo/git.h"

enum { LOCK_WAIT_MS = 500, INDEX_AGE_S = 24 * 60 * 60 };

int exp_work_root(struct buf *out, const struct repo *repo)
{
	return buf_addf(out, "%s/exps", repo->dir->dvx_dir);
}

int experiment_log_path(struct buf *out, const struct repo *repo, const char *name)
{
	return buf_addf(out, "%s/exps/logs/%s.log", repo->dir->dvx_dir, name);
}

/* ---- locks ---- */

int exp_work_lock(struct exp_work *w, const struct repo *repo, const char *name)
{
	struct buf path = BUF_INIT;
	int rc = experiment_log_path(&path, repo, name);

	if (rc == 0) /* who only looks whether it is held has it for a moment */
		rc = w->log = flock_take_mkdirs(path.p, LOCK_WAIT_MS);
	if (rc == ERR_LOCKED)
		err_set(rc, "experiment '%s' is being run by another process", name);
	buf_release(&path);
	return rc < 0 ? rc : 0;
}

int exp_work_is_locked(const struct repo *repo, const char *name)
{
	struct buf path = BUF_INIT;
	int fd = -1, locked = 0;

	if (experiment_log_path(&path, repo, name) == 0)
		fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		locked = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
		close(fd);
	}
	buf_release(&path);
	return locked;
}

/* ---- worktrees ---- */

/* Git's commands about worktrees stumble over one that another such command is making or removing
 * at the moment, so ours take turns; a `git worktree add` that outlives a killed run keeps its
 * turn. The descriptor, or a negative error. */
static int take_turn(const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%s/exps/logs/.worktrees", repo->dir->dvx_dir);

	if (rc == 0)
		rc = flock_take_mkdirs(path.p, -1);
	buf_release(&path);
	return rc;
}

static int name_worktree(struct buf *out, const struct repo *repo, const char *name)
{
	int rc = exp_work_root(out, repo);

	return rc == 0 ? buf_addf(out, "/" EXP_WORK_PREFIX "%s", name) : rc;
}

/* "/…/exps/dvx-exp-<name>": the name; NULL for other paths. */
static const char *name_of_worktree(const char *path)
{
	static const char above[] = "/exps/" EXP_WORK_PREFIX;
	const char *name = strrchr(path, '/');
	size_t len = name ? (size_t)(name - path) + sizeof(EXP_WORK_PREFIX) : 0;

	if (len < sizeof(above) - 1 || strlen(path) <= len)
		return NULL;
	return memcmp(path + len - (sizeof(above) - 1), above, sizeof(above) - 1) == 0 ? path + len
										       : NULL;
}

/* Whose worktree this entry of Git's ("<common dir>/worktrees/<id>", gitrepository-layout(5)) is: 1
 * and the experiment's name, which is empty for an entry of ours that Git has not finished, or we
 * have not removed; 0: not ours. */
static int read_entry(struct buf *name, const char *entry)
{
	static const char git_file[] = "/.git";
	struct buf path = BUF_INIT, text = BUF_INIT;
	const char *found = NULL;
	int rc = buf_addf(&path, "%s/gitdir", entry);

	buf_reset(name);
	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	buf_rtrim(&text);
	if (rc == ERR_NOTFOUND || (rc == 0 && text.len == 0)) {
		found = "";
	} else if (rc == 0 && text.len >= sizeof(git_file) &&
		   strcmp(text.p + text.len - (sizeof(git_file) - 1), git_file) == 0) {
		buf_truncate(&text, text.len - (sizeof(git_file) - 1));
		found = name_of_worktree(text.p);
	}
	if (found && buf_addstr(name, found) < 0)
		found = NULL;
	buf_release(&path);
	buf_release(&text);
	return found != NULL;
}

/* What in this directory has the name of a worktree of ours. */
static int list_ours(struct strvec *out, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int rc = 0;

	while (dir && rc == 0 && (d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, EXP_WORK_PREFIX, sizeof(EXP_WORK_PREFIX) - 1) == 0 &&
			strlen(d->d_name) >= sizeof(EXP_WORK_PREFIX))
			rc = strvec_pushf(out, "%s/%s", path, d->d_name);
	if (dir)
		closedir(dir);
	return rc;
}

static int list_entries(struct strvec *out, const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%s/worktrees", repo->dir->common_dir);

	if (rc == 0)
		rc = list_ours(out, path.p);
	buf_release(&path);
	return rc;
}

/* First what makes it a worktree in Git's eyes: never does Git see half of one. */
static void remove_entry(const char *entry)
{
	struct buf path = BUF_INIT;

	if (buf_addf(&path, "%s/gitdir", entry) == 0 && (unlink(path.p) == 0 || errno == ENOENT) &&
		fstree_remove(entry) == 0) {
		buf_reset(&path);
		if (buf_add(&path, entry, (size_t)(strrchr(entry, '/') - entry)) == 0)
			rmdir(path.p); /* the last one, as Git does */
	}
	buf_release(&path);
}

/* Make Git forget this experiment's worktree, and those of which there is only half an entry: in
 * our turn nobody makes one. */
static void forget_worktree(const struct repo *repo, const char *name)
{
	struct strvec entries = STRVEC_INIT;
	struct buf owner = BUF_INIT;
	int turn = take_turn(repo);

	if (turn >= 0 && list_entries(&entries, repo) == 0)
		for (size_t i = 0; i < entries.n; i++)
			if (read_entry(&owner, entries.v[i]) &&
				(owner.len == 0 || strcmp(owner.p, name) == 0))
				remove_entry(entries.v[i]);
	if (turn >= 0)
		close(turn);
	strvec_release(&entries);
	buf_release(&owner);
}

/* What is left is tried again by the next command. */
static void remove_worktree(const struct repo *repo, const char *dir)
{
	int turn = take_turn(repo); /* whoever is making it has done so */

	if (turn >= 0)
		close(turn);
	(void)!fstree_remove(dir);
	forget_worktree(repo, name_of_worktree(dir));
}

/* Fill w->g and w->repo, when the worktree is there. */
static int open_repository(struct exp_work *w, const struct repo *repo)
{
	struct buf out = BUF_INIT;
	struct run r = RUN_INIT;
	int rc = git_prepare(&r, repo, "rev-parse", "--absolute-git-dir", (char *)NULL);

	/* that of the directory where it is asked, not the user's */
	if (rc == 0)
		rc = strvec_pushl(
			&r.env, "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", (char *)NULL);
	r.dir = w->dir.p;
	if (rc == 0)
		rc = run_capture(&r, NULL, 0, &out);
	if (rc > 0)
		rc = err_set(ERR_INVALID, "'%s' is no worktree", w->dir.p);
	run_release(&r);
	buf_rtrim(&out);
	w->g.git_dir = rc == 0 ? strdup(out.p) : NULL;
	if (rc == 0)
		rc = buf_addstr(&out, "/index");
	w->g.index = rc == 0 ? strdup(out.p) : NULL;
	w->g.worktree = strdup(buf_str(&w->dir));
	w->g.common_dir = strdup(repo->dir->common_dir);
	w->g.dvx_dir = strdup(repo->dir->dvx_dir);
	w->g.prefix = strdup("");
	w->repo = (struct repo){.dir = &w->g,
		.config = repo->config,
		.hash_len = repo->hash_len,
		.keep_fd = w->log};
	if (rc == 0 && (!w->g.git_dir || !w->g.index || !w->g.worktree || !w->g.common_dir ||
			       !w->g.dvx_dir || !w->g.prefix))
		rc = err_set(ERR_NOMEM, "out of memory");
	buf_release(&out);
	return rc;
}

int exp_work_checkout(
	struct exp_work *w, const struct repo *repo, const char *name, const char *commit)
{
	struct buf ignored = BUF_INIT;
	int turn = -1, rc = name_worktree(&w->dir, repo, name);

	if (rc == 0) {
		remove_worktree(repo, w->dir.p); /* a killed run's: the lock is ours */
		rc = turn = take_turn(repo);
	}
	if (rc >= 0)
		rc = exp_git_whole(repo, turn, NULL, 0, "-c", "core.hooksPath=/dev/null",
			"worktree", "add", "--quiet", "--force", "--detach", "--no-checkout",
			w->dir.p, commit, (char *)NULL);
	if (turn >= 0)
		close(turn);
	if (rc == 0)
		rc = open_repository(w, repo);
	if (rc == 0) /* files come now, several experiments at once */
		rc = git_run(&w->repo, NULL, 0, &ignored, "reset", "--hard", "--quiet",
			"--no-recurse-submodules", (char *)NULL);
	buf_release(&ignored);
	return rc;
}

void exp_work_end(struct exp_work *w, const struct repo *repo)
{
	char *why = w->dir.len > 0 ? strdup(err_msg()) : NULL; /* it was ended */

	if (w->dir.len > 0)
		remove_worktree(repo, w->dir.p);
	if (why)
		err_set(ERR_INVALID, "%s", why);
	free(why);
	if (w->log >= 0)
		close(w->log);
	w->log = -1;
	buf_release(&w->dir);
	gitdir_release(&w->g);
}

/* ---- leftovers ---- */

/* Copies of the index are there for seconds. */
static void remove_old_index(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && fs_now_ns() / 1000000000 - st.st_mtim.tv_sec > INDEX_AGE_S)
		unlink(path);
}

static void remove_old_indexes(const struct repo *repo)
{
	struct buf path = BUF_INIT;
	size_t len;
	struct dirent *d;
	DIR *dir = NULL;

	if (exp_work_root(&path, repo) == 0)
		dir = opendir(path.p);
	len = path.len;
	while (dir && (d = readdir(dir)) != NULL) {
		buf_truncate(&path, len);
		if (strncmp(d->d_name, ".index-", 7) == 0 && buf_addf(&path, "/%s", d->d_name) == 0)
			remove_old_index(path.p);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
}

/* 1 if the worktree of this experiment, or what Git has of it, was a leftover. */
static int sweep_one(const struct repo *repo, const char *name)
{
	struct exp_work w = EXP_WORK_INIT;
	int found = !exp_work_is_locked(repo, name) && exp_work_lock(&w, repo, name) == 0;

	if (found && name_worktree(&w.dir, repo, name) < 0)
		buf_reset(&w.dir);
	exp_work_end(&w, repo);
	return found;
}

int experiment_sweep(const struct repo *repo)
{
	struct strvec dirs = STRVEC_INIT, entries = STRVEC_INIT;
	struct buf root = BUF_INIT, owner = BUF_INIT;
	int n = 0, halves = 0, rc = exp_work_root(&root, repo);

	if (rc == 0)
		rc = list_ours(&dirs, root.p);
	for (size_t i = 0; rc == 0 && i < dirs.n; i++)
		n += sweep_one(repo, name_of_worktree(dirs.v[i]));
	if (rc == 0) /* of which there is no directory, or not any more */
		rc = list_entries(&entries, repo);
	for (size_t i = 0; rc == 0 && i < entries.n; i++) {
		if (!read_entry(&owner, entries.v[i]))
			continue;
		if (owner.len > 0)
			n += sweep_one(repo, owner.p);
		else
			halves = 1;
	}
	if (halves)
		forget_worktree(repo, "");
	remove_old_indexes(repo);
	strvec_release(&dirs);
	strvec_release(&entries);
	buf_release(&root);
	buf_release(&owner);
	if (rc == 0)
		err_clear(); /* what could not be removed is no reason to fail */
	return rc < 0 ? rc : n;
}
