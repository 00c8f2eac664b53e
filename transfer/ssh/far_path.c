/*
 * What a path means that a client asks for over SSH (see far_path.h).  A shell, or a program that
 * stands in its place, has made words of the far command; clients differ in what they quote.
 */
#include "transfer/ssh/far_path.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/setup/gitdir.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The home directory of `user` (len bytes; 0: our own). */
static int add_home(struct buf *out, const char *user, size_t len)
{
	const char *home = len ? NULL : getenv("HOME");
	char *name = strndup(user, len);
	struct passwd *p = NULL;
	int rc;

	if (!name)
		return err_set(ERR_NOMEM, "out of memory");
	if (!home)
		p = len ? getpwnam(name) : getpwuid(getuid());
	if (p)
		home = p->pw_dir;
	if (home && home[0] == '/')
		rc = buf_addstr(out, home);
	else
		rc = err_set(ERR_NOTFOUND, "no home directory of '~%s'", name);
	free(name);
	return rc;
}

int far_path_resolve(char **out, const char *path)
{
	size_t tilde = path[0] == '~' ? strcspn(path, "/") : 0;
	struct buf full = BUF_INIT;
	char *cwd = NULL;
	int rc = 0;

	if (tilde) {
		rc = add_home(&full, path + 1, tilde - 1);
		if (rc == 0)
			rc = buf_addstr(&full, path + tilde);
	} else {
		cwd = getcwd(NULL, 0);
		rc = cwd ? fs_join(&full, cwd, path) : err_sys("cannot find the current directory");
	}
	while (rc == 0 && full.len > 1 && full.p[full.len - 1] == '/')
		buf_truncate(&full, full.len - 1);
	free(cwd);
	if (rc == 0)
		*out = buf_detach(&full);
	buf_release(&full);
	return rc < 0 || *out ? rc : err_set(ERR_NOMEM, "out of memory");
}

/* Without quotes around all of it, and "/~/x" as "~/x": a copy, NULL when out of memory. */
static char *plain(const char *path)
{
	size_t len = strlen(path);
	int quoted = len >= 2 && (*path == '\'' || *path == '"') && path[len - 1] == *path;

	path += quoted;
	len -= quoted ? 2 : 0;
	if (len >= 2 && path[0] == '/' && path[1] == '~') {
		path++;
		len--;
	}
	return strndup(path, len);
}

int far_path_repository(char **out, const char *path)
{
	char *word = plain(path), *full = NULL;
	struct buf with_suffix = BUF_INIT;
	int rc = word ? 0 : err_set(ERR_NOMEM, "out of memory");

	*out = NULL;
	if (rc == 0 && !*word)
		rc = err_set(ERR_INVALID, "an empty path");
	if (rc == 0)
		rc = far_path_resolve(&full, word);
	if (rc < 0)
		goto done;
	rc = gitdir_of_path(out, full);
	if (rc == ERR_NOTFOUND && buf_addf(&with_suffix, "%s.git", full) == 0 &&
		gitdir_of_path(out, with_suffix.p) == 0)
		rc = 0;
	else if (rc == ERR_NOTFOUND)
		rc = err_set(ERR_NOTFOUND, "no git repository at '%s'", full);
done:
	buf_release(&with_suffix);
	free(full);
	free(word);
	return rc;
}
