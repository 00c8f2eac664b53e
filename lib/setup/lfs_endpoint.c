/*
 * Which Git LFS server (see lfs_endpoint.h).  The settings are asked in Git LFS's order; the one
 * that answers is rewritten, taken apart and checked, since what comes out is given to libcurl, to
 * ssh and to other people's programs.
 */
#include "lib/setup/lfs_endpoint.h"
#include "lib/base/err.h"
#include "lib/base/url.h"
#include "lib/setup/remotes_internal.h"
#include "lib/setup/urlmatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A setting that names the server. */
struct choice {
	const char *url;
	char key[300];	/* for messages */
	int from_tree;	/* a file of the tree says so, the user's configuration does not */
	int clone_url;	/* the repository's: the suffix is missing */
	int rewritten;	/* url.*.insteadOf has been applied, or is not to be */
	int push_alias; /* pushInsteadOf counts */
};

const char *lfs_operation_name(enum lfs_operation op)
{
	return op == LFS_UPLOAD ? "upload" : "download";
}

/* ---- url.<base>.insteadOf ---- */

struct rewrite {
	const char *url, *tail;
	size_t matched;	  /* length of the best prefix */
	const char *base; /* its replacement, base_len bytes */
	size_t base_len;
};

static int match_instead_of(const char *key, const char *value, void *data)
{
	static const char head[] = "url.";
	struct rewrite *w = data;
	size_t len = strlen(key), n = strlen(value), tail = strlen(w->tail);

	if (strncmp(key, head, sizeof(head) - 1) != 0 || len < sizeof(head) - 1 + tail ||
		strcmp(key + len - tail, w->tail) != 0)
		return 0;
	if (n <= w->matched || strncmp(w->url, value, n) != 0)
		return 0;
	w->matched = n;
	w->base = key + sizeof(head) - 1;
	w->base_len = len - (sizeof(head) - 1) - tail;
	return 0;
}

int lfs_endpoint_rewrite(struct buf *out, const struct config *c, const char *url, int push)
{
	struct rewrite w = {.url = url, .tail = ".pushinsteadof", .base = ""};
	int rc;

	if (push)
		config_each(c, match_instead_of, &w);
	w.tail = ".insteadof";
	if (!w.matched)
		config_each(c, match_instead_of, &w);
	rc = buf_add(out, w.base, w.base_len);
	return rc < 0 ? rc : buf_addstr(out, url + w.matched);
}

/* ---- which setting ---- */

/* 1 if the setting is there. */
static int try_key(struct choice *out, const struct config *c, const char *key)
{
	const char *value = config_get(c, key);

	if (!value || !*value)
		return 0;
	out->url = value;
	out->from_tree = !config_get_own(c, key);
	snprintf(out->key, sizeof(out->key), "%s", key);
	return 1;
}

/* remote.<name>.<key> */
static int try_remote(struct choice *out, const struct config *c, const char *name, const char *key)
{
	struct buf full = BUF_INIT;
	int found = buf_addf(&full, "remote.%s.%s", name, key) == 0 && try_key(out, c, full.p);

	buf_release(&full);
	return found;
}

/* A blob remote's own URL. */
static void choose_blob_remote(
	struct choice *out, const struct config *c, const struct remote_spec *spec)
{
	struct buf key = BUF_INIT;

	out->rewritten = 1;
	if (buf_addf(&key, "dvx-remote.%s.url", spec->name) < 0 || !try_key(out, c, key.p))
		snprintf(out->key, sizeof(out->key), "remote '%s'", spec->name);
	out->url = spec->url;
	buf_release(&key);
}

static void choose(struct choice *out, const struct config *c, const struct remote_spec *spec,
	enum lfs_operation op)
{
	const char *r = spec->git_remote;

	memset(out, 0, sizeof(*out));
	if (!r) {
		choose_blob_remote(out, c, spec);
		return;
	}
	out->push_alias = op == LFS_UPLOAD;
	if (op == LFS_UPLOAD && try_key(out, c, "lfs.pushurl"))
		return;
	if (try_key(out, c, "lfs.url") ||
		(op == LFS_UPLOAD && try_remote(out, c, r, "lfspushurl")) ||
		try_remote(out, c, r, "lfsurl"))
		return;
	out->clone_url = 1;
	if (op == LFS_UPLOAD && try_remote(out, c, r, "pushurl")) {
		out->push_alias = 0; /* as with Git */
		return;
	}
	if (try_remote(out, c, r, "url"))
		return;
	out->url = r;
	snprintf(out->key, sizeof(out->key), "remote '%s'", r);
}

