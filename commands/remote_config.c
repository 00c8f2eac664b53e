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

/* ---- URLs ---- */

/* Length of "s3" in "s3://bucket"; 0 when it is no URL. */
static size_t scheme_len(const char *url)
{
	size_t n = 0;

	while (isalnum((unsigned char)url[n]) ||
		(n > 0 && strchr("+.-", url[n]) != NULL && url[n] != '\0'))
		n++;
	return n > 0 && strncmp(url + n, "://", 3) == 0 ? n : 0;
}

const char *remote_url_unsupported(const char *url)
{
	static const char *const schemes[] = {"s3", "ssh", "http", "https", "rclone"};
	size_t n = scheme_len(url);

	for (size_t i = 0; n > 0 && i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i]) == n && strncmp(schemes[i], url, n) == 0)
			return schemes[i];
	return NULL;
}

int remote_url_has_secret(const char *url)
{
	size_t n = scheme_len(url), host_end, at;
	const char *rest = url + n + 3, *colon;

	if (n == 0)
		return 0;
	host_end = strcspn(rest, "/?#");
	for (at = host_end; at > 0 && rest[at - 1] != '@'; at--)
		;
	colon = memchr(rest, ':', at);
	return at > 0 && colon != NULL;
}

/* LF, CR and NUL, also percent-encoded, are how one request is made into two. */
static int has_control(const char *url)
{
	for (const char *p = url; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return 1;
		if (p[0] == '%' && p[1] == '0' && (p[2] == '0' || strchr("aAdD", p[2]) != NULL) &&
			p[2] != '\0')
			return 1;
	}
	return 0;
}

static int check_url(const char *url, size_t scheme)
{
	const char *host = url + scheme + 3;

	if (strncmp(url, "file", scheme) == 0 && scheme == 4)
		return *host == '/' ? 0
				    : err_set(ERR_INVALID,
					      "bad URL '%s'; write file:///absolute/path", url);
	if (remote_url_unsupported(url) == NULL)
		return err_set(ERR_INVALID,
			"unknown kind of remote '%.*s://'; known are a directory, file://, s3://, "
			"ssh://, "
			"http://, https:// and rclone://REMOTE:PATH for every other provider",
			(int)scheme, url);
	if (*host == '\0' || *host == '/')
		return err_set(ERR_INVALID, "no host or bucket in '%s'", url);
	if (*host == '-')
		return err_set(ERR_INVALID, "a host that begins with a dash is refused: '%s'", url);
	return 0;
}

int remote_path_from_top(struct buf *out, const char *prefix, const char *typed)
{
	struct buf all = BUF_INIT;
	size_t start = out->len;
	int rc = buf_addf(&all, "%s%s", prefix, typed);

	for (const char *p = buf_str(&all); rc == 0 && *p != '\0';) {
		size_t len = strcspn(p, "/"), last;

		for (last = out->len; last > start && out->p[last - 1] != '/'; last--)
			;
		if (len == 2 && memcmp(p, "..", 2) == 0 && out->len > start &&
			strcmp(out->p + last, "..") != 0)
			buf_truncate(out, last > start ? last - 1 : start);
		else if (len > 0 && !(len == 1 && *p == '.')) {
			if (out->len > start)
				rc = buf_addch(out, '/');
			if (rc == 0)
				rc = buf_add(out, p, len);
		}
		p += len + (p[len] == '/');
	}
	buf_release(&all);
	return rc;
}

static int normalise_path(
	struct buf *out, struct buf *inside, const struct repo *repo, const char *typed)
{
	const char *top = repo->dir->worktree, *prefix = repo->dir->prefix;
	size_t start = out->len, top_len = top != NULL ? strlen(top) : 0;
	int rc;

	if (typed[0] == '/' || (typed[0] == '~' && (typed[1] == '/' || typed[1] == '\0'))) {
		rc = buf_addstr(out, typed);
		while (out->len > start + 1 && out->p[out->len - 1] == '/')
			buf_truncate(out, out->len - 1);
		if (rc == 0 && inside != NULL && top != NULL && strncmp(typed, top, top_len) == 0 &&
			typed[top_len] == '/')
			rc = remote_path_from_top(inside, "", out->p + start + top_len + 1);
		return rc;
	}
	if (top == NULL)
		return err_set(ERR_INVALID,
			"'%s' is a relative path; a bare repository needs an absolute one", typed);
	rc = remote_path_from_top(out, prefix != NULL ? prefix : "", typed);
	if (rc == 0 && out->len == start)
		rc = err_set(ERR_INVALID, "the top of the work tree can't be a blob remote");
	if (rc == 0 && inside != NULL && strncmp(out->p + start, "..", 2) != 0)
		rc = buf_addstr(inside, out->p + start);
	return rc;
}

int remote_url_normalise(
	struct buf *out, struct buf *inside, const struct repo *repo, const char *typed)
{
	size_t scheme = scheme_len(typed), colon = strcspn(typed, ":/");
	int rc;

	if (*typed == '\0' || has_control(typed))
		return err_set(ERR_INVALID, "bad URL '%s'", typed);
	if (scheme > 0) {
		rc = check_url(typed, scheme);
		return rc < 0 ? rc : buf_addstr(out, typed);
	}
	if (typed[colon] == ':')
		return err_set(ERR_INVALID,
			"'%s' looks like host:path; write ssh://host/path, or ./%s for a directory",
			typed, typed);
	return normalise_path(out, inside, repo, typed);
}

/* ---- options ---- */

static const struct {
	const char *option, *variable;
	int secret;
} remote_options[] = {
	{"url", "url", 0},
	{"endpointurl", "endpointurl", 0},
	{"region", "region", 0},
	{"profile", "profile", 0},
	{"storageclass", "storageclass", 0},
	{"access_key_id", "accessKeyId", 1},
	{"secret_access_key", "secretAccessKey", 1},
	{"session_token", "sessionToken", 1},
	{"password", "password", 1},
};

const char *remote_option_variable(const char *option, int *secret)
{
	for (size_t i = 0; i < sizeof(remote_options) / sizeof(remote_options[0]); i++)
		if (strcasecmp(option, remote_options[i].option) == 0 ||
			strcasecmp(option, remote_options[i].variable) == 0) {
			*secret = remote_options[i].secret;
			return remote_options[i].variable;
		}
	return NULL;
}

const char *remote_option_names(void)
{
	return "url, endpointurl, region, profile, storageclass, access_key_id, secret_access_key, "
	       "session_token, password";
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
