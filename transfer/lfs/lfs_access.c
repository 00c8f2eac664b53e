/*
 * Who gets which credentials (see lfs_access.h).  The rules, each with a test that fails without it
 * (t0521-t0524):
 *
 *   - what belongs to an origin (scheme, host, port) goes to that origin, and nowhere by redirect;
 *   - a server that only a committed file names, on another host than the Git remote's, gets
 *     nothing of the user's at all;
 *   - what has a control byte in it becomes no header and no line for `git credential`.
 */
#include "transfer/lfs/lfs_access.h"
#include "lib/base/err.h"
#include "lib/setup/urlmatch.h"
#include "transfer/lfs/lfs_credential.h"
#include "transfer/lfs/lfs_headers.h"
#include "transfer/lfs/lfs_hosts.h"
#include "transfer/lfs/lfs_netrc.h"
#include "transfer/lfs/lfs_sshauth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where an origin's credentials come from, in the order of asking. */
enum source { FROM_NOBODY, FROM_URL, FROM_NETRC, FROM_HELPER, EXHAUSTED };

struct lfs_origin {
	struct lfs_access *access;
	struct url url;
	int endpoint;	      /* the server's own */
	pthread_mutex_t lock; /* held while somebody is asked for credentials: the others wait */
	enum source source;
	struct lfs_credential credential;
	unsigned generation; /* of the credential; 0: none yet */
	int approved;
	struct lfs_origin *next;
};

struct lfs_access {
	const struct lfs_client_options *o;
	struct lfs_hosts *hosts;
	struct lfs_sshauth *ssh; /* NULL: not by SSH */
	struct buf git_url;	 /* of the Git remote; may be empty */
	struct buf distrust;	 /* why a server gets no credentials */
	pthread_mutex_t lock;	 /* of the list */
	struct lfs_origin *origins;
};

/* ---- life ---- */

/* Credentials are often kept for the repository's URL (credential.useHttpPath). */
static int find_git_url(struct lfs_access *a)
{
	const struct config *c = a->o->config;
	struct buf key = BUF_INIT;
	const char *url = NULL;
	int rc = buf_addf(&key, "remote.%s.url", a->o->endpoint->remote);

	if (rc == 0)
		url = config_get_own(c, key.p);
	if (url)
		rc = lfs_endpoint_rewrite(&a->git_url, c, url, 0);
	buf_release(&key);
	return rc;
}

static int explain_distrust(struct lfs_access *a)
{
	const struct lfs_endpoint *e = a->o->endpoint;

	if (e->trusted || !e->url)
		return 0;
	return buf_addf(&a->distrust,
		"only a committed file names this server, and it is not on the host of your Git "
		"remote: it gets no credentials; if you trust it, run 'git config lfs.url %s'",
		e->url);
}

int lfs_access_new(struct lfs_access **out, const struct lfs_client_options *o)
{
	struct lfs_access *a = calloc(1, sizeof(*a));
	int rc;

	*out = NULL;
	if (!a)
		return err_set(ERR_NOMEM, "out of memory");
	a->o = o;
	pthread_mutex_init(&a->lock, NULL);
	rc = lfs_hosts_new(&a->hosts, o->config);
	if (rc == 0)
		rc = find_git_url(a);
	if (rc == 0)
		rc = explain_distrust(a);
	if (rc == 0 && o->endpoint->ssh)
		rc = lfs_sshauth_new(&a->ssh, o);
	if (rc < 0)
		lfs_access_free(a);
	else
		*out = a;
	return rc;
}

