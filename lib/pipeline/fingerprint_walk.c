/*
 * Which files a directory has: those that Git keeps or would keep (docs/stat-cache.md), found by
 * reading directories - no child process, and no list of Git's that could be older than the files.
 * The directories of one level are read in parallel.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathmatch.h"
#include "lib/base/workers.h"
#include "lib/pipeline/fingerprint_internal.h"
#include "lib/worktree/place.h"

enum { RULES_MAX = 16 * 1024 * 1024 };

/* ---- the walk ---- */

struct walk {
	struct fingerprints *f;
	const char *pattern;
	int all; /* the declared directory is hidden from Git: its rules do not count */
};

struct name {
	size_t at; /* in dir.names */
	unsigned char type;
};

/* A directory: to be read, then what was found in it. */
struct dir {
	const struct walk *w;
	char *path;
	const struct excludes *git, *dvc; /* borrowed */
	char hidden;			  /* by Git's rules: only what is tracked counts */
	char top;			  /* the declared one: a link is followed */
	struct fp_files files;
	struct dir *dirs; /* in it, to be read next */
	size_t n_dirs, cap_dirs;
	struct excludes *own[4]; /* rules that were read here */
	size_t n_own;
	struct buf entry; /* path of the entry at hand */
	struct buf names;
	struct name *v;
	size_t n, cap;
};

static void free_dir(struct dir *d)
{
	for (size_t i = 0; i < d->n_dirs; i++)
		free(d->dirs[i].path);
	free(d->dirs);
	fp_files_release(&d->files);
	buf_release(&d->entry);
	buf_release(&d->names);
	free(d->v);
	free(d->path);
}

