/*
 * Locks remembered.  Who changes a file holds a lock of ours on the directory; who reads needs
 * none, since files are replaced in one step.
 */
#include "lib/repo/lockcache.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/store/oid.h"

enum { LOCK_WAIT_MS = 5000, PLAIN_NAME_MAX = 64, HASH_SHOWN = 16 };

static const char *const kind_names[] = {
	[LOCKCACHE_OWN] = "own", [LOCKCACHE_LISTED] = "listed", [LOCKCACHE_VERIFIED] = "verified"};

/* ---- places ---- */

/* The remote's directory: its name, or a hash of what is no plain name (a URL). */
static int remote_dir(struct buf *out, const struct repo *repo, const char *remote)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
	size_t len = strlen(remote);
	char hex[OID_HEX_LEN + 1];
	struct oid oid;

	if (len && len <= PLAIN_NAME_MAX && remote[0] != '.' && strspn(remote, plain) == len)
		return buf_addf(out, "%s/locks/%s", repo->dir->dvx_dir, remote);
	oid_of(&oid, remote, len);
	oid_to_hex(hex, &oid);
	return buf_addf(out, "%s/locks/url+%.*s", repo->dir->dvx_dir, HASH_SHOWN, hex);
}

static int load_file(struct lfs_lock_page *out, const char *path, enum lockcache_kind kind)
{
	struct buf text = {.max = LFS_JSON_MAX};
	int rc = buf_read_file(&text, path);

	if (rc == ERR_NOTFOUND) {
		err_clear();
		rc = 0;
	} else if (rc == 0) {
		rc = lfsjson_lock_page_parse(
			out, buf_str(&text), text.len, kind == LOCKCACHE_VERIFIED);
		if (rc == ERR_INVALID || rc == ERR_LIMIT)
			rc = err_set(ERR_CORRUPT,
				"'%s' is damaged; remove it and run 'git dvx locks --verify' to "
				"have it made anew",
				path);
	}
	buf_release(&text);
	return rc;
}

int lockcache_load(struct lfs_lock_page *out, const struct repo *repo, const char *remote,
	enum lockcache_kind kind)
{
	struct buf path = BUF_INIT;
	int rc = remote_dir(&path, repo, remote);

	if (rc == 0)
		rc = buf_addf(&path, "/%s", kind_names[kind]);
	if (rc == 0)
		rc = load_file(out, path.p, kind);
	buf_release(&path);
	return rc;
}

static int append(struct lfs_lock_list *out, const struct lfs_lock_list *from)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < from->n; i++)
		rc = lfs_lock_list_add(out, &from->v[i]);
	return rc;
}

int lockcache_load_own(struct lfs_lock_list *out, const struct repo *repo)
{
	struct buf path = BUF_INIT;
	struct dirent *entry;
	DIR *dir = NULL;
	size_t len;
	int rc = fs_join(&path, repo->dir->dvx_dir, "locks");

	if (rc == 0 && !(dir = opendir(path.p)) && errno != ENOENT)
		rc = err_sys("cannot open '%s'", path.p);
	len = path.len;
	while (rc == 0 && dir && (entry = readdir(dir))) {
		struct lfs_lock_page page = {.next_cursor = NULL};

		buf_truncate(&path, len);
		if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
			continue;
		rc = buf_addf(&path, "/%s/%s", entry->d_name, kind_names[LOCKCACHE_OWN]);
		if (rc == 0)
			rc = load_file(&page, path.p, LOCKCACHE_OWN);
		if (rc == 0)
			rc = append(out, &page.ours);
		lfs_lock_page_release(&page);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return rc;
}

/* ---- changing ---- */

static int save_file(const struct repo *repo, const char *remote, enum lockcache_kind kind,
	const struct lfs_lock_page *page)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc = remote_dir(&path, repo, remote);

	if (rc == 0)
		rc = fs_mkdirs(path.p);
	if (rc == 0)
		rc = buf_addf(&path, "/%s", kind_names[kind]);
	if (rc == 0)
		rc = lfsjson_lock_page_format(&text, page, kind == LOCKCACHE_VERIFIED);
	if (rc == 0)
		rc = fs_replace_file(path.p, text.p, text.len, 1);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

/* The descriptor to close when the change is done. */
static int begin_change(const struct repo *repo)
{
	struct buf path = BUF_INIT;
	int rc = fs_join(&path, repo->dir->dvx_dir, "locks/.change");

	if (rc == 0)
		rc = flock_take_mkdirs(path.p, LOCK_WAIT_MS);
	buf_release(&path);
	return rc;
}

static void drop(struct lfs_lock_list *l, size_t i)
{
	lfs_lock_release(&l->v[i]);
	memmove(&l->v[i], &l->v[i + 1], (l->n - i - 1) * sizeof(*l->v));
	l->n--;
}

/* Drop the locks of this path or id, then add one (NULL: none). */
static int change_own(const struct repo *repo, const char *remote, const char *path, const char *id,
	const struct lfs_lock *lock)
{
	struct lfs_lock_page page = {.next_cursor = NULL};
	int fd = begin_change(repo), rc = fd < 0 ? fd : 0;

	if (rc == 0)
		rc = lockcache_load(&page, repo, remote, LOCKCACHE_OWN);
	for (size_t i = page.ours.n; rc == 0 && i-- > 0;)
		if ((path && strcmp(page.ours.v[i].path, path) == 0) ||
			(id && strcmp(page.ours.v[i].id, id) == 0))
			drop(&page.ours, i);
	if (rc == 0 && lock)
		rc = lfs_lock_list_add(&page.ours, lock);
	if (rc == 0)
		rc = save_file(repo, remote, LOCKCACHE_OWN, &page);
	if (fd >= 0)
		close(fd);
	lfs_lock_page_release(&page);
	return rc;
}

int lockcache_add(const struct repo *repo, const char *remote, const struct lfs_lock *lock)
{
	return change_own(repo, remote, lock->path, lock->id, lock);
}

int lockcache_forget(const struct repo *repo, const char *remote, const char *id)
{
	return change_own(repo, remote, NULL, id, NULL);
}

int lockcache_save(const struct repo *repo, const char *remote, enum lockcache_kind kind,
	const struct lfs_lock_page *page)
{
	const struct lfs_lock_page own = {.ours = page->ours}; /* borrowed */
	int fd = begin_change(repo), rc = fd < 0 ? fd : 0;

	if (rc == 0)
		rc = save_file(repo, remote, kind, page);
	if (rc == 0 && kind == LOCKCACHE_VERIFIED)
		rc = save_file(repo, remote, LOCKCACHE_OWN, &own);
	if (fd >= 0)
		close(fd);
	return rc;
}