void lfs_access_free(struct lfs_access *a)
{
	if (!a)
		return;
	while (a->origins) {
		struct lfs_origin *o = a->origins;

		a->origins = o->next;
		lfs_credential_release(&o->credential);
		url_release(&o->url);
		pthread_mutex_destroy(&o->lock);
		free(o);
	}
	lfs_hosts_free(a->hosts);
	lfs_sshauth_free(a->ssh);
	buf_release(&a->git_url);
	buf_release(&a->distrust);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void lfs_grant_release(struct lfs_grant *g)
{
	for (size_t i = 0; i < g->headers.n; i++)
		explicit_bzero(g->headers.v[i], strlen(g->headers.v[i]));
	strvec_release(&g->headers);
	memset(g, 0, sizeof(*g));
}

/* ---- origins ---- */

int lfs_access_base(struct lfs_access *a, struct buf *url)
{
	int rc = a->ssh ? lfs_sshauth_get(a->ssh, url, NULL, NULL) : 0;

	if (rc < 0 || url->len)
		return rc;
	return buf_addstr(url, a->o->endpoint->url);
}

/* Is this URL on the host that the server's API is asked at? */
static int is_base(struct lfs_access *a, const struct url *url)
{
	struct buf text = BUF_INIT;
	struct url base = {0};
	int is = 0;

	if (lfs_access_base(a, &text) == 0 && url_parse(&base, text.p) == 0)
		is = url_same_origin(&base, url);
	url_release(&base);
	buf_release(&text);
	return is;
}

static struct lfs_origin *new_origin(struct lfs_access *a, const struct lfs_target *t)
{
	struct lfs_origin *o = calloc(1, sizeof(*o));

	if (!o || url_parse(&o->url, t->text) < 0) {
		free(o);
		return NULL;
	}
	pthread_mutex_init(&o->lock, NULL);
	o->access = a;
	o->endpoint = is_base(a, &o->url);
	o->next = a->origins;
	a->origins = o;
	return o;
}

static int find_origin(struct lfs_access *a, const struct lfs_target *t, struct lfs_origin **out)
{
	struct lfs_origin *o;

	pthread_mutex_lock(&a->lock);
	for (o = a->origins; o; o = o->next)
		if (url_same_origin(&o->url, &t->url))
			break;
	if (!o)
		o = new_origin(a, t);
	pthread_mutex_unlock(&a->lock);
	*out = o;
	return o ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* lfs.<url>.access: what the user says, then what the tree says, which can do no harm. */
static const char *access_of(const struct lfs_access *a)
{
	const char *url = a->o->endpoint->url;
	const char *own = urlmatch_get(a->o->config, "lfs", url, "access", URLMATCH_OWN);

	if (!own)
		own = urlmatch_get(a->o->config, "lfs", url, "access", URLMATCH_ANY);
	return own ? own : "";
}

/* May this request have credentials of the user's? */
static int is_entitled(const struct lfs_access *a, const struct lfs_target *t)
{
	return a->o->endpoint->trusted && !t->redirected;
}

/* ---- asking for credentials ---- */

static int copy(char **out, const char *text)
{
	*out = strdup(text);
	return *out ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* The source's credentials of this origin.  1, 0 if it has none, negative. */
static int ask_url(struct lfs_origin *o)
{
	const struct lfs_endpoint *e = o->access->o->endpoint;
	int rc;

	if (!o->endpoint || !e->user || !e->password)
		return 0;
	rc = copy(&o->credential.user, e->user);
	if (rc == 0)
		rc = copy(&o->credential.password, e->password);
	return rc < 0 ? rc : 1;
}

static const char *wanted_user(const struct lfs_origin *o)
{
	return o->endpoint ? o->access->o->endpoint->user : NULL;
}

static int ask_netrc(struct lfs_origin *o)
{
	char host[300];
	size_t len = strlen(o->url.host);
	int brackets = *o->url.host == '[';

	if (len >= sizeof(host))
		return 0;
	memcpy(host, o->url.host + brackets, len + 1 - (size_t)brackets);
	if (brackets)
		host[len - 2] = '\0';
	return lfs_netrc_lookup(&o->credential, host, wanted_user(o), o->endpoint);
}

static int ask_helper(struct lfs_origin *o)
{
	const char *git_url = buf_str(&o->access->git_url);
	struct url git = {0};
	int same = url_parse(&git, git_url) == 0 && url_same_origin(&git, &o->url);
	const char *user = wanted_user(o);
	int rc;

	err_clear();
	if (!user && same)
		user = git.user;
	rc = lfs_credential_fill(&o->credential, same ? &git : &o->url, user);
	url_release(&git);
	return rc == ERR_NOTFOUND ? 0 : rc < 0 ? rc : 1;
}

static int ask_source(struct lfs_origin *o)
{
	switch (o->source) {
	case FROM_URL:
		return ask_url(o);
	case FROM_NETRC:
		return ask_netrc(o);
	case FROM_HELPER:
		return ask_helper(o);
	case FROM_NOBODY:
	case EXHAUSTED:
		break;
	}
	return 0;
}

/* With the lock held: go on to the next source that has any.  1, 0 when there is none, negative. */
static int advance(struct lfs_origin *o)
{
	int rc = 0;

	if (o->source == FROM_HELPER && o->generation && !o->approved)
		lfs_credential_reject(&o->credential);
	while (rc == 0 && o->source < EXHAUSTED) {
		lfs_credential_release(&o->credential);
		o->source++;
		rc = ask_source(o);
	}
	if (rc < 0)
		o->source = EXHAUSTED;
	o->approved = 0;
	o->generation++;
	return rc;
}

/* ---- what a request carries ---- */

/* The origin's credentials, if there are any by now or it is known to want some. */
static int add_credentials(
	struct lfs_grant *g, const struct lfs_access *a, const struct lfs_target *t)
{
	struct lfs_origin *o = g->origin;
	const struct lfs_endpoint *e = a->o->endpoint;
	int rc = 0;

	pthread_mutex_lock(&o->lock);
	if (o->source == FROM_NOBODY && o->endpoint && t->api &&
		(e->password || strcasecmp(access_of(a), "basic") == 0))
		rc = advance(o);
	if (rc >= 0 && o->credential.password && !t->authenticated)
		rc = lfs_headers_add_basic(&g->headers, &o->credential);
	g->generation = o->generation;
	pthread_mutex_unlock(&o->lock);
	return rc < 0 ? rc : 0;
}

static int add_ssh(struct lfs_grant *g, struct lfs_access *a, const struct lfs_target *t)
{
	struct buf unused = BUF_INIT;
	int rc = 0;

	if (a->ssh && t->api && !t->redirected && g->origin->endpoint)
		rc = lfs_sshauth_get(a->ssh, &unused, &g->headers, &g->ssh_generation);
	buf_release(&unused);
	return rc;
}

int lfs_access_grant(struct lfs_access *a, const struct lfs_target *t, struct lfs_grant *out)
{
	int rc = find_origin(a, t, &out->origin);

	if (rc == 0)
		rc = lfs_hosts_get(
			a->hosts, t->text, &t->url, !a->o->endpoint->trusted, &out->http);
	if (rc == 0)
		rc = lfs_headers_add_all(&out->headers, t->headers);
	if (rc == 0)
		rc = lfs_headers_add_user_agent(&out->headers, a->o->config, t->text);
	if (rc < 0 || !is_entitled(a, t))
		return rc;
	rc = add_ssh(out, a, t);
	if (rc == 0)
		rc = lfs_headers_add_extra(
			&out->headers, a->o->config, t->text, out->origin->endpoint);
	if (rc == 0 && !lfs_headers_have(&out->headers, "Authorization"))
		rc = add_credentials(out, a, t);
	return rc;
}

/* ---- after the answer ---- */

/* Is there a scheme that we know?  No word about it counts as Basic. */
static int offers_basic(const struct http_response *r)
{
	static const char *const names[] = {"www-authenticate: ", "lfs-authenticate: "};
	int said = 0;

	for (size_t i = 0; i < r->headers.n; i++)
		for (size_t k = 0; k < 2; k++) {
			size_t len = strlen(names[k]);

			if (strncmp(r->headers.v[i], names[k], len) != 0)
				continue;
			said = 1;
			if (strcasestr(r->headers.v[i] + len, "basic"))
				return 1;
		}
	return !said;
}

/* Why no more credentials may be tried; NULL if they may. */
static const char *objection(const struct lfs_access *a, const struct lfs_target *t,
	const struct lfs_grant *g, const struct http_response *response)
{
	if (!a->o->endpoint->trusted)
		return buf_str(&a->distrust);
	if (t->redirected)
		return "another host's redirect led there, so that it gets no credentials";
	if (lfs_headers_have(t->headers, "Authorization"))
		return "what the server gave for this object is not accepted any more";
	if (g->ssh_generation && lfs_headers_have(&g->headers, "Authorization"))
		return "what git-lfs-authenticate gave for it is not accepted";
	if (g->generation == 0 && lfs_headers_have(&g->headers, "Authorization"))
		return "the Authorization in http.extraHeader is not accepted";
	if (strcasecmp(access_of(a), "none") == 0)
		return "lfs.<url>.access is 'none', so that no credentials are sent";
	if (!offers_basic(response))
		return "it offers no way to log in that is known here; there is only Basic";
	return NULL;
}

int lfs_access_refused(struct lfs_access *a, struct lfs_target *t, const struct lfs_grant *g,
	const struct http_response *response, const char **why)
{
	struct lfs_origin *o = g->origin;
	int rc;

	if (g->ssh_generation && lfs_sshauth_refused(a->ssh, g->ssh_generation))
		return 1;
	*why = objection(a, t, g, response);
	if (*why)
		return 0;
	pthread_mutex_lock(&o->lock);
	if (t->authenticated && o->credential.password) { /* kept back until now */
		rc = 1;
	} else if (o->generation != g->generation) { /* somebody has asked since */
		rc = o->source != EXHAUSTED;
	} else {
		rc = o->source == EXHAUSTED ? 0 : advance(o);
	}
	pthread_mutex_unlock(&o->lock);
	t->authenticated = 0;
	if (rc == 0)
		*why = "there are no other credentials; 'git credential approve' and a credential "
		       "helper keep them (see gitcredentials(7))";
	return rc;
}

void lfs_access_accepted(struct lfs_access *a, const struct lfs_grant *g)
{
	struct lfs_origin *o = g->origin;

	if (g->ssh_generation)
		lfs_sshauth_accepted(a->ssh, g->ssh_generation);
	if (!g->generation)
		return;
	pthread_mutex_lock(&o->lock);
	if (o->generation == g->generation && o->source == FROM_HELPER && !o->approved) {
		o->approved = 1;
		lfs_credential_approve(&o->credential);
	}
	pthread_mutex_unlock(&o->lock);
}
