/*
 * Names and paths inside one repository: object names by the repository's hash, and the way from
 * what a user typed in some directory to the path that Git knows, and the Git directories that its
 * worktrees have.
 */
#include "lib/repo/repo.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "lib/base/err.h"

int repo_init(struct repo *out, const struct gitdir *g, const struct config *c)
{
	int len = config_hash_len(c);

	*out = (struct repo){.dir = g, .config = c, .hash_len = len};
	return len < 0 ? err_prefix(len, "'%s'", g->git_dir) : 0;
}

void repo_id_hex(char out[static REPO_HEX_MAX + 1], const struct repo *r, const uint8_t *id)
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = 0; i < r->hash_len; i++) {
		out[2 * i] = digits[id[i] >> 4];
		out[2 * i + 1] = digits[id[i] & 15];
	}
	out[2 * i] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int repo_id_parse(uint8_t out[static REPO_ID_MAX], const struct repo *r, const char *hex)
{
	int i, high, low;

	memset(out, 0, REPO_ID_MAX);
	for (i = 0; i < r->hash_len; i++) {
		high = hex_value(hex[2 * i]);
		low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);
		if (low < 0)
			return err_set(ERR_INVALID, "not an object name: '%.64s'", hex);
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int repo_id_is_zero(const uint8_t *id)
{
	static const uint8_t zero[REPO_ID_MAX];

	return memcmp(id, zero, sizeof zero) == 0;
}

/* Drop the last component of out[base..]; 0 when there is none. */
static int path_up(struct buf *out, size_t base)
{
	size_t len = out->len;

	if (len == base)
		return 0;
	while (len > base && out->p[len - 1] != '/')
		len--;
	if (len > base)
		len--;
	buf_truncate(out, len);
	return 1;
}

/* Append the components of `text`, resolving "." and ".."; ERR_INVALID when they climb over `base`.
 */
static int path_append(struct buf *out, size_t base, const char *text)
{
	size_t len;
	int rc;

	for (; *text; text += len) {
		text += strspn(text, "/");
		len = strcspn(text, "/");
		if (!len || (len == 1 && text[0] == '.'))
			continue;
		if (len == 2 && !memcmp(text, "..", 2)) {
			if (!path_up(out, base))
				return ERR_INVALID;
			continue;
		}
		if (out->len > base && (rc = buf_addch(out, '/')) < 0)
			return rc;
		if ((rc = buf_add(out, text, len)) < 0)
			return rc;
	}
	return 0;
}

int repo_path(struct buf *out, const struct repo *r, const char *typed)
{
	const char *worktree = r->dir->worktree; /* NULL in a bare repository: paths of trees */
	size_t base = out->len, top = worktree != NULL ? strlen(worktree) : 0;
	int rc = 0;

	if (typed[0] == '/') {
		if (worktree == NULL || strncmp(typed, worktree, top) != 0 ||
			(typed[top] != '/' && typed[top] != '\0'))
			rc = ERR_INVALID;
		else
			typed += top;
	} else if (r->dir->prefix) {
		rc = path_append(out, base, r->dir->prefix);
	}
	if (!rc)
		rc = path_append(out, base, typed);
	if (rc == ERR_INVALID) {
		buf_truncate(out, base);
		err_set(rc, "'%s' is outside of the repository at '%s'", typed,
			worktree != NULL ? worktree : r->dir->git_dir);
	}
	if (!rc && !out->p)
		rc = buf_add(out, "", 0);
	return rc;
}

int repo_relative(struct buf *out, const struct repo *r, const char *path)
{
	const char *prefix = r->dir->prefix != NULL ? r->dir->prefix : "";
	size_t same = 0;
	int rc = 0;

	for (size_t i = 0; prefix[i] != '\0' && prefix[i] == path[i]; i++)
		if (prefix[i] == '/')
			same = i + 1;
	for (const char *p = prefix + same; rc == 0 && *p != '\0'; p++)
		if (*p == '/')
			rc = buf_addstr(out, "../");
	return rc == 0 ? buf_addstr(out, path + same) : rc;
}

int repo_each_git_dir(
	const struct repo *repo, int (*fn)(const char *git_dir, void *data), void *data)
{
	struct buf path = BUF_INIT;
	struct dirent *d;
	DIR *dir = NULL;
	size_t before;
	int rc = fn(repo->dir->common_dir, data);

	if (rc == 0)
		rc = buf_addf(&path, "%s/worktrees", repo->dir->common_dir);
	if (rc == 0)
		dir = opendir(path.p);
	if (rc == 0 && !dir && errno != ENOENT)
		rc = err_sys("cannot read '%s'", path.p);
	before = path.len;
	while (dir && rc == 0 && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		rc = buf_addf(&path, "/%s", d->d_name);
		if (rc == 0)
			rc = fn(path.p, data);
		buf_truncate(&path, before);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return rc;
}
