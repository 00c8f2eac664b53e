/*
 * In-tree configuration (see intree.h).  Read and parsed here, without Git, while the file is in
 * the worktree; when one is not there (bare repository, sparse checkout, the middle of a clone) one
 * `git cat-file --batch` looks in the index and in HEAD.
 */
#include "lib/setup/intree.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/setup/gitconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, REFUSED_MAX = 1000 };

/* Never commands, agents, storage paths, TLS or credentials.  '*' stands for any subsection. */
static const char *const lfs_allowed[] = {"lfs.allowincompletepush", "lfs.fetchexclude",
	"lfs.fetchinclude", "lfs.gitprotocol", "lfs.locksverify", "lfs.pushurl",
	"lfs.skipdownloaderrors", "lfs.url", "lfs.*.access", "remote.*.lfsurl", NULL};
static const char *const dvx_allowed[] = {"dvx.remote", "dvx.minsize", "dvx.version",
	"dvx.rehydrate", "dvx-remote.*.url", "dvx-remote.*.region", "dvx-remote.*.endpointurl",
	"dvx-remote.*.profile", "dvx-remote.*.storageclass", "dvx-remote.*.addressingstyle",
	"dvx-remote.*.sse", "dvx-remote.*.ssekmskeyid", "dvx-table.*.key", NULL};
/* What may be in no file that is committed, and was leaked if it is. */
static const char *const secrets[] = {"dvx-remote.*.accesskeyid", "dvx-remote.*.secretaccesskey",
	"dvx-remote.*.sessiontoken", "dvx-remote.*.password", "dvx-remote.*.ssecustomerkey", NULL};

static const struct {
	const char *name;
	const char *const *allowed;
} files[] = {{".lfsconfig", lfs_allowed}, {".dvxconfig", dvx_allowed}};

enum { N_FILES = sizeof files / sizeof *files };

struct sink {
	struct strvec *pairs;
	struct buf *refused;
	const char *name;
	const char *const *allowed;
};

/* "section.*.key" against a normalised key. */
static int matches(const char *pattern, const char *key)
{
	const char *star = strchr(pattern, '*');
	size_t head, tail, len = strlen(key);

	if (!star)
		return strcmp(pattern, key) == 0;
	head = (size_t)(star - pattern);
	tail = strlen(star + 1);
	return len > head + tail && memcmp(pattern, key, head) == 0 &&
	       strcmp(key + len - tail, star + 1) == 0;
}

/* The name of a refused key ends up on a terminal. */
static int refuse(struct sink *s, const char *key)
{
	struct buf *out = s->refused;
	int rc;

	if (out->len > REFUSED_MAX)
		return 0;
	rc = buf_addf(out, "%s%s: ", out->len ? ", " : "", s->name);
	for (; rc == 0 && *key; key++)
		rc = buf_addch(out, (unsigned char)*key < 0x20 || *key == 0x7f ? '?' : *key);
	if (rc == 0 && out->len > REFUSED_MAX)
		rc = buf_addstr(out, ", …");
	return rc;
}

static int matches_any(const char *const *patterns, const char *key)
{
	for (; *patterns; patterns++)
		if (matches(*patterns, key))
			return 1;
	return 0;
}

size_t intree_url_secret(const char *url, size_t *at)
{
	const char *rest = strstr(url, "://"), *end, *colon;

	if (!rest || (size_t)(rest - url) != strcspn(url, ":/"))
		return 0;
	rest += 3;
	end = memrchr(rest, '@', strcspn(rest, "/?#"));
	colon = end ? memchr(rest, ':', (size_t)(end - rest)) : NULL;
	if (!colon)
		return 0;
	*at = (size_t)(colon + 1 - url);
	return (size_t)(end - colon - 1);
}

/* 1 if the setting is a secret, which has no place in a file of the tree. */
static int is_leak(const struct sink *s, const char *key, const char *value)
{
	size_t at;

	return s->allowed == dvx_allowed && *value &&
	       (matches_any(secrets, key) ||
		       (matches("dvx-remote.*.url", key) && intree_url_secret(value, &at) > 0));
}

