/*
 * Lockable files after a checkout, merge or commit: Git has written them anew, so they are writable
 * again.  Nothing is looked at where no attribute says `lockable`.
 */
#include <string.h>

#include "hooks/post.h"
#include "lib/base/err.h"
#include "lib/repo/git.h"
#include "lib/repo/lockable.h"

/* Paths, each ended by NUL, as Git's --name-only -z prints them.  Changed attributes may concern
 * any file: then 1. */
static int split(struct strvec *out, const struct buf *names)
{
	int rc = 0, attributes = 0;

	for (size_t at = 0; rc == 0 && at < names->len; at += strlen(names->p + at) + 1) {
		const char *path = names->p + at, *slash = strrchr(path, '/');

		attributes |= strcmp(slash ? slash + 1 : path, ".gitattributes") == 0;
		rc = strvec_push(out, path);
	}
	return rc < 0 ? rc : attributes;
}

static int is_zero(const char *id)
{
	return strspn(id, "0") == strlen(id);
}

/* What the command changed: the status of Git, 0 when it knows. */
static int list_changed(
	struct buf *out, const struct repo *repo, const char *hook, char *const *v, int n)
{
	if (strcmp(hook, "post-checkout") == 0 && n == 3 && strcmp(v[2], "1") == 0 &&
		!is_zero(v[0]) && !is_zero(v[1]))
		return git_status_of(repo, NULL, 0, out, "diff-tree", "-r", "-z", "--name-only",
			"--no-renames", v[0], v[1], "--", (char *)NULL);
	if (strcmp(hook, "post-commit") == 0)
		return git_status_of(repo, NULL, 0, out, "diff-tree", "-r", "-z", "--name-only",
			"--no-renames", "--no-commit-id", "--root", "-m", "HEAD", "--",
			(char *)NULL);
	if (strcmp(hook, "post-merge") == 0) /* a squash leaves HEAD where it was */
		return git_status_of(repo, NULL, 0, out, "diff-index", "--cached", "-z",
			"--name-only", "--no-renames", "ORIG_HEAD", "--", (char *)NULL);
	return 1; /* files were checked out, nobody says which; or a first checkout */
}

int post_modes(const struct repo *repo, const char *hook, char *const *v, int n)
{
	struct strvec paths = STRVEC_INIT;
	struct buf names = BUF_INIT;
	int rc = lockable_any(repo), everything = 1;

	if (rc <= 0)
		return rc;
	rc = list_changed(&names, repo, hook, v, n);
	if (rc == 0) {
		rc = split(&paths, &names);
		everything = rc != 0;
	}
	if (rc >= 0)
		rc = lockable_apply(repo, everything ? NULL : &paths);
	strvec_release(&paths);
	buf_release(&names);
	return rc < 0 ? rc : 0;
}
