/*
 * The ground that both front ends stand on.
 */
#include "transfer/frontend.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

volatile int frontend_stop;

static void on_signal(int sig)
{
	(void)sig;
	frontend_stop = 1;
}

void frontend_catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&stop.sa_mask);
	sigemptyset(&ignore.sa_mask);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static void warn(const char *message, void *data)
{
	(void)data;
	fprintf(stderr, "warning: %s\n", message);
}

int frontend_open(struct engine *e, const struct frontend_options *o)
{
	int rc;

	engine_init(e);
	rc = gitdir_discover(&e->git);
	if (rc == 0)
		rc = config_load(&e->config, e->git);
	if (rc == 0)
		rc = store_open(&e->store, e->git, e->config);
	if (rc < 0)
		return rc;
	e->jobs = o->jobs > 0 ? o->jobs : (int)config_int(e->config, "dvx.jobs", 0);
	if (e->jobs < 0 || e->jobs > 64)
		e->jobs = 0;
	e->dry_run = o->dry_run;
	e->verify = o->verify;
	e->ref = o->ref;
	e->stop = &frontend_stop;
	e->warn = warn;
	return 0;
}

int frontend_resolve(struct engine *e, const struct frontend_options *o, const char *fallback)
{
	if (o->store && !remotes_setting(e->config, o->store, "url"))
		return remotes_spec_of_url(&e->spec, o->store);
	return remotes_resolve(&e->spec, e->git, e->config,
		o->store    ? o->store
		: o->remote ? o->remote
			    : fallback,
		o->git_remote);
}

void frontend_close(struct engine *e)
{
	store_close(e->store);
	remote_spec_free(e->spec);
	config_free(e->config);
	gitdir_free(e->git);
	engine_release(e);
}

/* 1 when there is more, 0 at the end. */
static int fill(struct line_reader *r)
{
	ssize_t n;
	int rc;

	buf_consume(&r->in, r->start);
	r->start = 0;
	rc = buf_grow(&r->in, READ_SIZE);
	if (rc < 0)
		return rc;
	do {
		if (frontend_stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		n = read(r->fd, r->in.p + r->in.len, READ_SIZE);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys("cannot read requests");
	r->in.len += (size_t)n;
	r->in.p[r->in.len] = '\0';
	return n > 0;
}

int line_read(struct line_reader *r, char **line, size_t *len)
{
	for (;;) {
		char *begin = r->in.p ? r->in.p + r->start : NULL;
		size_t have = r->in.len - r->start;
		char *lf = begin ? memchr(begin, '\n', have) : NULL;
		int rc;

		if (lf || (r->at_end && have)) {
			*line = begin;
			*len = lf ? (size_t)(lf - begin) : have;
			if (*len >= r->max)
				return err_set(ERR_LIMIT, "a request line is longer than %zu bytes",
					r->max);
			begin[*len] = '\0';
			r->start += lf ? *len + 1 : have;
			return 1;
		}
		if (r->at_end)
			return 0;
		if (have >= r->max)
			return err_set(
				ERR_LIMIT, "a request line is longer than %zu bytes", r->max);
		rc = fill(r);
		if (rc < 0)
			return rc;
		r->at_end = rc == 0;
	}
}

void line_reader_release(struct line_reader *r)
{
	buf_release(&r->in);
}
