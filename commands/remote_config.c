/*
 * Reading and writing the settings of blob remotes.  Files are changed by `git config`, so that
 * comments and order survive and Git's own locks are respected.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "commands/remote_config.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/repo/git.h"

int remote_name_check(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > 100 || name[0] == '-' || name[0] == '.')
		return err_set(ERR_INVALID, "bad remote name '%s'", name);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
			return err_set(ERR_INVALID,
				"bad remote name '%s'; use letters, digits, '.', '_' and '-'",
				name);
	return 0;
}

/* ---- the files ---- */

static const char *place_option(enum remote_where where)
{
	return where == REMOTE_LOCAL ? "--local" : "--file=" REMOTE_SHARED_FILE;
}

/* 1 if the file is there; a link or something odd in its place is refused: it would be written
 * through. */
static int place_exists(const struct repo *repo, enum remote_where where)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int rc;

	if (where == REMOTE_LOCAL)
		return 1;
	if (repo->dir->worktree == NULL)
		return 0;
	rc = fs_join(&path, repo->dir->worktree, REMOTE_SHARED_FILE);
	if (rc == 0 && lstat(buf_str(&path), &st) == 0)
		rc = S_ISREG(st.st_mode)
			     ? 1
			     : err_set(ERR_INVALID, "'%s' is no regular file", buf_str(&path));
	buf_release(&path);
	return rc;
}

/* 1 if `wanted`, or any key that begins with it, is set there. */
static int has_key(
	const struct repo *repo, enum remote_where where, const char *wanted, int as_prefix)
{
	struct buf out = BUF_INIT;
	size_t len = strlen(wanted);
	int rc = place_exists(repo, where), hit = 0;

	if (rc <= 0)
		return rc;
	rc = git_run(repo, NULL, 0, &out, "config", place_option(where), "--list", "--name-only",
		"-z", NULL);
	for (size_t at = 0; rc == 0 && at < out.len; at += strlen(out.p + at) + 1)
		hit |= as_prefix ? strncmp(out.p + at, wanted, len) == 0
				 : strcasecmp(out.p + at, wanted) == 0;
	buf_release(&out);
	return rc < 0 ? rc : hit;
}

int remote_config_set(
	const struct repo *repo, enum remote_where where, const char *key, const char *value)
{
	int rc = place_exists(repo, where);

	if (rc < 0)
		return rc;
	if (value == NULL) {
		rc = has_key(repo, where, key, 0);
		if (rc <= 0)
			return rc;
		return git_run(repo, NULL, 0, NULL, "config", place_option(where), "--unset-all",
			key, NULL);
	}
	if (where == REMOTE_SHARED && repo->dir->worktree == NULL)
		return err_set(ERR_INVALID,
			"a bare repository has no " REMOTE_SHARED_FILE "; use --local");
	return git_run(repo, NULL, 0, NULL, "config", place_option(where), "--replace-all", key,
		value, NULL);
}

int remote_config_has_key(const struct repo *repo, enum remote_where where, const char *key)
{
	return has_key(repo, where, key, 0);
}

int remote_config_has(const struct repo *repo, enum remote_where where, const char *name)
{
	struct buf prefix = BUF_INIT;
	int rc = buf_addf(&prefix, "dvx-remote.%s.", name);

	if (rc == 0)
		rc = has_key(repo, where, buf_str(&prefix), 1);
	buf_release(&prefix);
	return rc;
}

int remote_config_has_default(const struct repo *repo, enum remote_where where, const char *name)
{
	struct buf out = BUF_INIT;
	int rc = place_exists(repo, where);

	if (rc <= 0)
		return rc;
	rc = git_status_of(
		repo, NULL, 0, &out, "config", place_option(where), "--get", "dvx.remote", NULL);
	buf_rtrim(&out);
	if (rc >= 0)
		rc = rc == 0 && strcmp(buf_str(&out), name) == 0;
	buf_release(&out);
	return rc;
}

int remote_config_move(
	const struct repo *repo, enum remote_where where, const char *name, const char *new_name)
{
	struct buf from = BUF_INIT, to = BUF_INIT;
	int rc = buf_addf(&from, "dvx-remote.%s", name);

	if (rc == 0 && new_name != NULL)
		rc = buf_addf(&to, "dvx-remote.%s", new_name);
	if (rc == 0)
		rc = git_run(repo, NULL, 0, NULL, "config", place_option(where),
			new_name != NULL ? "--rename-section" : "--remove-section", buf_str(&from),
			new_name != NULL ? buf_str(&to) : NULL, NULL);
	buf_release(&from);
	buf_release(&to);
	return rc;
}

int remote_shared_begin(const struct repo *repo, int *restage)
{
	struct buf out = BUF_INIT;
	int rc = place_exists(repo, REMOTE_SHARED);

	*restage = 0;
	if (rc <= 0)
		return rc;
	rc = git_run(repo, NULL, 0, &out, "ls-files", "-z", "--", REMOTE_SHARED_FILE, NULL);
	if (rc == 0 && out.len > 0) {
		rc = git_status_of(repo, NULL, 0, NULL, "diff-files", "--quiet", "--",
			REMOTE_SHARED_FILE, NULL);
		*restage = rc == 0;
	}
	buf_release(&out);
	return rc < 0 ? rc : 0;
}

int remote_shared_end(const struct repo *repo, int restage)
{
	return restage ? git_run(repo, NULL, 0, NULL, "add", "--", REMOTE_SHARED_FILE, NULL) : 0;
}

/* "/stores/blob/" with what ignore files take for special escaped. */
static int exclude_line(struct buf *out, const char *path)
{
	int rc = buf_addch(out, '/');

	for (; rc == 0 && *path != '\0'; path++) {
		if (strchr("*?[\\", *path) != NULL)
			rc = buf_addch(out, '\\');
		if (rc == 0)
			rc = buf_addch(out, *path);
	}
	return rc < 0 ? rc : buf_addch(out, '/');
}

int remote_exclude(const struct repo *repo, const char *path, struct buf *line)
{
	struct buf file = BUF_INIT, text = BUF_INIT, probe = BUF_INIT;
	int rc = buf_addf(&probe, "%s/packs", path);

	if (rc == 0)
		rc = git_status_of(repo, NULL, 0, NULL, "check-ignore", "--quiet", "--",
			buf_str(&probe), NULL);
	if (rc <= 0)
		goto done; /* ignored already, or failed */
	rc = exclude_line(line, path);
	if (rc == 0)
		rc = fs_join(&file, repo->dir->common_dir, "info/exclude");
	if (rc == 0)
		rc = fs_mkdirs_parent(buf_str(&file));
	if (rc == 0 && fs_exists(buf_str(&file)))
		rc = buf_read_file(&text, buf_str(&file));
	if (rc == 0 && text.len > 0 && text.p[text.len - 1] != '\n')
		rc = buf_addch(&text, '\n');
	if (rc == 0)
		rc = buf_addf(&text, "%s\n", buf_str(line));
	if (rc == 0)
		rc = fs_replace_file(buf_str(&file), buf_str(&text), text.len, 0);
	if (rc == 0)
		rc = 1;
done:
	buf_release(&file);
	buf_release(&text);
	buf_release(&probe);
	return rc;
}
