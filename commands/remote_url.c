/*
 * What may be typed as the place of a blob remote (see remote_url.h).
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "commands/remote_url.h"
#include "lib/base/err.h"
#include "lib/setup/intree.h"

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
	static const char *const schemes[] = {"http", "https"};
	size_t n = scheme_len(url);

	for (size_t i = 0; n > 0 && i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i]) == n && strncasecmp(schemes[i], url, n) == 0)
			return schemes[i];
	return NULL;
}

int remote_url_masked(struct buf *out, const char *url)
{
	size_t at, len = intree_url_secret(url, &at);

	if (len == 0)
		return buf_addstr(out, url);
	return buf_addf(out, "%.*s…%s", (int)at, url, url + at + len);
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

/* As git-dvx-transfer will read it: settings of rclone in a URL can run programs. */
static int check_rclone(const char *url, const char *remote)
{
	size_t len = strcspn(remote, ":/");

	if (len == 0 || remote[len] != ':' || remote[0] == ' ' || remote[len - 1] == ' ')
		return err_set(ERR_INVALID,
			"no name of an rclone remote in '%s'; write rclone://REMOTE:PATH ('rclone "
			"listremotes' shows the names)",
			url);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)remote[i]) && strchr("_.+@ -", remote[i]) == NULL)
			return err_set(ERR_INVALID,
				"'%.*s' in '%s' is no name of an rclone remote; what is to be set "
				"of one is set by 'rclone config'",
				(int)len, remote, url);
	return 0;
}

static int is_scheme(const char *url, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(url, name, len) == 0;
}

static int check_url(const char *url, size_t scheme)
{
	const char *host = url + scheme + 3;
	struct buf masked = BUF_INIT;

	if (is_scheme(url, scheme, "file"))
		return *host == '/' ? 0
				    : err_set(ERR_INVALID,
					      "bad URL '%s'; write file:///absolute/path", url);
	if (!is_scheme(url, scheme, "s3") && !is_scheme(url, scheme, "ssh") &&
		!is_scheme(url, scheme, "rclone") && remote_url_unsupported(url) == NULL)
		return err_set(ERR_INVALID,
			"unknown kind of remote '%.*s://'; known are a directory, file://, s3://, "
			"ssh://, http://, https:// and rclone://REMOTE:PATH for every other "
			"provider",
			(int)scheme, url);
	if (remote_url_masked(&masked, url) < 0)
		err_clear();
	if (*host == '\0' || *host == '/')
		err_set(ERR_INVALID, "no host or bucket in '%s'", buf_str(&masked));
	else if (*host == '-')
		err_set(ERR_INVALID, "a host that begins with a dash is refused: '%s'",
			buf_str(&masked));
	else
		host = NULL;
	buf_release(&masked);
	if (host != NULL)
		return ERR_INVALID; /* message set above */
	return is_scheme(url, scheme, "rclone") ? check_rclone(url, url + scheme + 3) : 0;
}

/* [user@]host:path, as scp and Git have it. */
static int check_scp(const char *url)
{
	const char *colon = strchr(url, ':'), *at = memchr(url, '@', (size_t)(colon - url));
	const char *host = at != NULL ? at + 1 : url;

	if (*url == '-' || *host == '-' || colon[1] == '-')
		return err_set(ERR_INVALID,
			"a host or path that begins with a dash is refused: '%s'", url);
	if (host == colon || colon[1] == '\0')
		return err_set(ERR_INVALID,
			"'%s' lacks a host or a path; write host:path, or ./%s for a directory",
			url, url);
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
	if (typed[colon] == ':') {
		rc = check_scp(typed);
		return rc < 0 ? rc : buf_addstr(out, typed);
	}
	return normalise_path(out, inside, repo, typed);
}
