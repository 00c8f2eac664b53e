/*
 * From a name to a place (see remotes.h).  Pure decisions over the configuration, and stats of the
 * directories it names; nothing is created and nobody is contacted here.
 */
#include "lib/setup/remotes.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/setup/intree.h"
#include "lib/setup/lfs_endpoint.h"
#include "lib/setup/remotes_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct resolver {
	const struct gitdir *g;
	const struct config *c;
};

/* The setting "<section>.<name>.<key>". */
static const char *named_setting(
	const struct config *c, const char *section, const char *name, const char *key)
{
	struct buf full = BUF_INIT;
	const char *value = NULL;

	if (buf_addf(&full, "%s.%s.%s", section, name, key) == 0)
		value = config_get(c, full.p);
	buf_release(&full);
	return value && *value ? value : NULL;
}

static const char *remote_setting(
	const struct resolver *r, const char *section, const char *name, const char *key)
{
	return named_setting(r->c, section, name, key);
}

const char *remotes_setting(const struct config *c, const char *name, const char *key)
{
	return named_setting(c, "dvx-remote", name, key);
}

/* The kind of a blob remote's URL that is not local. */
static int set_kind(struct remote_spec *s)
{
	int kind = remotes_kind_of_url(s->url);

	if (kind < 0)
		return err_set(ERR_UNSUPPORTED,
			"remote '%s': no such kind of URL '%s'; there are s3://, ssh://, "
			"rclone://, "
			"https:// (a Git LFS server), file:// and paths",
			s->name, s->url);
	s->kind = (enum remote_kind)kind;
	return 0;
}