/* ---- from a URL to an endpoint ---- */

static int copy(char **out, const char *text)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* "https://host/path" without slashes at the end. */
static int set_url(struct lfs_endpoint *e, const char *scheme, const char *host, const char *path,
	int clone_url)
{
	struct buf url = BUF_INIT;
	int rc =
		buf_addf(&url, "%s://%s%s%s", scheme, host, *path && *path != '/' ? "/" : "", path);

	while (rc == 0 && url.len && url.p[url.len - 1] == '/')
		buf_truncate(&url, url.len - 1);
	if (rc == 0 && clone_url) {
		int dot_git = url.len > 4 && strcmp(url.p + url.len - 4, ".git") == 0;

		rc = buf_addstr(&url, dot_git ? "/info/lfs" : ".git/info/lfs");
	}
	if (rc == 0 && !(e->url = buf_detach(&url)))
		rc = err_set(ERR_NOMEM, "out of memory");
	buf_release(&url);
	return rc;
}

/* A password that travels with the repository is no secret any more. */
static int check_leak(const struct choice *choice, const struct url *u)
{
	if (!u->password || !choice->from_tree)
		return 0;
	return err_set(ERR_DENIED,
		"a committed file sets it to a URL with a password, which everybody who has this "
		"repository can read: consider it leaked, change it where it is valid, take it out "
		"of the file, and let 'git credential' keep the new one");
}

static int take_http(struct lfs_endpoint *e, const struct choice *choice, const struct url *u)
{
	struct buf origin = BUF_INIT;
	int rc = check_leak(choice, u);

	if (rc == 0)
		rc = url_origin(&origin, u);
	if (rc == 0)
		rc = set_url(e, u->scheme, strstr(origin.p, "://") + 3, u->path, choice->clone_url);
	if (rc == 0)
		rc = copy(&e->user, u->user);
	if (rc == 0)
		rc = copy(&e->password, u->password);
	buf_release(&origin);
	return rc;
}

/* ssh://…, with the https URL that most hosts have beside it. */
static int take_ssh(
	struct lfs_endpoint *e, const struct choice *choice, const struct url *u, const char *text)
{
	struct buf ssh = BUF_INIT;
	int rc = check_leak(choice, u);

	if (rc == 0 && u->user && *u->user == '-')
		rc = err_set(ERR_INVALID, "its user name begins with '-'");
	if (rc == 0)
		rc = buf_addf(&ssh, "ssh%s", strstr(text, "://"));
	if (rc == 0 && !(e->ssh = buf_detach(&ssh)))
		rc = err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = set_url(e, "https", u->host, u->path, choice->clone_url);
	buf_release(&ssh);
	return rc;
}

/* "[user@]host:path", or "[user@][host:port]:path" */
static int take_scp(struct lfs_endpoint *e, const struct choice *choice, const char *text)
{
	struct buf url = BUF_INIT;
	struct url u = {0};
	size_t user = strcspn(text, "@/:[");
	const char *host = text[user] == '@' ? text + user + 1 : text, *path;
	const char *end = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":");
	int rc;

	path = end && *host == '[' ? end + 1 : end;
	if (!path || *path != ':')
		return err_set(ERR_INVALID, "it is neither a URL nor of the form host:path");
	host += *host == '[';
	if (*text == '-')
		return err_set(ERR_INVALID, "its user or host begins with '-'");
	/* colons inside brackets are those of an IPv6 address, or one before a port */
	if (memchr(host, ':', (size_t)(end - host)) != memrchr(host, ':', (size_t)(end - host)))
		rc = buf_addf(&url, "ssh://[%.*s]/%s", (int)(end - host), host, path + 1);
	else
		rc = buf_addf(&url, "ssh://%.*s/%s", (int)(end - host), host,
			path + 1 + (path[1] == '/'));
	if (rc == 0)
		rc = url_parse(&u, url.p);
	if (rc == 0)
		rc = copy(&e->ssh, text);
	if (rc == 0)
		rc = set_url(e, "https", u.host, u.path, choice->clone_url);
	url_release(&u);
	buf_release(&url);
	return rc;
}

