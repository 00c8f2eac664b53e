/*
 * What kind of place a remote's URL or path is, by its text alone (see remotes_internal.h).
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/url.h"
#include "lib/setup/remotes_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int remotes_check_url(const char *url)
{
	if (!*url)
		return err_set(ERR_INVALID, "empty remote URL");
	if (*url == '-')
		return err_set(ERR_INVALID, "remote URL '%s' begins with '-'", url);
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(ERR_INVALID, "remote URL with a control character");
	return 0;
}

int remotes_is_local_path(const char *url)
{
	const char *colon = strchr(url, ':'), *slash = strchr(url, '/');

	return !colon || (slash && slash < colon);
}

int remotes_kind_of_url(const char *url)
{
	static const struct {
		const char *scheme;
		enum remote_kind kind;
	} kinds[] = {{"s3://", REMOTE_S3}, {"ssh://", REMOTE_SSH}, {"rclone://", REMOTE_RCLONE},
		{"https://", REMOTE_LFS}, {"http://", REMOTE_LFS}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncasecmp(url, kinds[i].scheme, strlen(kinds[i].scheme)) == 0)
			return kinds[i].kind;
	/* host:path, as scp and Git have it */
	return strstr(url, "://") || remotes_is_local_path(url) ? ERR_UNSUPPORTED : REMOTE_SSH;
}

int remotes_path_of_file_url(struct buf *out, const char *url)
{
	static const char scheme[] = "file://", local[] = "localhost/";
	const char *p = url + sizeof scheme - 1;
	int rc = 0;

	if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
		return 0;
	if (strncasecmp(p, local, sizeof local - 1) == 0)
		p += sizeof local - 2;
	if (*p != '/')
		return err_set(ERR_INVALID, "'%s' names another host; write file:///path", url);
	for (; *p && rc == 0; p++) {
		if (*p == '%' && url_hex_value(p[1]) >= 0 && url_hex_value(p[2]) >= 0) {
			int byte = url_hex_value(p[1]) << 4 | url_hex_value(p[2]);

			if (byte < 0x20 || byte == 0x7f)
				return err_set(
					ERR_INVALID, "'%s' encodes a control character", url);
			rc = buf_addch(out, (char)byte);
			p += 2;
		} else {
			rc = buf_addch(out, *p);
		}
	}
	return rc < 0 ? rc : 1;
}

/* What relative URLs of the configuration are relative to. */
static const char *base_directory(const struct gitdir *g)
{
	return g->worktree ? g->worktree : g->git_dir;
}

int remotes_path_of_url(struct buf *out, const struct gitdir *g, const char *url, int *relative)
{
	const char *home = getenv("HOME");
	int rc;

	*relative = 0;
	rc = remotes_path_of_file_url(out, url);
	if (rc != 0)
		return rc;
	if (!remotes_is_local_path(url))
		return 0;
	if (url[0] == '~' && (!url[1] || url[1] == '/')) {
		if (!home || home[0] != '/')
			return err_set(ERR_INVALID, "cannot expand '%s': HOME is not set", url);
		rc = buf_addf(out, "%s%s", home, url + 1);
	} else if (url[0] == '/') {
		rc = buf_addstr(out, url);
	} else {
		*relative = 1;
		rc = fs_join(out, base_directory(g), url);
	}
	return rc < 0 ? rc : 1;
}