static int copy(char **out, const char *text)
{
	free(*out);
	*out = strdup(text);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* The repository at a local Git URL, with the suffixes that Git itself tries. */
static int find_git_repository(char **out, const char *path)
{
	static const char *const suffixes[] = {"", ".git"};
	struct buf full = BUF_INIT;
	int rc = ERR_NOTFOUND;

	for (size_t i = 0; i < 2 && rc == ERR_NOTFOUND; i++) {
		buf_reset(&full);
		if ((rc = buf_addf(&full, "%s%s", path, suffixes[i])) == 0)
			rc = gitdir_of_path(out, full.p);
	}
	buf_release(&full);
	return rc;
}

static int new_spec(struct remote_spec **out, const char *name, const char *url)
{
	struct remote_spec *s = calloc(1, sizeof *s);

	*out = s;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	s->kind = REMOTE_LFS;
	if (copy(&s->name, name) < 0 || copy(&s->url, url) < 0)
		return ERR_NOMEM; /* message set by copy() */
	return 0;
}

static int use_git_url(
	struct remote_spec **out, const struct resolver *r, const char *name, const char *url)
{
	struct buf real = BUF_INIT, path = BUF_INIT;
	struct remote_spec *s = NULL;
	const char *local = lfs_endpoint_local(r->c, name);
	int relative;
	int rc = lfs_endpoint_rewrite(&real, r->c, local ? local : url, 0);

	if (rc < 0 || (rc = remotes_check_url(real.p)) < 0 || (rc = new_spec(&s, name, real.p)) < 0)
		goto done;
	if (!local && lfs_endpoint_is_configured(r->c, name)) {
		rc = copy(&s->git_remote, name);
		goto done;
	}
	rc = remotes_path_of_url(&path, r->g, real.p, &relative);
	if (rc == 0)
		rc = copy(&s->git_remote, name);
	if (rc < 0 || s->git_remote)
		goto done;
	s->kind = REMOTE_GITDIR;
	rc = find_git_repository(&s->path, path.p);
	if (rc < 0)
		err_prefix(rc, "remote '%s'", name);
done:
	buf_release(&real);
	buf_release(&path);
	if (rc < 0)
		remote_spec_free(s);
	else
		*out = s;
	return rc < 0 ? rc : 0;
}

static int use_git_remote(struct remote_spec **out, const struct resolver *r, const char *name)
{
	const char *url = remote_setting(r, "remote", name, "url");

	return use_git_url(out, r, name, url ? url : name);
}

static int is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A relative store that this clone lacks, in the worktree that it was cloned from: then that one is
 * meant.  1 and `path` replaced, 0, negative. */
static int store_of_origin(struct buf *path, const struct resolver *r, const char *relative_url)
{
	const char *url = remote_setting(r, "remote", "origin", "url");
	struct buf real = BUF_INIT, there = BUF_INIT, dot_git = BUF_INIT;
	int relative, rc;

	if (!url)
		return 0;
	if ((rc = lfs_endpoint_rewrite(&real, r->c, url, 0)) < 0 ||
		(rc = remotes_path_of_url(&there, r->g, real.p, &relative)) <= 0)
		goto done;
	rc = fs_join(&dot_git, there.p, ".git");
	if (rc < 0 || !fs_exists(dot_git.p) || (rc = buf_addf(&there, "/%s", relative_url)) < 0)
		goto done;
	rc = is_directory(there.p);
	if (rc) {
		buf_reset(path);
		rc = buf_addstr(path, there.p);
		rc = rc < 0 ? rc : 1;
	}
done:
	buf_release(&real);
	buf_release(&there);
	buf_release(&dot_git);
	return rc;
}

/* Is the URL of this remote one that a committed file set?  (What was typed is not.) */
static int is_from_tree(const struct resolver *r, const char *name, const char *url)
{
	struct buf key = BUF_INIT;
	const char *own = NULL;

	if (name == url)
		return 0;
	if (buf_addf(&key, "dvx-remote.%s.url", name) == 0)
		own = config_get_own(r->c, key.p);
	buf_release(&key);
	return !own || strcmp(own, url) != 0;
}

/* A blob remote's URL: a directory, a Git repository in one, or something for a later kind. */
static int use_blob_url(
	struct remote_spec **out, const struct resolver *r, const char *name, const char *url)
{
	struct buf path = BUF_INIT;
	struct remote_spec *s = NULL;
	int relative, rc;

	if ((rc = remotes_check_url(url)) < 0 || (rc = new_spec(&s, name, url)) < 0)
		goto done;
	rc = remotes_path_of_url(&path, r->g, url, &relative);
	if (rc == 0) {
		rc = set_kind(s);
		goto done;
	}
	if (rc < 0)
		goto done;
	if (relative && !is_directory(path.p) && (rc = store_of_origin(&path, r, url)) < 0)
		goto done;
	rc = gitdir_of_path(&s->path, path.p);
	if (rc == 0) {
		s->kind = REMOTE_GITDIR;
		goto done;
	}
	if (rc != ERR_NOTFOUND)
		goto done;
	if ((relative || is_from_tree(r, name, url)) &&
		(rc = intree_check_place(name, relative ? url : path.p)) < 0)
		goto done;
	s->kind = REMOTE_DIR;
	rc = copy(&s->path, path.p);
done:
	buf_release(&path);
	if (rc < 0)
		remote_spec_free(s);
	else
		*out = s;
	return rc < 0 ? rc : 0;
}

/* Something typed or configured: a blob remote, a Git remote, a URL. */
static int use_name(struct remote_spec **out, const struct resolver *r, const char *name)
{
	const char *url = remote_setting(r, "dvx-remote", name, "url");
	int rc = remotes_check_url(name);

	if (rc < 0)
		return rc;
	if (url)
		return use_blob_url(out, r, name, url);
	if (remote_setting(r, "remote", name, "url"))
		return use_git_remote(out, r, name);
	if (strpbrk(name, "/:") || *name == '~')
		return use_blob_url(out, r, name, name);
	return err_set(ERR_NOTFOUND,
		"no remote '%s'; 'git dvx remote list' shows what there is, 'git dvx remote add %s "
		"URL' makes it",
		name, name);
}

/* The Git remote that the current branch follows.  Borrowed from the configuration; NULL if none.
 */
static const char *upstream(const struct resolver *r)
{
	static const char prefix[] = "ref: refs/heads/";
	struct buf path = BUF_INIT, head = BUF_INIT;
	const char *remote = NULL;

	if (fs_join(&path, r->g->git_dir, "HEAD") == 0 && buf_read_file(&head, path.p) == 0) {
		buf_rtrim(&head);
		if (strncmp(head.p, prefix, sizeof prefix - 1) == 0)
			remote = remote_setting(r, "branch", head.p + sizeof prefix - 1, "remote");
	}
	buf_release(&path);
	buf_release(&head);
	return remote && strcmp(remote, ".") != 0 ? remote : NULL;
}

/* Collects the name of the only Git remote. */
struct only {
	const char *name; /* borrowed, not terminated */
	size_t len;
	int several;
};

static int note_remote(const char *key, const char *value, void *data)
{
	static const char head[] = "remote.", tail[] = ".url";
	struct only *o = data;
	size_t len = strlen(key), skip = sizeof head - 1 + sizeof tail - 1;

	(void)value;
	if (strncmp(key, head, sizeof head - 1) != 0 || len <= skip ||
		strcmp(key + len - (sizeof tail - 1), tail) != 0)
		return 0;
	key += sizeof head - 1;
	len -= skip;
	if (o->name && (o->len != len || memcmp(o->name, key, len) != 0))
		o->several = 1;
	o->name = key;
	o->len = len;
	return 0;
}

/* Without a blob remote: the Git remote's repository has room for the data. */
static int use_some_git_remote(
	struct remote_spec **out, const struct resolver *r, const char *git_remote)
{
	struct only only = {NULL, 0, 0};
	char *name;
	int rc;

	if (!git_remote || !*git_remote)
		git_remote = upstream(r);
	if (!git_remote)
		git_remote = config_get_own(r->c, "remote.lfsdefault");
	if (!git_remote && remote_setting(r, "remote", "origin", "url"))
		git_remote = "origin";
	if (git_remote)
		return use_git_remote(out, r, git_remote);
	config_each(r->c, note_remote, &only);
	if (!only.name || only.several)
		return err_set(ERR_NOTFOUND, "no blob remote is configured; run 'git dvx remote "
					     "add -d NAME URL'");
	name = strndup(only.name, only.len);
	rc = name ? use_git_remote(out, r, name) : err_set(ERR_NOMEM, "out of memory");
	free(name);
	return rc;
}

int remotes_resolve(struct remote_spec **out, const struct gitdir *g, const struct config *c,
	const char *name, const char *git_remote)
{
	const struct resolver r = {g, c};
	const char *chosen = config_get(c, "dvx.remote");
	int rc;

	*out = NULL;
	rc = intree_check_leak(c);
	if (rc < 0)
		return rc;
	if (name)
		return use_name(out, &r, name);
	if (!chosen || !*chosen)
		return use_some_git_remote(out, &r, git_remote);
	rc = use_name(out, &r, chosen);
	return rc < 0 ? err_prefix(rc, "default remote (dvx.remote)") : 0;
}

int remotes_spec_of_url(struct remote_spec **out, const char *url)
{
	struct buf path = BUF_INIT;
	struct remote_spec *s = NULL;
	char *cwd = NULL;
	int rc;

	*out = NULL;
	if ((rc = remotes_check_url(url)) < 0 || (rc = new_spec(&s, url, url)) < 0)
		goto done;
	rc = remotes_path_of_file_url(&path, url);
	if (rc == 0 && !remotes_is_local_path(url)) {
		rc = set_kind(s);
		goto done;
	}
	s->kind = REMOTE_DIR;
	if (rc == 0 && url[0] == '/') {
		rc = buf_addstr(&path, url);
	} else if (rc == 0) {
		cwd = getcwd(NULL, 0);
		rc = cwd ? fs_join(&path, cwd, url) : err_sys("cannot find the current directory");
	}
	if (rc >= 0)
		rc = copy(&s->path, path.p);
done:
	free(cwd);
	buf_release(&path);
	if (rc < 0)
		remote_spec_free(s);
	else
		*out = s;
	return rc < 0 ? rc : 0;
}

void remote_spec_free(struct remote_spec *r)
{
	if (!r)
		return;
	free(r->name);
	free(r->url);
	free(r->path);
	free(r->git_remote);
	free(r);
}
