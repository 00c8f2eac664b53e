/*
 * git-lfs-authenticate (see lfs_sshauth.h).  The answer is kept for the life of a client; while one
 * thread asks, the others wait for what it gets.
 */
#include "transfer/lfs/lfs_sshauth.h"
#include "lib/base/backoff.h"
#include "lib/base/err.h"
#include "lib/wire/lfsauth.h"
#include "transfer/ssh/ssh_process.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 256 * 1024,
	EARLY_S = 5, /* before it expires, it is renewed; a quarter of its life at most */
	TICK_MS = 100,
	NO_COMMAND = 127
};

struct lfs_sshauth {
	const struct lfs_client_options *o;
	pthread_mutex_t lock;
	struct lfs_action answer;
	int64_t renew_at;    /* 0: never */
	unsigned generation; /* of the answer */
	unsigned refused;    /* answers in turn that the server did not take */
	int have, unknown;   /* an answer; the host has no such command */
};

int lfs_sshauth_new(struct lfs_sshauth **out, const struct lfs_client_options *o)
{
	struct lfs_sshauth *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s)
		return err_set(ERR_NOMEM, "out of memory");
	s->o = o;
	pthread_mutex_init(&s->lock, NULL);
	return 0;
}

void lfs_sshauth_free(struct lfs_sshauth *s)
{
	if (!s)
		return;
	lfsauth_release(&s->answer);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* "git-lfs-authenticate 'path' download" */
static int far_line(struct buf *out, const struct lfs_sshauth *s, const struct ssh_target *t)
{
	int rc = buf_addstr(out, "git-lfs-authenticate ");

	if (rc == 0)
		rc = ssh_quote(out, t->path);
	return rc < 0 ? rc : buf_addf(out, " %s", lfs_operation_name(s->o->endpoint->operation));
}

/* All that the far side prints, while its standard error is heard. */
static int listen_to(struct ssh_process *p, const struct lfs_sshauth *s, struct buf *answer)
{
	const int stall_ms = ssh_process_stall_ms(s->o->config);
	int silent_ms = 0;

	for (;;) {
		struct pollfd fds[2] = {{.fd = p->run.out_fd, .events = POLLIN},
			{.fd = p->err_fd, .events = POLLIN}};
		char text[4096];
		ssize_t n;
		int ready = poll(fds, 2, TICK_MS), rc;

		if (s->o->stop && *s->o->stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		if (ready == 0 && ssh_process_unattended() && (silent_ms += TICK_MS) >= stall_ms)
			return err_set(ERR_REMOTE, "git-lfs-authenticate: no answer for %d s",
				stall_ms / 1000);
		if (ready <= 0)
			continue;
		silent_ms = 0;
		if (fds[1].revents)
			ssh_process_hear(p);
		if (!fds[0].revents)
			continue;
		n = read(p->run.out_fd, text, sizeof(text));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		rc = buf_add(answer, text, (size_t)n);
		if (rc < 0)
			return rc;
	}
}

/* Its end, as an error if it is one. */
static int judge(int status, const char *said, const struct ssh_target *target,
	const struct ssh_process *p, const struct lfs_endpoint *e)
{
	const struct ssh_ending end = {.status = status,
		.said = said,
		.by_shell = p->by_shell,
		.host = target->host,
		.command = "git-lfs-authenticate",
		.remote = e->remote};

	if (status <= 0)
		return status;
	if (status == NO_COMMAND)
		return ERR_UNSUPPORTED;
	if (status == 255)
		return ssh_process_explain(&end);
	return err_set(ERR_DENIED, "host '%s': git-lfs-authenticate said no%s%.*s (exit status %d)",
		target->host, *said ? ": " : "", (int)strcspn(said, "\n"), said, status);
}

/* ERR_UNSUPPORTED: there is no such command. */
static int ask_host(struct lfs_sshauth *s, const struct ssh_target *target, struct buf *answer)
{
	struct ssh_process p;
	struct ssh_process_options o = {.config = s->o->config, .target = target, .show = 1};
	struct buf line = BUF_INIT, said = BUF_INIT;
	int rc = far_line(&line, s, target), status;

	o.line = line.p;
	if (rc == 0)
		rc = ssh_process_start(&p, &o);
	if (rc < 0)
		goto done;
	rc = listen_to(&p, s, answer);
	status = ssh_process_end(&p, rc == 0);
	buf_addstr(&said, buf_str(&p.said));
	buf_release(&p.said);
	if (rc == 0)
		rc = judge(status, buf_str(&said), target, &p, s->o->endpoint);
done:
	buf_release(&line);
	buf_release(&said);
	return rc;
}

static int ask_once(struct lfs_sshauth *s)
{
	struct ssh_target target;
	struct buf answer = {.max = ANSWER_MAX};
	int rc = ssh_target_parse(&target, s->o->endpoint->ssh);

	if (rc < 0)
		return rc;
	rc = ask_host(s, &target, &answer);
	if (rc == 0) {
		lfsauth_release(&s->answer);
		rc = lfsauth_parse(&s->answer, buf_str(&answer), answer.len, (int64_t)time(NULL));
		if (rc < 0)
			err_prefix(rc, "host '%s'", target.host);
	}
	if (answer.p)
		explicit_bzero(answer.p, answer.cap);
	buf_release(&answer);
	ssh_target_release(&target);
	return rc;
}

/* A host that is down for a moment is asked again. */
static int ask(struct lfs_sshauth *s)
{
	const unsigned retries = (unsigned)config_int(s->o->config, "lfs.ssh.retries", 5);
	int rc = ask_once(s);

	for (unsigned i = 0; rc == ERR_REMOTE && i < retries && i < 100; i++) {
		rc = backoff_wait(backoff_ms(i, 10000), s->o->stop);
		if (rc == 0)
			rc = ask_once(s);
	}
	return rc;
}

static int is_fresh(const struct lfs_sshauth *s)
{
	return s->have && (!s->renew_at || (int64_t)time(NULL) < s->renew_at);
}

/* An answer that is over when it comes is used all the same, for a second: clocks differ. */
static void set_renewal(struct lfs_sshauth *s)
{
	int64_t now = (int64_t)time(NULL), life = s->answer.expires_at - now;
	int64_t early = life / 4 < EARLY_S ? life / 4 : EARLY_S;

	s->renew_at = !s->answer.expires_at ? 0 : now + (life - early > 1 ? life - early : 1);
}

/* With the lock held. */
static int refresh(struct lfs_sshauth *s)
{
	int rc;

	if (s->unknown || is_fresh(s))
		return 0;
	rc = ask(s);
	if (rc == ERR_UNSUPPORTED) {
		s->unknown = 1;
		return 0;
	}
	if (rc == 0)
		set_renewal(s);
	s->have = rc == 0;
	s->generation += rc == 0;
	return rc;
}

int lfs_sshauth_get(
	struct lfs_sshauth *s, struct buf *href, struct strvec *headers, unsigned *generation)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = refresh(s);
	if (rc == 0 && s->have && s->answer.href) {
		rc = buf_addstr(href, s->answer.href);
		while (rc == 0 && href->len && href->p[href->len - 1] == '/')
			buf_truncate(href, href->len - 1);
	}
	for (size_t i = 0; rc == 0 && headers && s->have && i < s->answer.headers.n; i++)
		rc = strvec_push(headers, s->answer.headers.v[i]);
	if (generation)
		*generation = s->have ? s->generation : 0;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int lfs_sshauth_refused(struct lfs_sshauth *s, unsigned generation)
{
	int again;

	pthread_mutex_lock(&s->lock);
	if (generation != s->generation) {
		again = 1;
	} else {
		again = s->refused == 0;
		s->refused++;
		if (again)
			s->have = 0;
	}
	pthread_mutex_unlock(&s->lock);
	return again;
}

void lfs_sshauth_accepted(struct lfs_sshauth *s, unsigned generation)
{
	pthread_mutex_lock(&s->lock);
	if (generation == s->generation)
		s->refused = 0;
	pthread_mutex_unlock(&s->lock);
}
