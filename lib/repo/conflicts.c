/*
 * The list of what merges left: "<git_dir>/dvx/conflicts", each entry a letter, the text, and NUL.
 * Appended to in one write, read whole, replaced whole.
 */
#include "lib/repo/conflicts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/base/strmap.h"
#include "lib/repo/attrs.h"
#include "lib/worktree/gitindex.h"

enum { LIST_MAX = 16 * 1024 * 1024, EXCLUDE_WAIT_MS = 10000 };
enum { MARKED = 'm', BESIDE = 'b' };

static int list_path(struct buf *out, const char *git_dir)
{
	return buf_addf(out, "%s/dvx/conflicts", git_dir);
}

static int add_entry(struct buf *text, char kind, const char *path)
{
	int rc = buf_addch(text, kind);

	return rc == 0 ? buf_add(text, path, strlen(path) + 1) : rc;
}

static int note(const struct repo *repo, char kind, const char *path)
{
	struct buf list = BUF_INIT, entry = BUF_INIT;
	int fd = -1, rc = list_path(&list, repo->dir->git_dir);

	if (rc == 0)
		rc = add_entry(&entry, kind, path);
	if (rc == 0)
		rc = fs_mkdirs_parent(list.p);
	if (rc == 0) {
		fd = open(list.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		rc = fd < 0 ? err_sys("cannot write '%s'", list.p)
			    : fs_write_full(fd, entry.p, entry.len);
	}
	if (fd >= 0 && rc == 0)
		rc = fs_close(&fd, list.p);
	if (fd >= 0)
		close(fd);
	buf_release(&list);
	buf_release(&entry);
	return rc;
}

int conflicts_note_marked(const struct repo *repo, const char *path)
{
	return note(repo, MARKED, path);
}

/* ---- versions beside ---- */

static int stat_below(struct stat *st, const struct repo *repo, const char *path)
{
	struct buf full = BUF_INIT;
	int there = repo->dir->worktree != NULL && fs_join(&full, repo->dir->worktree, path) == 0 &&
		    lstat(full.p, st) == 0;

	buf_release(&full);
	return there;
}

static int entry_of(struct buf *out, const struct stat *st, const char *path)
{
	return buf_addf(
		out, "%lld %lld %s", (long long)st->st_size, (long long)fs_mtime_ns(st), path);
}

const char *conflicts_beside_path(const char *entry)
{
	const char *p = strchr(entry, ' ');

	p = p != NULL ? strchr(p + 1, ' ') : NULL;
	return p != NULL ? p + 1 : entry;
}

/* Where the text has this line, which ends in a newline; NULL: nowhere. */
static char *find_line(const struct buf *text, const char *line)
{
	char *at = text->p;

	while (at != NULL && (at = strstr(at, line)) != NULL && at != text->p && at[-1] != '\n')
		at++;
	return at;
}

/* Worktrees that are linked share "info/exclude", and may merge at the same time.  A descriptor to
 * be closed. */
static int lock_exclude(const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int rc = buf_addf(&path, "%s/dvx/exclude.lock", repo->dir->common_dir);

	if (rc == 0)
		rc = flock_take_mkdirs(path.p, EXCLUDE_WAIT_MS);
	buf_release(&path);
	return rc;
}

/* Give "info/exclude" the line that hides the path, or take it away. */
static int hide(const struct repo *repo, const char *path, int hidden)
{
	struct buf file = BUF_INIT, text = {.max = LIST_MAX}, line = BUF_INIT;
	const int lock = lock_exclude(repo);
	char *at;
	int rc = lock < 0 ? lock : fs_join(&file, repo->dir->common_dir, "info/exclude");

	if (rc == 0)
		rc = attrs_quote_path(&line, path, 0); /* ignore rules read it alike */
	if (rc == 0)
		rc = buf_addch(&line, '\n');
	if (rc == 0 && (rc = buf_read_file(&text, file.p)) == ERR_NOTFOUND)
		rc = 0;
	if (rc < 0)
		goto done;
	at = find_line(&text, line.p);
	if ((at != NULL) == hidden)
		goto done;
	if (hidden) {
		if (text.len > 0 && text.p[text.len - 1] != '\n')
			rc = buf_addch(&text, '\n');
		if (rc == 0)
			rc = buf_add(&text, line.p, line.len);
	} else {
		memmove(at, at + line.len, text.len - (size_t)(at - text.p) - line.len + 1);
		text.len -= line.len;
	}
	if (rc == 0)
		rc = fs_mkdirs_parent(file.p);
	if (rc == 0)
		rc = fs_replace_file(file.p, buf_str(&text), text.len, 0);
done:
	if (lock >= 0)
		close(lock);
	buf_release(&file);
	buf_release(&text);
	buf_release(&line);
	return rc;
}

int conflicts_note_beside(const struct repo *repo, const char *path)
{
	struct buf entry = BUF_INIT;
	struct stat st;
	int rc = stat_below(&st, repo, path) ? entry_of(&entry, &st, path) : 0;

	if (rc == 0 && entry.len > 0)
		rc = note(repo, BESIDE, entry.p);
	if (rc == 0)
		rc = hide(repo, path, 1);
	buf_release(&entry);
	return rc;
}

void conflicts_release(struct conflicts *c)
{
	strvec_release(&c->marked);
	strvec_release(&c->beside);
}

static int read_list(struct conflicts *out, const char *list)
{
	struct buf text = {.max = LIST_MAX};
	struct strmap seen = STRMAP_INIT;
	int rc = buf_read_file(&text, list);

	*out = (struct conflicts){STRVEC_INIT, STRVEC_INIT};
	if (rc == ERR_NOTFOUND) {
		err_clear();
		rc = 0;
	}
	for (size_t at = 0; rc == 0 && at < text.len; at += strlen(text.p + at) + 1) {
		const char *entry = text.p + at;

		if (*entry == '\0' || strmap_has(&seen, entry))
			continue;
		rc = strmap_put(&seen, entry, NULL);
		if (rc == 0)
			rc = strvec_push(*entry == BESIDE ? &out->beside : &out->marked, entry + 1);
	}
	strmap_release(&seen, NULL);
	buf_release(&text);
	return rc;
}

int conflicts_read(struct conflicts *out, const struct repo *repo)
{
	struct buf list = BUF_INIT;
	int rc = list_path(&list, repo->dir->git_dir);

	*out = (struct conflicts){STRVEC_INIT, STRVEC_INIT};
	if (rc == 0)
		rc = read_list(out, list.p);
	buf_release(&list);
	return rc;
}

/* ---- linked worktrees ---- */

/* A path of the worktree whose list is `own`. */
struct elsewhere {
	const char *own, *path;
};

/* Whether this worktree is another one, and has a version at the path; a list that cannot be read
 * may. */
static int has_version(const char *git_dir, void *data)
{
	const struct elsewhere *x = data;
	struct buf list = BUF_INIT;
	struct conflicts there = {STRVEC_INIT, STRVEC_INIT};
	int has = list_path(&list, git_dir) < 0;

	if (!has && strcmp(list.p, x->own) != 0)
		has = read_list(&there, list.p) < 0;
	for (size_t i = 0; !has && i < there.beside.n; i++)
		has = strcmp(conflicts_beside_path(there.beside.v[i]), x->path) == 0;
	conflicts_release(&there);
	buf_release(&list);
	return has;
}

/* 1 if another worktree, which shares "info/exclude", hides the same path by it. */
static int hidden_elsewhere(const struct repo *repo, const char *path)
{
	struct buf own = BUF_INIT;
	int found =
		list_path(&own, repo->dir->git_dir) < 0 ||
		repo_each_git_dir(repo, has_version, &(struct elsewhere){buf_str(&own), path}) != 0;

	buf_release(&own);
	err_clear();
	return found;
}

/* ---- done with them ---- */

/* Write the list anew: entries of one kind. */
static int keep(const struct repo *repo, char kind, const struct strvec *entries)
{
	struct buf list = BUF_INIT, text = BUF_INIT;
	int rc = list_path(&list, repo->dir->git_dir);

	for (size_t i = 0; rc == 0 && i < entries->n; i++)
		rc = add_entry(&text, kind, entries->v[i]);
	if (rc == 0 && text.len > 0)
		rc = fs_replace_file(list.p, text.p, text.len, 0);
	else if (rc == 0 && unlink(list.p) < 0 && errno != ENOENT)
		rc = err_sys("cannot remove '%s'", list.p);
	buf_release(&list);
	buf_release(&text);
	return rc;
}

int conflicts_forget_marked(const struct repo *repo, const struct conflicts *c)
{
	return keep(repo, BESIDE, &c->beside);
}

/* Remove a version that is as it was put there. */
static int remove_version(const struct repo *repo, const char *entry)
{
	const char *path = conflicts_beside_path(entry);
	struct buf now = BUF_INIT, full = BUF_INIT;
	struct stat st;
	int rc = 0;

	if (stat_below(&st, repo, path)) {
		rc = entry_of(&now, &st, path);
		if (rc == 0)
			rc = fs_join(&full, repo->dir->worktree, path);
		if (rc == 0 && S_ISREG(st.st_mode) && strcmp(now.p, entry) == 0 &&
			unlink(full.p) < 0)
			rc = err_sys("cannot remove '%s'", path);
	}
	if (rc == 0 && !hidden_elsewhere(repo, path))
		rc = hide(repo, path, 0);
	buf_release(&now);
	buf_release(&full);
	return rc;
}

int conflicts_remove_beside(const struct repo *repo, const char *path)
{
	struct conflicts left;
	int rc = conflicts_read(&left, repo);

	for (size_t i = 0; rc == 0 && i < left.beside.n; i++)
		if (strcmp(conflicts_beside_path(left.beside.v[i]), path) == 0)
			rc = remove_version(repo, left.beside.v[i]);
	conflicts_release(&left);
	return rc;
}

static int is_unmerged(const struct gitindex_entry *e, void *data)
{
	(void)data;
	return e->stage > 0;
}

int conflicts_tidy(const struct repo *repo)
{
	struct gitindex *index = NULL;
	struct conflicts left;
	int rc = conflicts_read(&left, repo), busy = 0;

	if (rc == 0 && left.beside.n > 0)
		rc = gitindex_read(&index, repo->dir->index, repo->hash_len);
	if (rc == 0 && index != NULL)
		rc = busy = gitindex_each(index, is_unmerged, NULL);
	gitindex_free(index);
	for (size_t i = 0; rc == 0 && !busy && i < left.beside.n; i++)
		rc = remove_version(repo, left.beside.v[i]);
	if (rc == 0 && !busy && left.beside.n > 0)
		rc = keep(repo, MARKED, &left.marked);
	conflicts_release(&left);
	return rc < 0 ? rc : 0;
}
