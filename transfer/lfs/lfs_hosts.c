/*
 * Which connections a URL uses (see lfs_hosts.h).  http.<url>.* may say different things for paths
 * of one host, and an action may lead anywhere; so the settings of each URL are looked up, and
 * those that turn out the same share their connections.
 */
#include "transfer/lfs/lfs_hosts.h"
#include "lib/base/err.h"
#include "lib/base/gitvalue.h"
#include "lib/setup/urlmatch.h"
#include "transfer/lfs/lfs_credential.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct host {
	char *origin;
	struct http_options options; /* strings borrowed from the configuration */
	struct http *http;
	struct host *next;
};

struct lfs_hosts {
	const struct config *config;
	pthread_mutex_t lock;
	struct host *first;
};

int lfs_hosts_new(struct lfs_hosts **out, const struct config *c)
{
	struct lfs_hosts *h = calloc(1, sizeof(*h));

	*out = h;
	if (!h)
		return err_set(ERR_NOMEM, "out of memory");
	h->config = c;
	pthread_mutex_init(&h->lock, NULL);
	return 0;
}

void lfs_hosts_free(struct lfs_hosts *h)
{
	if (!h)
		return;
	while (h->first) {
		struct host *host = h->first;

		h->first = host->next;
		http_free(host->http);
		free(host->origin);
		free(host);
	}
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* Seconds as milliseconds; `fallback` when unset, "as good as never" for less than one. */
static unsigned seconds(const char *value, unsigned fallback)
{
	long long n;

	if (!value || gitvalue_int(&n, value) < 0)
		return fallback;
	return n < 1 || n > INT_MAX / 1000 ? INT_MAX : (unsigned)n * 1000;
}

static void options_of(struct http_options *o, const struct lfs_hosts *h, const char *url)
{
	memset(o, 0, sizeof(*o));
	http_options_from_git_url(o, h->config, url);
	o->connect_ms = seconds(config_get_own(h->config, "lfs.dialtimeout"), o->connect_ms);
	o->stall_ms = seconds(config_get(h->config, "dvx.stallseconds"), o->stall_ms);
	o->stall_ms = seconds(
		urlmatch_get(h->config, "lfs", url, "activitytimeout", URLMATCH_OWN), o->stall_ms);
}

static int same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static int same_options(const struct http_options *a, const struct http_options *b)
{
	return same(a->ca, b->ca) && a->insecure == b->insecure && same(a->proxy, b->proxy) &&
	       a->connect_ms == b->connect_ms && a->stall_ms == b->stall_ms &&
	       a->http1 == b->http1 && same(a->cert, b->cert) && same(a->key, b->key) &&
	       same(a->cookie_file, b->cookie_file);
}

/* Make the connections' engine, with the passphrase of the user's key if it has one. */
static int open_host(struct host *host, const struct lfs_hosts *h, const char *url)
{
	struct http_options o = host->options;
	struct lfs_credential phrase = {.user = NULL};
	int rc = 0;

	if (o.cert && http_key_is_protected(h->config, url)) {
		rc = lfs_credential_fill_certificate(&phrase, o.cert);
		o.key_passphrase = phrase.password;
	}
	if (rc == 0)
		rc = http_new(&host->http, &o);
	lfs_credential_release(&phrase);
	return rc;
}

static int add_host(struct lfs_hosts *h, const char *text, const char *origin,
	const struct http_options *o, struct host **out)
{
	struct host *host = calloc(1, sizeof(*host));
	int rc;

	*out = host;
	if (!host)
		return err_set(ERR_NOMEM, "out of memory");
	host->options = *o;
	host->origin = strdup(origin);
	rc = host->origin ? open_host(host, h, text) : err_set(ERR_NOMEM, "out of memory");
	if (rc < 0) {
		free(host->origin);
		free(host);
		return rc;
	}
	host->next = h->first;
	h->first = host;
	return 0;
}

int lfs_hosts_get(struct lfs_hosts *h, const char *text, const struct url *url, int anonymous,
	struct http **http)
{
	struct http_options o;
	struct buf origin = BUF_INIT;
	struct host *host;
	int rc = url_origin(&origin, url);

	if (rc < 0)
		return rc;
	options_of(&o, h, text);
	if (anonymous)
		o.cert = o.key = o.cookie_file = NULL;
	pthread_mutex_lock(&h->lock);
	for (host = h->first; host; host = host->next)
		if (strcmp(host->origin, origin.p) == 0 && same_options(&host->options, &o))
			break;
	if (!host)
		rc = add_host(h, text, origin.p, &o, &host);
	pthread_mutex_unlock(&h->lock);
	*http = rc == 0 ? host->http : NULL;
	buf_release(&origin);
	return rc;
}