/* What the hosts of git:// URLs have as well, unless the setting says otherwise. */
static int take_git(
	struct lfs_endpoint *e, struct choice *choice, const struct config *c, const struct url *u)
{
	const char *scheme = config_get(c, "lfs.gitprotocol");
	struct buf host = BUF_INIT;
	int rc;

	if (!scheme || strcmp(scheme, "http") != 0)
		scheme = "https";
	else if (!config_get_own(c, "lfs.gitprotocol"))
		choice->from_tree = 1;
	rc = buf_addstr(&host, u->host);
	if (rc == 0 && strcmp(u->port, "9418") != 0)
		rc = buf_addf(&host, ":%s", u->port);
	if (rc == 0)
		rc = set_url(e, scheme, host.p, u->path, choice->clone_url);
	buf_release(&host);
	return rc;
}

static int take_url(
	struct lfs_endpoint *e, struct choice *choice, const struct config *c, const char *text)
{
	struct url u;
	int rc = url_parse(&u, text);

	if (rc < 0)
		return rc;
	if (strcmp(u.scheme, "http") == 0 || strcmp(u.scheme, "https") == 0)
		rc = take_http(e, choice, &u);
	else if (strcmp(u.scheme, "ssh") == 0 || strcmp(u.scheme, "git+ssh") == 0 ||
		 strcmp(u.scheme, "ssh+git") == 0)
		rc = take_ssh(e, choice, &u, text);
	else if (strcmp(u.scheme, "git") == 0)
		rc = take_git(e, choice, c, &u);
	else
		rc = err_set(ERR_UNSUPPORTED,
			"no Git LFS server is reached by %s://; there are https://, http:// and "
			"ssh://",
			u.scheme);
	url_release(&u);
	return rc;
}

/* A repository on this machine is no server, but an agent of the user's may know the way. */
static int take_local(struct lfs_endpoint *e, const struct config *c)
{
	const char *agent = config_get_own(c, "lfs.standalonetransferagent");

	if (agent && *agent)
		return copy(&e->standalone, agent);
	return err_set(ERR_UNSUPPORTED,
		"a directory is no Git LFS server; name one by 'git config lfs.url <url>', or the "
		"directory as a blob remote by 'git dvx remote add -d <name> <path>'");
}

static int is_local(const char *text)
{
	return strncasecmp(text, "file:", 5) == 0 || remotes_is_local_path(text);
}

static int take_choice(struct lfs_endpoint *e, struct choice *choice, const struct config *c)
{
	struct buf url = BUF_INIT;
	int rc = choice->rewritten ? buf_addstr(&url, choice->url)
				   : lfs_endpoint_rewrite(&url, c, choice->url, choice->push_alias);

	if (rc == 0)
		rc = remotes_check_url(buf_str(&url));
	if (rc == 0 && is_local(url.p))
		rc = take_local(e, c);
	else if (rc == 0 && strstr(url.p, "://"))
		rc = take_url(e, choice, c, url.p);
	else if (rc == 0)
		rc = take_scp(e, choice, url.p);
	buf_release(&url);
	return rc;
}

/* ---- may it have credentials ---- */

struct trust {
	const struct config *c;
	const char *remote; /* this Git remote; NULL: each */
	struct url url;	    /* of the endpoint */
	int found;
};

/* Is that remote on the endpoint's host, and no better protected? */
static void compare_host(struct trust *t, const char *raw, int push)
{
	struct choice choice = {.url = raw, .push_alias = push};
	struct lfs_endpoint other = {0};
	struct url u = {0};

	if (take_choice(&other, &choice, t->c) == 0 && other.url && url_parse(&u, other.url) == 0 &&
		strcmp(u.host, t->url.host) == 0)
		t->found |= strcmp(t->url.scheme, "https") == 0 ||
			    (!other.ssh && !choice.from_tree && url_same_origin(&u, &t->url));
	err_clear();
	url_release(&u);
	free(other.url);
	free(other.user);
	free(other.password);
	free(other.ssh);
	free(other.standalone);
}