static int push_dir(struct dir *d, const char *path, int hidden)
{
	struct dir *sub;

	if (array_room(&d->dirs, d->n_dirs, &d->cap_dirs, sizeof(*d->dirs)) < 0)
		return ERR_NOMEM;
	sub = &d->dirs[d->n_dirs];
	*sub = (struct dir){.w = d->w,
		.path = strdup(path),
		.git = d->git,
		.dvc = d->dvc,
		.hidden = (char)hidden};
	if (sub->path == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	d->n_dirs++;
	return 0;
}

/* Read the rules in the file `name` of the directory `path`, which is open at `fd`. */
static int read_rules(
	struct dir *d, const struct excludes **rules, int fd, const char *name, const char *path)
{
	struct buf text = {.max = RULES_MAX};
	int file = openat(fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;

	if (file < 0) /* Git does not follow a link here, either */
		return errno == ENOENT || errno == ELOOP
			       ? 0
			       : err_sys("cannot open '%s/%s'", path, name);
	rc = buf_read_fd(&text, file);
	close(file);
	if (rc == 0)
		rc = excludes_new(&d->own[d->n_own], *rules, path, buf_str(&text), text.len);
	if (rc == 0)
		*rules = d->own[d->n_own++];
	buf_release(&text);
	return rc;
}

/* Does the entry at hand count?  1; 0; for a directory also 2: only what is tracked in it. */
static int counts(const struct dir *d, int is_dir)
{
	const char *path = d->entry.p;
	int rc;

	if (excludes_hide(d->dvc, path, is_dir))
		return 0;
	if (d->w->all || (!d->hidden && !excludes_hide(d->git, path, is_dir)))
		return 1;
	rc = fp_is_tracked(d->w->f, path, is_dir);
	return rc > 0 && is_dir ? 2 : rc;
}

static int take_dir(struct dir *d)
{
	int rc = counts(d, 1);

	return rc > 0 ? push_dir(d, d->entry.p, rc == 2) : rc;
}

/* What this program writes itself: its lock file, and what lies beside outputs for a moment. */
static int is_ours(const char *name)
{
	return strcmp(name, "dvx.lock") == 0 || strncmp(name, ".dvx-tmp-", 9) == 0 ||
	       strncmp(name, ".dvx-aside-", 11) == 0;
}

static int take_entry(struct dir *d, int fd, const struct name *e)
{
	const char *name = d->names.p + e->at, *pattern = d->w->pattern;
	struct stat st;
	int rc;

	if (is_ours(name))
		return 0;
	if (e->type == DT_DIR)
		return take_dir(d);
	if ((e->type != DT_REG && e->type != DT_LNK && e->type != DT_UNKNOWN) ||
		(pattern != NULL && e->type != DT_UNKNOWN && !pathmatch_one(pattern, d->entry.p)))
		return 0;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys("cannot look at '%s'", d->entry.p);
	if (S_ISDIR(st.st_mode))
		return take_dir(d);
	if ((!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) ||
		(pattern != NULL && !pathmatch_one(pattern, d->entry.p)))
		return 0;
	rc = counts(d, 0);
	return rc > 0 ? fp_files_add(&d->files, d->entry.p, d->entry.len, &st) : rc;
}

static int add_name(struct dir *d, const struct dirent *e)
{
	if (array_room(&d->v, d->n, &d->cap, sizeof(*d->v)) < 0)
		return ERR_NOMEM;
	d->v[d->n++] = (struct name){d->names.len, e->d_type};
	return buf_add(&d->names, e->d_name, strlen(e->d_name) + 1);
}

/* All names of a directory; *git and *dvc: whether it has rules. */
static int read_names(struct dir *d, DIR *dir, int *git, int *dvc)
{
	struct dirent *e;
	int rc = 0;

	while (rc == 0 && (errno = 0, (e = readdir(dir)) != NULL)) {
		if (e->d_name[0] == '.') {
			*git |= strcmp(e->d_name, ".gitignore") == 0;
			*dvc |= strcmp(e->d_name, ".dvcignore") == 0;
		}
		if (place_path_ok(e->d_name)) /* not ".", "..", ".git" */
			rc = add_name(d, e);
	}
	if (rc == 0 && errno != 0)
		rc = err_sys("cannot read the directory '%s'", d->path);
	return rc;
}

static int walk_open(struct dir *d, DIR *dir)
{
	int has_git = 0, has_dvc = 0, fd = dirfd(dir);
	int rc = read_names(d, dir, &has_git, &has_dvc);
	size_t base;

	if (rc == 0 && has_git && !d->w->all)
		rc = read_rules(d, &d->git, fd, ".gitignore", d->path);
	if (rc == 0 && has_dvc)
		rc = read_rules(d, &d->dvc, fd, ".dvcignore", d->path);
	if (rc == 0)
		rc = buf_addf(&d->entry, "%s%s", d->path, d->path[0] != '\0' ? "/" : "");
	base = d->entry.len;
	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		buf_truncate(&d->entry, base);
		rc = buf_addstr(&d->entry, d->names.p + d->v[i].at);
		if (rc == 0)
			rc = take_entry(d, fd, &d->v[i]);
	}
	return rc;
}

static int walk_dir(size_t i, void *data)
{
	struct dir *d = (struct dir *)data + i;
	struct buf full = BUF_INIT;
	DIR *dir;
	int fd, rc = fp_full_path(&full, d->w->f, d->path);

	if (rc < 0)
		goto done;
	fd = open(full.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (d->top ? 0 : O_NOFOLLOW));
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		rc = errno == ENOENT ? 0 : err_sys("cannot read the directory '%s'", d->path);
		if (fd >= 0)
			close(fd);
		goto done;
	}
	rc = walk_open(d, dir);
	closedir(dir);
done:
	buf_release(&full);
	return rc;
}

/* ---- the rules above the walk ---- */

static int read_user_rules(struct excludes **out, const struct excludes *parent, const char *path)
{
	struct buf text = {.max = RULES_MAX};
	int rc = buf_read_file(&text, path);

	*out = NULL;
	if (rc == 0)
		rc = excludes_new(out, parent, "", buf_str(&text), text.len);
	else if (rc != ERR_NOMEM)
		rc = 0; /* as Git does with one that cannot be read */
	buf_release(&text);
	return rc;
}

/* core.excludesFile, else git/ignore in the user's configuration. */
static int user_file(struct buf *out, const struct fingerprints *f)
{
	const char *set = config_get_own(f->repo->config, "core.excludesfile");
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");

	if (set != NULL && strncmp(set, "~/", 2) == 0)
		return buf_addf(out, "%s%s", home != NULL ? home : "", set + 1);
	if (set != NULL)
		return fs_join(out, f->repo->dir->worktree, set);
	if (xdg != NULL && xdg[0] != '\0')
		return buf_addf(out, "%s/git/ignore", xdg);
	return buf_addf(out, "%s/.config/git/ignore", home != NULL ? home : "");
}

static int load_user_rules(struct fingerprints *f)
{
	struct buf path = BUF_INIT;
	int rc = user_file(&path, f);

	if (rc == 0)
		rc = read_user_rules(&f->user_rules, NULL, path.p);
	buf_reset(&path);
	if (rc == 0)
		rc = buf_addf(&path, "%s/info/exclude", f->repo->dir->common_dir);
	if (rc == 0)
		rc = read_user_rules(&f->repo_rules, f->user_rules, path.p);
	buf_release(&path);
	f->have_rules = rc == 0;
	return rc;
}

