/*
 * git-dvx-server: Git LFS's HTTP API in front of a blob store (docs/lfs-server.md).  One process,
 * that listens until SIGTERM or SIGINT.
 *
 *   listener -> exchange -> api_* -> depot (transfer/depot) -> the store
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/setup/config.h"
#include "lib/setup/remotes.h"
#include "server/listener.h"
#include "server/options.h"

enum {
	PEM_MAX = 1024 * 1024,
	GRACE_SECONDS = 30,
	GIVE_BACK = 1024 * 1024, /* larger pieces of memory go back to the system when freed */
	ARENAS = 4		 /* of malloc: a thread for each connection needs none of its own */
};

/* All that has to be undone. */
struct service {
	struct server server;
	struct options options;
	struct gitdir *git; /* NULL outside of a repository */
	struct config *config;
	struct remote_spec *store;
	struct buf locks;
	struct listener *listener;
};

void server_warn(const char *message)
{
	fprintf(stderr, "warning: %s\n", message);
}

static void depot_warn(const char *message, void *data)
{
	(void)data;
	server_warn(message);
}

/* ---- parts ---- */

static int load_config(struct service *v)
{
	int rc = gitdir_discover(&v->git);

	if (rc == ERR_NOTFOUND)
		return config_load_global(&v->config);
	return rc < 0 ? rc : config_load(&v->config, v->git);
}

/* --store is a name first, if there is such a remote. */
static int find_store(struct service *v)
{
	const char *given = v->options.store;

	if (v->git && remotes_setting(v->config, given, "url"))
		return remotes_resolve(&v->store, v->git, v->config, given, NULL);
	return remotes_spec_of_url(&v->store, given);
}

static int make_state(struct service *v)
{
	struct buf path = BUF_INIT;
	mode_t mask = umask(077);
	int rc = fs_mkdirs(v->options.state.p);

	umask(mask);
	if (rc == 0)
		rc = buf_addf(&path, "%s/ticket-key", v->options.state.p);
	if (rc == 0)
		rc = ticket_key(v->server.key, path.p);
	if (rc == 0)
		rc = buf_addf(&v->locks, "%s/locks", v->options.state.p);
	buf_release(&path);
	v->server.locks = v->locks.p;
	return rc;
}

static int open_depot(struct service *v)
{
	const struct depot_options o = {.store = v->store->path ? v->store->path : v->store->url,
		.name = v->store->name,
		.state = v->options.state.p,
		.config = v->config,
		.cache_bytes = v->options.cache_size,
		.jobs = v->options.jobs,
		.warn = depot_warn};

	return depot_open(&v->server.depot, &o);
}

static int fill_server(struct service *v)
{
	const struct options *o = &v->options;
	struct server *s = &v->server;
	uint64_t first;

	if (RAND_bytes((unsigned char *)&first, sizeof(first)) != 1)
		return err_set(ERR_IO, "no random bytes");
	atomic_store(&s->last_id, first);
	sem_init(&s->working, 0, SERVER_JSON_AT_ONCE);
	s->anonymous = o->anonymous;
	s->ticket_seconds = (unsigned)o->ticket_seconds;
	s->base_url = o->base_url.len ? o->base_url.p : NULL;
	s->trust_proxy = o->trust_proxy;
	s->tls = o->tls_cert != NULL;
	s->max_size = o->max_size;
	s->timeout = (unsigned)o->timeout;
	s->log = o->log;
	if (o->htpasswd || o->tokens)
		return accounts_open(&s->accounts, o->htpasswd, o->tokens);
	return 0;
}

static int start_listener(struct service *v)
{
	struct buf certificate = {.max = PEM_MAX}, key = {.max = PEM_MAX};
	struct listener_options o = {
		.address = v->options.http, .connections = (unsigned)v->options.connections};
	int rc = 0;

	if (v->options.tls_cert) {
		rc = buf_read_file(&certificate, v->options.tls_cert);
		if (rc == 0)
			rc = buf_read_file(&key, v->options.tls_key);
		o.certificate = buf_str(&certificate);
		o.key = buf_str(&key);
	}
	if (rc == 0)
		rc = listener_start(&v->listener, &v->server, &o);
	if (key.p)
		OPENSSL_cleanse(key.p, key.len);
	buf_release(&certificate);
	buf_release(&key);
	return rc;
}

/* ---- the whole ---- */

static int service_start(struct service *v)
{
	int rc = load_config(v);

	if (rc == 0)
		rc = find_store(v);
	if (rc == 0)
		rc = make_state(v);
	if (rc == 0)
		rc = fill_server(v);
	if (rc == 0)
		rc = open_depot(v);
	if (rc == 0)
		rc = start_listener(v);
	return rc;
}

static int announce(const struct service *v)
{
	struct buf url = BUF_INIT;
	int rc = listener_url(&url, v->listener);

	if (rc == 0 && (printf("listening on %s\n", url.p) < 0 || fflush(stdout) != 0))
		rc = err_sys("cannot write to standard output");
	buf_release(&url);
	return rc;
}

/* What was put and is not in the store yet stays in the state, for the next start. */
static void service_stop(struct service *v)
{
	listener_stop(v->listener, GRACE_SECONDS);
	if (v->server.depot && depot_close(v->server.depot) < 0)
		server_warn(err_msg());
	accounts_close(v->server.accounts);
	OPENSSL_cleanse(v->server.key, sizeof(v->server.key));
	remote_spec_free(v->store);
	config_free(v->config);
	gitdir_free(v->git);
	buf_release(&v->locks);
	options_release(&v->options);
}

/* Signals are waited for by this thread; all others have them blocked. */
static void block_signals(sigset_t *stop)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(stop);
	sigaddset(stop, SIGTERM);
	sigaddset(stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* A connection may have three descriptors: its own, an object, a temporary file. */
static void raise_descriptor_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files); /* or else fewer are served at once */
	}
}

static int usage_error(void)
{
	fprintf(stderr, "error: %s\n", err_msg());
	return 129;
}

int main(int argc, char **argv)
{
	struct service v = {.options = OPTIONS_INIT};
	sigset_t stop;
	int rc, signal;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("git-dvx-server " DVX_VERSION "\n");
		return 0;
	}
	rc = options_parse(&v.options, argc, argv);
	if (rc == 0)
		rc = options_check(&v.options);
	if (rc != 0) {
		options_release(&v.options);
		return rc < 0 ? usage_error() : 0;
	}
	mallopt(M_MMAP_THRESHOLD, GIVE_BACK);
	mallopt(M_ARENA_MAX, ARENAS);
	block_signals(&stop);
	raise_descriptor_limit();
	rc = service_start(&v);
	if (rc == 0)
		rc = announce(&v);
	if (rc == 0)
		sigwait(&stop, &signal);
	else
		fprintf(stderr, "error: %s\n", err_msg());
	service_stop(&v);
	return rc < 0 ? 128 : 0;
}