static int compare_remote(const char *key, const char *value, void *data)
{
	static const char head[] = "remote.";
	struct trust *t = data;
	const char *last = strrchr(key, '.');
	const char *name = key + sizeof(head) - 1;
	size_t len;

	if (strncmp(key, head, sizeof(head) - 1) != 0 || last < name ||
		(strcmp(last, ".url") != 0 && strcmp(last, ".pushurl") != 0))
		return 0;
	len = (size_t)(last - name);
	if (t->remote && (strlen(t->remote) != len || memcmp(t->remote, name, len) != 0))
		return 0;
	compare_host(t, value, 0);
	return 0;
}

static int is_trusted(const struct lfs_endpoint *e, const struct choice *choice,
	const struct config *c, const char *git_remote)
{
	struct trust t = {.c = c, .remote = git_remote};

	if (!choice->from_tree || !e->url)
		return 1;
	if (url_parse(&t.url, e->url) == 0) {
		if (git_remote)
			compare_host(&t, git_remote, 0);
		config_each_own(c, compare_remote, &t);
	}
	url_release(&t.url);
	return t.found;
}

/* ---- all of it ---- */

static int take_agent(struct lfs_endpoint *e, const struct config *c)
{
	const char *agent =
		e->url ? urlmatch_get(c, "lfs", e->url, "standalonetransferagent", URLMATCH_OWN)
		       : NULL;

	return agent && *agent ? copy(&e->standalone, agent) : 0;
}

int lfs_endpoint_find(struct lfs_endpoint **out, const struct gitdir *g, const struct config *c,
	const struct remote_spec *spec, enum lfs_operation op)
{
	struct lfs_endpoint *e = calloc(1, sizeof(*e));
	struct choice choice;
	int rc;

	(void)g;
	*out = NULL;
	if (!e)
		return err_set(ERR_NOMEM, "out of memory");
	choose(&choice, c, spec, op);
	e->operation = op;
	rc = copy(&e->remote, spec->git_remote ? spec->git_remote : spec->name);
	if (rc == 0) {
		rc = take_choice(e, &choice, c);
		if (rc < 0 && rc != ERR_NOMEM)
			err_prefix(rc, "%s%s", choice.key,
				choice.from_tree ? " (set by a committed file)" : "");
	}
	if (rc == 0 && !e->standalone)
		rc = take_agent(e, c);
	if (rc < 0) {
		lfs_endpoint_free(e);
		return rc;
	}
	e->trusted = is_trusted(e, &choice, c, spec->git_remote);
	if (!e->trusted) { /* keys are credentials, too */
		free(e->ssh);
		e->ssh = NULL;
	}
	*out = e;
	return 0;
}

void lfs_endpoint_free(struct lfs_endpoint *e)
{
	if (!e)
		return;
	if (e->password)
		explicit_bzero(e->password, strlen(e->password));
	free(e->url);
	free(e->user);
	free(e->password);
	free(e->ssh);
	free(e->remote);
	free(e->standalone);
	free(e);
}

static int is_set(const struct config *c, const char *key)
{
	struct choice unused;

	return try_key(&unused, c, key);
}

int lfs_endpoint_is_configured(const struct config *c, const char *git_remote)
{
	struct choice unused;
	const char *agent = config_get_own(c, "lfs.standalonetransferagent");

	if (is_set(c, "lfs.url") || is_set(c, "lfs.pushurl") || (agent && *agent))
		return 1;
	return git_remote && (try_remote(&unused, c, git_remote, "lfsurl") ||
				     try_remote(&unused, c, git_remote, "lfspushurl"));
}

const char *lfs_endpoint_local(const struct config *c, const char *git_remote)
{
	const char *agent = config_get_own(c, "lfs.standalonetransferagent");
	struct choice choice;

	if ((agent && *agent) ||
		!(try_key(&choice, c, "lfs.url") ||
			(git_remote && try_remote(&choice, c, git_remote, "lfsurl"))))
		return NULL;
	return !choice.from_tree && is_local(choice.url) ? choice.url : NULL;
}