static int push_pair(struct strvec *pairs, const char *key, const char *value)
{
	int rc = strvec_push(pairs, key);

	return rc < 0 ? rc : strvec_push(pairs, value);
}

/* The URL without its password still counts, so that the remote is there to be mended. */
static int take_leak(struct sink *s, const char *key, const char *value)
{
	struct buf url = BUF_INIT;
	size_t at, len = intree_url_secret(value, &at);
	int rc = push_pair(s->pairs, INTREE_LEAK_KEY, key);

	if (rc == 0 && matches("dvx-remote.*.url", key)) {
		rc = buf_addf(&url, "%.*s%s", (int)at - 1, value, value + at + len);
		if (rc == 0)
			rc = push_pair(s->pairs, key, url.p);
	}
	buf_release(&url);
	return rc < 0 ? rc : refuse(s, key);
}

static int take_setting(const char *key, const char *value, void *data)
{
	struct sink *s = data;

	if (is_leak(s, key, value))
		return take_leak(s, key, value);
	return matches_any(s->allowed, key) ? push_pair(s->pairs, key, value) : refuse(s, key);
}

/* Conflict marks, and names as DVC spells them, are what such a file is broken by most often. */
static int broken(void)
{
	return err_set(ERR_INVALID,
		"%s; it is written as git-config(1) says, without conflict marks and without '_' "
		"in names",
		err_msg());
}

int intree_parse(
	struct strvec *pairs, struct buf *refused, const char *name, const char *text, size_t len)
{
	for (size_t i = 0; i < N_FILES; i++) {
		struct sink s = {pairs, refused, name, files[i].allowed};
		int rc;

		if (strcmp(files[i].name, name) != 0)
			continue;
		rc = gitconf_parse(text, len, name, take_setting, &s);
		return rc == ERR_INVALID ? broken() : rc;
	}
	return err_set(ERR_INVALID, "'%s' is not a configuration file of the tree", name);
}

/* The file of the worktree.  1, 0 if it is not there (a link counts as not there, as for
 * .gitattributes), negative. */
static int read_worktree(struct buf *out, const struct gitdir *g, const char *name)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd = -1, rc;

	if (!g->worktree)
		return 0;
	rc = fs_join(&path, g->worktree, name);
	if (rc < 0)
		goto done;
	fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR)
			rc = err_sys("cannot open '%s'", path.p);
		goto done;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		goto done;
	out->max = FILE_MAX;
	rc = buf_read_fd(out, fd);
	rc = rc < 0 ? err_prefix(rc, "cannot read '%s'", path.p) : 1;
done:
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return rc;
}

/* Cut one answer of `cat-file --batch` off the front of *p.  1 and the blob's place, 0 for
 * "missing", or negative. */
static int next_answer(const char **p, const char *end, const char **blob, size_t *len)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	const char *word;
	char *rest;
	unsigned long long size;

	if (!nl)
		goto bad;
	word = memmem(*p, (size_t)(nl - *p), " blob ", 6);
	*p = nl + 1;
	if (!word)
		return 0;
	size = strtoull(word + 6, &rest, 10);
	if (rest != nl || size >= (size_t)(end - *p))
		goto bad;
	*blob = *p;
	*len = (size_t)size;
	*p += size + 1;
	return 1;
bad:
	return err_set(ERR_CORRUPT, "unexpected answer of 'git cat-file'");
}

