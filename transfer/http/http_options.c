/*
 * What Git's configuration and environment say about connections.  Nothing a file of the tree says
 * counts: who wrote that must not decide whom we trust.
 */
#include "lib/base/gitvalue.h"
#include "lib/setup/urlmatch.h"
#include "transfer/http/http.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The variable of the environment (NULL: none), else http.<url>.<key>, else http.<key>. */
static const char *setting(
	const struct config *c, const char *url, const char *key, const char *environment)
{
	const char *value = environment ? getenv(environment) : NULL;
	char name[64];

	if (value && *value)
		return value;
	value = url ? urlmatch_get(c, "http", url, key, URLMATCH_OWN) : NULL;
	if (value)
		return value;
	snprintf(name, sizeof(name), "http.%s", key);
	return config_get_own(c, name);
}

static unsigned number(const char *value)
{
	unsigned long n = value ? strtoul(value, NULL, 10) : 0;

	return n > UINT_MAX / 1000 ? UINT_MAX / 1000 : (unsigned)n;
}

static void common(struct http_options *o, const struct config *c, const char *url)
{
	const char *verify = setting(c, url, "sslverify", NULL);

	o->ca = setting(c, url, "sslcainfo", "GIT_SSL_CAINFO");
	if (!o->ca)
		o->ca = setting(c, url, "sslcapath", "GIT_SSL_CAPATH");
	o->insecure = getenv("GIT_SSL_NO_VERIFY") || (verify && !gitvalue_bool(verify, 1));
	o->proxy = setting(c, url, "proxy", NULL);
}

void http_options_from_git(struct http_options *o, const struct config *c)
{
	common(o, c, NULL);
}

void http_options_from_git_url(struct http_options *o, const struct config *c, const char *url)
{
	const char *version = setting(c, url, "version", NULL);
	unsigned limit = number(setting(c, url, "lowspeedlimit", "GIT_HTTP_LOW_SPEED_LIMIT"));
	unsigned seconds = number(setting(c, url, "lowspeedtime", "GIT_HTTP_LOW_SPEED_TIME"));

	common(o, c, url);
	o->cert = setting(c, url, "sslcert", "GIT_SSL_CERT");
	o->key = setting(c, url, "sslkey", "GIT_SSL_KEY");
	o->cookie_file = setting(c, url, "cookiefile", NULL);
	o->http1 = version && strcmp(version, "HTTP/1.1") == 0;
	if (limit && seconds)
		o->stall_ms = seconds * 1000;
}

int http_key_is_protected(const struct config *c, const char *url)
{
	const char *value = setting(c, url, "sslcertpasswordprotected", NULL);

	return getenv("GIT_SSL_CERT_PASSWORD_PROTECTED") || (value && gitvalue_bool(value, 0));
}
