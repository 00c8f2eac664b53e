/*
 * Directories in which commands of ours wrote a file of stages: source_find looks into them, too,
 * since such a file is not in Git's index before it is added.  A text file in Git's directory, one
 * path from the top a line; it grows by what is new, and loses what is gone.
 */
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/lockfile.h"
#include "lib/repo/source_internal.h"

enum { PLACES_MAX = 1 << 20 }; /* bytes of the list */

static int list_path(struct buf *out, const struct repo *repo)
{
	return buf_addf(out, "%s/dvx/pipelines", repo->dir->git_dir);
}

int source_places(struct strvec *out, const struct repo *repo)
{
	struct buf path = BUF_INIT, text = {.max = PLACES_MAX};
	int rc = list_path(&path, repo);

	if (rc == 0)
		rc = buf_read_file(&text, path.p);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	for (const char *p = buf_str(&text); rc == 0 && *p != '\0';) {
		const size_t len = strcspn(p, "\n");

		if (len > 0)
			rc = strvec_pushn(out, p, len);
		p += len + (p[len] == '\n');
	}
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int has_place(const struct strvec *places, const char *dir)
{
	for (size_t i = 0; i < places->n; i++)
		if (strcmp(places->v[i], dir) == 0)
			return 1;
	return 0;
}

/* The new list: what is still there, and `dir`. */
static int make_list(
	struct buf *text, const struct repo *repo, const struct strvec *places, const char *dir)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < places->n; i++) {
		buf_reset(&path);
		rc = fs_join(&path, repo->dir->worktree, places->v[i]);
		if (rc == 0 && fs_exists(path.p))
			rc = buf_addf(text, "%s\n", places->v[i]);
	}
	if (rc == 0)
		rc = buf_addf(text, "%s\n", dir);
	buf_release(&path);
	return rc;
}

/* Under a lock of its own, which is not removed. */
static int add_place(const struct repo *repo, const char *dir)
{
	struct buf path = BUF_INIT, lock = BUF_INIT, text = {.max = PLACES_MAX};
	struct strvec places = STRVEC_INIT;
	int fd = -1, rc = list_path(&path, repo);

	if (rc == 0)
		rc = buf_addf(&lock, "%s.lock", path.p);
	if (rc == 0)
		rc = fd = flock_take_mkdirs(lock.p, -1);
	if (rc >= 0)
		rc = source_places(&places, repo);
	if (rc == 0 && !has_place(&places, dir))
		rc = make_list(&text, repo, &places, dir);
	if (rc == 0 && text.len > 0)
		rc = fs_replace_file(path.p, text.p, text.len, 0);
	if (fd >= 0)
		close(fd);
	strvec_release(&places);
	buf_release(&path);
	buf_release(&lock);
	buf_release(&text);
	return rc;
}

int source_remember(const struct repo *repo, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct strvec places = STRVEC_INIT;
	struct buf dir = BUF_INIT;
	int rc = 0;

	if (slash == NULL || strchr(path, '\n') != NULL)
		return 0;
	rc = buf_add(&dir, path, (size_t)(slash - path));
	if (rc == 0)
		rc = source_places(&places, repo);
	if (rc == 0 && !has_place(&places, dir.p))
		rc = add_place(repo, dir.p);
	strvec_release(&places);
	buf_release(&dir);
	return rc;
}