static int take_user_rules(const struct excludes **out, struct fingerprints *f)
{
	int rc = 0;

	pthread_mutex_lock(&f->mutex);
	if (!f->have_rules)
		rc = load_user_rules(f);
	*out = f->repo_rules != NULL ? f->repo_rules : f->user_rules;
	pthread_mutex_unlock(&f->mutex);
	return rc;
}

/* All rules that a walk has read, to be freed at its end. */
struct rules {
	struct excludes **v;
	size_t n;
};

/* Take over what this directory has read. */
static int keep_rules(struct rules *r, struct dir *d)
{
	struct excludes **grown;

	if (d->n_own == 0)
		return 0;
	grown = reallocarray(r->v, r->n + d->n_own, sizeof(*grown));
	if (grown == NULL)
		return err_set(ERR_NOMEM, "out of memory");
	r->v = grown;
	memcpy(r->v + r->n, d->own, d->n_own * sizeof(*grown));
	r->n += d->n_own;
	d->n_own = 0;
	return 0;
}

static int read_rules_of(struct dir *d, struct rules *r, const char *path)
{
	struct buf full = BUF_INIT;
	int fd, rc = fp_full_path(&full, d->w->f, path);

	fd = rc == 0 ? open(full.p, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	buf_release(&full);
	if (rc < 0 || fd < 0)
		return rc; /* what is wrong with it, the walk will say */
	rc = read_rules(d, &d->git, fd, ".gitignore", path);
	if (rc == 0)
		rc = read_rules(d, &d->dvc, fd, ".dvcignore", path);
	close(fd);
	return rc == 0 ? keep_rules(r, d) : rc;
}

/* The rules of all directories above `path`; whether one of them hides it. */
static int read_rules_above(struct walk *w, struct dir *d, struct rules *r, const char *path)
{
	struct buf part = BUF_INIT;
	const char *p = path;
	int rc = take_user_rules(&d->git, w->f);

	while (rc == 0 && *p != '\0') {
		rc = read_rules_of(d, r, buf_str(&part));
		p += strcspn(p, "/");
		buf_reset(&part);
		if (rc == 0)
			rc = buf_add(&part, path, (size_t)(p - path));
		if (rc == 0 && excludes_hide(d->git, part.p, 1))
			w->all = 1;
		p += *p == '/';
	}
	buf_release(&part);
	return rc;
}

/* ---- all of it ---- */

/* Read the directories of a level; *next become those in them. */
static int walk_level(
	struct fp_files *out, struct rules *r, struct dir *level, size_t n, struct dir *next)
{
	int rc = workers_run(n > 1 ? 0 : 1, n, walk_dir, level);

	for (size_t i = 0; i < n; i++) {
		struct dir *d = &level[i];
		int kept = keep_rules(r, d);

		if (kept < 0 && rc == 0)
			rc = kept;
		if (rc == 0)
			rc = fp_files_move(out, &d->files);
		if (rc == 0 && d->n_dirs > 0) {
			struct dir *grown =
				reallocarray(next->dirs, next->n_dirs + d->n_dirs, sizeof(*grown));

			if (grown == NULL) {
				rc = err_set(ERR_NOMEM, "out of memory");
			} else {
				memcpy(grown + next->n_dirs, d->dirs, d->n_dirs * sizeof(*grown));
				next->dirs = grown;
				next->n_dirs += d->n_dirs;
				d->n_dirs = 0;
			}
		}
		free_dir(d);
	}
	return rc;
}

int fp_walk(struct fp_files *out, struct fingerprints *f, const char *path, const char *pattern)
{
	struct walk w = {.f = f, .pattern = pattern};
	struct dir top = {.w = &w};
	struct rules rules = {NULL, 0};
	int rc = 0;

	if (path[0] == '/')
		w.all = 1; /* not of the project */
	else
		rc = read_rules_above(&w, &top, &rules, path);
	if (rc == 0)
		rc = push_dir(&top, path, 0);
	if (rc == 0)
		top.dirs[0].top = 1;
	while (rc == 0 && top.n_dirs > 0) {
		struct dir *level = top.dirs;
		size_t n = top.n_dirs;

		top.dirs = NULL;
		top.n_dirs = top.cap_dirs = 0;
		rc = walk_level(out, &rules, level, n, &top);
		free(level);
	}
	free_dir(&top);
	for (size_t i = 0; i < rules.n; i++)
		excludes_free(rules.v[i]);
	free(rules.v);
	return rc;
}