/* Of the files with missing[i], what index or HEAD has.  1 if anything was found, 0, negative. */
static int read_objects(struct strvec *pairs, struct buf *refused, const struct gitdir *g,
	const int missing[N_FILES])
{
	static const char *const places[] = {"", "HEAD"};
	struct run git = RUN_INIT;
	struct buf input = BUF_INIT, output = BUF_INIT;
	const char *p, *end;
	int rc = 0, found = 0;

	for (int i = 0; i < N_FILES; i++)
		for (int j = 0; j < 2 && missing[i] && rc == 0; j++)
			rc = buf_addf(&input, "%s:%s\n", places[j], files[i].name);
	if (rc < 0 || (rc = strvec_pushl(&git.argv, "git", "cat-file", "--batch", NULL)) < 0)
		goto done;
	if ((rc = strvec_pushf(&git.env, "GIT_DIR=%s", g->git_dir)) < 0 ||
		(rc = strvec_pushf(&git.env, "GIT_INDEX_FILE=%s", g->index)) < 0 ||
		(rc = strvec_push(&git.env, "GIT_NO_LAZY_FETCH=1")) < 0)
		goto done;
	git.err = RUN_NULL;
	output.max = 8 * FILE_MAX;
	rc = run_capture(&git, input.p, input.len, &output);
	if (rc != 0) {
		/* a damaged repository: Git will say so in its own words where it matters */
		rc = rc < 0 ? rc : 0;
		goto done;
	}
	p = output.p;
	end = output.p + output.len;
	for (int i = 0; i < N_FILES && rc >= 0; i++) {
		int have = 0;

		for (int j = 0; j < 2 && missing[i] && rc >= 0; j++) {
			const char *blob = NULL;
			size_t len = 0;

			rc = next_answer(&p, end, &blob, &len);
			if (rc <= 0 || have)
				continue;
			have = found = 1;
			rc = intree_parse(pairs, refused, files[i].name, blob, len);
		}
	}
done:
	run_release(&git);
	buf_release(&input);
	buf_release(&output);
	return rc < 0 ? rc : found;
}

int intree_load(struct strvec *pairs, struct buf *refused, const struct gitdir *g)
{
	int missing[N_FILES] = {0};
	int rc = 0, any_missing = 0;

	for (int i = 0; i < N_FILES && rc >= 0; i++) {
		struct buf text = BUF_INIT;

		rc = read_worktree(&text, g, files[i].name);
		missing[i] = rc == 0;
		any_missing |= missing[i];
		if (rc > 0)
			rc = intree_parse(pairs, refused, files[i].name, text.p, text.len);
		buf_release(&text);
	}
	if (rc >= 0 && any_missing)
		rc = read_objects(pairs, refused, g, missing);
	return rc;
}

/* A secret in a committed file is everybody's; until it is gone from there, no remote is used. */
int intree_check_leak(const struct config *c)
{
	static const char head[] = "dvx-remote.";
	const char *key = config_get(c, INTREE_LEAK_KEY), *dot = key ? strrchr(key, '.') : NULL;
	int len;

	if (!dot || strncmp(key, head, sizeof head - 1) != 0)
		return 0;
	len = (int)(dot - key - (ptrdiff_t)(sizeof head - 1));
	key += sizeof head - 1;
	if (strcmp(dot, ".url") == 0)
		return err_set(ERR_DENIED,
			"the URL of remote '%.*s' in .dvxconfig holds a password, which everybody "
			"who has this repository can read: consider it leaked and change it where "
			"it is valid; then 'git dvx remote modify %.*s url <URL without it>' and "
			"'git dvx remote modify %.*s password <new one>', which goes to "
			".git/config",
			len, key, len, key, len, key);
	return err_set(ERR_DENIED,
		".dvxconfig holds a secret (%s%s), which everybody who has this repository can "
		"read: consider it leaked and replace it where it is valid; then, at the top of "
		"the work tree, 'git config -f .dvxconfig --unset-all %s%s' and 'git dvx remote "
		"modify %.*s %s <new one>', which goes to .git/config",
		head, key, head, key, len, key, dot + 1);
}

/* A directory inside of a '.git' is no place for blobs: its hooks and settings would have company
 * that others may have chosen. */
int intree_check_place(const char *name, const char *path)
{
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");

		if (len == 4 && strncasecmp(p, ".git", 4) == 0)
			return err_set(ERR_DENIED,
				"remote '%s' leads into a '.git' directory ('%s'); give it another "
				"place by 'git dvx remote modify %s url <url>'",
				name, path, name);
		p += len + (p[len] == '/');
	}
	return 0;
}
