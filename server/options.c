/*
 * Options, and what must not be served by mistake: without accounts everybody may write, which is
 * taken for granted on the machine itself only.
 */
#include "server/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"
#include "lib/base/url.h"
#include "lib/store/oid.h"
#include "server/address.h"

enum { CONNECTIONS_MAX = 10000, SECONDS_MAX = 7 * 24 * 3600, STATE_DIGITS = 16 };

int options_parse(struct options *o, int argc, char **argv)
{
	static const char usage[] =
		"git-dvx-server --http <address>:<port> --store <store> [<options>]";
	const struct opt table[] = {
		{0, "http", OPT_VALUE, &o->http, "<address>:<port>",
			"listen there; port 0: any that is free", 0},
		{0, "store", OPT_VALUE, &o->store, "<store>",
			"directory, URL or configured remote where the data goes", 0},
		{0, "state", OPT_VALUE, &o->state_given, "<directory>",
			"where this server keeps its own files", 0},
		{0, "htpasswd", OPT_VALUE, &o->htpasswd, "<file>", "accounts with passwords", 0},
		{0, "tokens", OPT_VALUE, &o->tokens, "<file>", "accounts with tokens", 0},
		{0, "anonymous", OPT_VALUE, &o->anonymous_given, "<none|read|write>",
			"what may be done without an account", 0},
		{0, "tls-cert", OPT_VALUE, &o->tls_cert, "<file>",
			"serve https with this certificate (chain)", 0},
		{0, "tls-key", OPT_VALUE, &o->tls_key, "<file>", "its private key", 0},
		{0, "base-url", OPT_VALUE, &o->base_url_given, "<url>",
			"URL by which clients reach this server", 0},
		{0, "trust-proxy", OPT_FLAG, &o->trust_proxy, NULL,
			"believe X-Forwarded-Proto and X-Forwarded-Host", 0},
		{0, "max-size", OPT_SIZE, &o->max_size, "<size>", "refuse larger objects", 0},
		{0, "cache-size", OPT_SIZE, &o->cache_size, "<size>",
			"objects kept for reading (4G)", 0},
		{0, "connections", OPT_INT, &o->connections, "<n>", "at once (512)", 0},
		{0, "timeout", OPT_INT, &o->timeout, "<seconds>",
			"close connections that are silent so long (60)", 0},
		{0, "expires", OPT_INT, &o->ticket_seconds, "<seconds>",
			"how long the links of an answer are good (1800)", 0},
		{'j', "jobs", OPT_INT, &o->jobs, "<n>",
			"use up to this many threads between here and the store", 0},
		{0, "log", OPT_FLAG, &o->log, NULL, "print a line for each request", 0},
		OPT_END,
	};
	int n = 0;
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc == 0 && n)
		rc = err_set(ERR_INVALID, "'%s' is no option; see 'git-dvx-server -h'", argv[1]);
	return rc;
}

static int check_numbers(const struct options *o)
{
	if (o->connections < 1 || o->connections > CONNECTIONS_MAX)
		return err_set(ERR_INVALID, "--connections: from 1 to %d", CONNECTIONS_MAX);
	if (o->timeout < 1 || o->timeout > SECONDS_MAX)
		return err_set(ERR_INVALID, "--timeout: from 1 to %d seconds", SECONDS_MAX);
	if (o->ticket_seconds < 1 || o->ticket_seconds > SECONDS_MAX)
		return err_set(ERR_INVALID, "--expires: from 1 to %d seconds", SECONDS_MAX);
	if (o->jobs < 0 || o->jobs > 64)
		return err_set(ERR_INVALID, "--jobs: at most 64");
	return 0;
}

static int check_base_url(struct options *o)
{
	struct url u = {.scheme = NULL};
	int rc;

	if (!o->base_url_given)
		return 0;
	rc = url_parse(&u, o->base_url_given);
	if (rc == 0 && ((strcmp(u.scheme, "http") != 0 && strcmp(u.scheme, "https") != 0) ||
			       u.user || u.password || strchr(u.path, '?')))
		rc = err_set(ERR_INVALID, "not http(s)://host[:port][/path]");
	if (rc == 0)
		rc = url_format(&o->base_url, &u);
	while (rc == 0 && o->base_url.len && o->base_url.p[o->base_url.len - 1] == '/')
		buf_truncate(&o->base_url, o->base_url.len - 1);
	url_release(&u);
	return rc < 0 ? err_prefix(rc, "--base-url") : 0;
}

static int check_access(struct options *o)
{
	int accounts = o->htpasswd || o->tokens;
	int local = address_is_local(o->http);
	int rc;

	if (local < 0)
		return local;
	o->anonymous = accounts ? ACCESS_NONE : ACCESS_WRITE;
	if (o->anonymous_given) {
		rc = access_parse(&o->anonymous, o->anonymous_given, strlen(o->anonymous_given));
		return rc < 0 ? err_prefix(rc, "--anonymous") : 0;
	}
	if (!accounts && (!local || o->base_url_given || o->trust_proxy))
		return err_set(ERR_DENIED,
			"others than this machine reach '%s', and nobody would need an account; "
			"give --htpasswd, --tokens or --anonymous",
			o->base_url_given ? o->base_url_given : o->http);
	return 0;
}

/* --state, what systemd gives a service, or a directory of this store's in the home directory. */
static int find_state(struct options *o)
{
	const char *service = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME"), *given = o->state_given ? o->state_given : service;
	char hex[OID_HEX_LEN + 1], *cwd = NULL, *store = NULL;
	struct oid id;
	int rc;

	if (given && *given) {
		cwd = *given == '/' ? strdup("/") : getcwd(NULL, 0);
		rc = cwd ? fs_join(&o->state, cwd, given)
			 : err_sys("cannot find the current directory");
		free(cwd);
		return rc;
	}
	store = realpath(o->store, NULL); /* an URL stays as it is */
	oid_of(&id, store ? store : o->store, strlen(store ? store : o->store));
	oid_to_hex(hex, &id);
	free(store);
	if (xdg && *xdg == '/')
		return buf_addf(&o->state, "%s/git-dvx/serve/%.*s", xdg, STATE_DIGITS, hex);
	if (home && *home == '/')
		return buf_addf(
			&o->state, "%s/.local/state/git-dvx/serve/%.*s", home, STATE_DIGITS, hex);
	return err_set(ERR_INVALID, "no home directory; say --state <directory>");
}

int options_check(struct options *o)
{
	int rc;

	if (!o->http)
		return err_set(ERR_INVALID, "where? say --http <address>:<port>");
	if (!o->store || !*o->store)
		return err_set(ERR_INVALID, "from which store? say --store <directory or URL>");
	if (!o->tls_cert != !o->tls_key)
		return err_set(ERR_INVALID, "--tls-cert and --tls-key belong together");
	rc = check_numbers(o);
	if (rc == 0)
		rc = check_base_url(o);
	if (rc == 0)
		rc = check_access(o);
	return rc < 0 ? rc : find_state(o);
}

void options_release(struct options *o)
{
	buf_release(&o->state);
	buf_release(&o->base_url);
}
