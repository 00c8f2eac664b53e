/*
 * `git dvx serve`: become a Git LFS server.  Two programs do the work, since neither HTTP nor SSH
 * is this one's: git-dvx-server, which is built where libmicrohttpd is, and git-dvx-transfer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "lib/base/err.h"
#include "lib/base/run.h"

/* Options that git-dvx-server has, too, with the same names. */
struct serve {
	const char *http, *store, *state, *htpasswd, *tokens, *anonymous, *tls_cert, *tls_key;
	const char *base_url, *max_size, *cache_size, *connections, *timeout, *expires, *jobs;
	int trust_proxy, log;
	int lfs_ssh;
};

static int become(const struct strvec *argv)
{
	execv(argv->v[0], argv->v);
	return err_sys("cannot start '%s'", argv->v[0]);
}

static int push_program(struct strvec *argv, const char *name, const char *where_from)
{
	struct buf path = BUF_INIT;
	int rc = run_resolve_sibling(&path, name);

	if (rc == ERR_NOTFOUND)
		rc = err_set(ERR_NOTFOUND, "'%s' is not installed; %s", name, where_from);
	if (rc == 0)
		rc = strvec_push(argv, path.p);
	buf_release(&path);
	return rc;
}

static int push_options(struct strvec *argv, const struct serve *s)
{
	const struct {
		const char *name, *value;
	} values[] = {{"--http", s->http}, {"--store", s->store}, {"--state", s->state},
		{"--htpasswd", s->htpasswd}, {"--tokens", s->tokens}, {"--anonymous", s->anonymous},
		{"--tls-cert", s->tls_cert}, {"--tls-key", s->tls_key}, {"--base-url", s->base_url},
		{"--max-size", s->max_size}, {"--cache-size", s->cache_size},
		{"--connections", s->connections}, {"--timeout", s->timeout},
		{"--expires", s->expires}, {"--jobs", s->jobs}};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(values) / sizeof(*values); i++)
		if (values[i].value)
			rc = strvec_pushf(argv, "%s=%s", values[i].name, values[i].value);
	if (rc == 0 && s->trust_proxy)
		rc = strvec_push(argv, "--trust-proxy");
	if (rc == 0 && s->log)
		rc = strvec_push(argv, "--log");
	return rc;
}

static int serve_http(const struct serve *s)
{
	struct strvec argv = STRVEC_INIT;
	int rc = push_program(&argv, "git-dvx-server",
		"it is built where libmicrohttpd is: install libmicrohttpd-dev, then 'make "
		"install'");

	if (rc == 0)
		rc = push_options(&argv, s);
	if (rc == 0)
		rc = become(&argv);
	strvec_release(&argv);
	return rc;
}

static int serve_ssh(const char *path, const char *operation)
{
	struct strvec argv = STRVEC_INIT;
	int rc = push_program(&argv, "git-dvx-transfer", "it belongs beside git-dvx");

	if (rc == 0)
		rc = strvec_pushl(&argv, "lfs-ssh", "--", path, operation, NULL);
	if (rc == 0)
		rc = become(&argv);
	strvec_release(&argv);
	return rc;
}

int cmd_serve(struct command_ctx *ctx, int argc, char **argv)
{
	static const char usage[] =
		"git dvx serve --http <address>:<port> --store <store> [<options>]\n"
		"git dvx serve --lfs-ssh <path> (upload | download)";
	struct serve s = {0};
	const struct opt table[] = {
		{0, "http", OPT_VALUE, &s.http, "<address>:<port>",
			"listen there; port 0: any that is free", 0},
		{0, "store", OPT_VALUE, &s.store, "<store>",
			"directory, URL or configured remote where the data goes", 0},
		{0, "state", OPT_VALUE, &s.state, "<directory>",
			"where the server keeps its own files", 0},
		{0, "htpasswd", OPT_VALUE, &s.htpasswd, "<file>", "accounts with passwords", 0},
		{0, "tokens", OPT_VALUE, &s.tokens, "<file>", "accounts with tokens", 0},
		{0, "anonymous", OPT_VALUE, &s.anonymous, "<none|read|write>",
			"what may be done without an account", 0},
		{0, "tls-cert", OPT_VALUE, &s.tls_cert, "<file>",
			"serve https with this certificate (chain)", 0},
		{0, "tls-key", OPT_VALUE, &s.tls_key, "<file>", "its private key", 0},
		{0, "base-url", OPT_VALUE, &s.base_url, "<url>",
			"URL by which clients reach the server", 0},
		{0, "trust-proxy", OPT_FLAG, &s.trust_proxy, NULL,
			"believe X-Forwarded-Proto and X-Forwarded-Host", 0},
		{0, "max-size", OPT_VALUE, &s.max_size, "<size>", "refuse larger objects", 0},
		{0, "cache-size", OPT_VALUE, &s.cache_size, "<size>",
			"objects kept for reading (4G)", 0},
		{0, "connections", OPT_VALUE, &s.connections, "<n>", "at once (512)", 0},
		{0, "timeout", OPT_VALUE, &s.timeout, "<seconds>",
			"close connections that are silent so long (60)", 0},
		{0, "expires", OPT_VALUE, &s.expires, "<seconds>",
			"how long the links of an answer are good (1800)", 0},
		{'j', "jobs", OPT_VALUE, &s.jobs, "<n>",
			"use up to this many threads between server and store", 0},
		{0, "log", OPT_FLAG, &s.log, NULL, "print a line for each request", 0},
		{0, "lfs-ssh", OPT_FLAG, &s.lfs_ssh, NULL,
			"serve one SSH session, as git-lfs-transfer does", 0},
		OPT_END,
	};
	int n = 0, status;

	(void)ctx;
	if (command_options(&status, argc, argv, table, usage, 0, &n))
		return status;
	if (!s.http == !s.lfs_ssh)
		return command_usage("say --http or --lfs-ssh; see 'git dvx serve -h'");
	if (s.lfs_ssh && n != 2)
		return command_usage("--lfs-ssh takes a path, and 'upload' or 'download'");
	if (s.lfs_ssh)
		return serve_ssh(argv[1], argv[2]);
	if (n)
		return command_usage("'%s' is no option; see 'git dvx serve -h'", argv[1]);
	return serve_http(&s);
}
