/*
 * One connection to a git-lfs-transfer (see lfs_ssh_internal.h): ssh, packets, and how long to wait
 * for what.  The far side is not trusted: whatever breaks the protocol ends the connection.
 */
#include "lib/base/err.h"
#include "transfer/lfs/lfs_status.h"
#include "transfer/lfs/lfs_ssh_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOK_MS = 200,
	ANSWER_STALLS = 4,	   /* it may think for so many times dvx.stallSeconds, */
	WORK_BYTES_PER_MS = 20000, /* and longer over a large object */
	SSH_FAILED = 255,	   /* ssh's status for failures of its own */
	KILLED = 130,		   /* above: the far side was ended by a signal */
	MESSAGE_MAX = 1000
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* For the packets: until the descriptor is ready, the far side has been silent for too long, or it
 * is time to stop. */
static int wait_for(int fd, short events, void *data)
{
	struct lfs_ssh_link *l = data;
	int64_t until = l->patience_ms < 0 ? INT64_MAX : now_ms() + l->patience_ms;

	for (;;) {
		struct pollfd p[] = {
			{.fd = fd, .events = events}, {.fd = l->process.err_fd, .events = POLLIN}};
		int n = poll(p, 2, LOOK_MS);

		if (l->stop && *l->stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		if (n < 0 && errno != EINTR)
			return err_sys("cannot wait for ssh");
		if (n > 0 && p[1].revents)
			ssh_process_hear(&l->process);
		if (n > 0 && p[0].revents)
			return 0;
		if (now_ms() > until)
			return err_set(ERR_REMOTE, "host '%s' has not answered for %d seconds",
				l->target.host, l->patience_ms / 1000);
	}
}

int lfs_ssh_link_lost(struct lfs_ssh_link *l, int rc)
{
	l->dead = 1;
	if (rc == ERR_IO)
		return err_set(ERR_REMOTE, "the connection to host '%s' was lost", l->target.host);
	if (rc != ERR_CORRUPT && rc != ERR_LIMIT && rc != ERR_INVALID)
		return rc;
	err_prefix(rc, "host '%s'", l->target.host);
	return ERR_REMOTE;
}

/* ---- answers ---- */

int lfs_ssh_link_status(struct lfs_ssh_link *l, struct lfsssh_head *h, uint64_t bytes)
{
	uint64_t work_ms = bytes / WORK_BYTES_PER_MS;
	int rc;

	l->patience_ms = l->stall_ms * ANSWER_STALLS;
	if (work_ms < (uint64_t)(INT32_MAX - l->patience_ms))
		l->patience_ms += (int)work_ms;
	else
		l->patience_ms = INT32_MAX;
	rc = pkt_out_flush(&l->out);
	if (rc == 0)
		rc = lfsssh_head_read(h, &l->in);
	l->patience_ms = l->stall_ms;
	if (rc == 0)
		rc = err_set(ERR_IO, "it has ended");
	if (rc == 1) {
		rc = lfsssh_status_parse(h->line);
		if (rc < 0)
			lfsssh_head_release(h);
	}
	return rc < 0 ? lfs_ssh_link_lost(l, rc) : rc;
}

int lfs_ssh_link_skip(struct lfs_ssh_link *l, const struct lfsssh_head *h)
{
	int rc = h->has_body ? lfsssh_body_skip(&l->in) : 0;

	return rc < 0 ? lfs_ssh_link_lost(l, rc) : 0;
}

int lfs_ssh_link_refused(struct lfs_ssh_link *l, const struct lfsssh_head *h, int status)
{
	static const char word[] = "message ";
	struct buf line = BUF_INIT, said = BUF_INIT;
	const char *text;
	int rc = 0;

	while (h->has_body && (rc = lfsssh_body_line(&l->in, &line)) == 1) {
		text = buf_str(&line);
		if (strncmp(text, word, sizeof(word) - 1) == 0)
			text += sizeof(word) - 1;
		if (said.len + strlen(text) < MESSAGE_MAX)
			buf_addf(&said, "%s%s", said.len ? " " : ": ", text);
	}
	if (rc < 0)
		rc = lfs_ssh_link_lost(l, rc);
	else
		rc = err_set(lfs_status_error(status), "host '%s' says %d%s", l->target.host,
			status, buf_str(&said));
	buf_release(&line);
	buf_release(&said);
	return rc;
}

/* ---- opening ---- */

/* "git-lfs-transfer 'PATH' upload" */
static int far_command(struct buf *out, const struct lfs_ssh_link *l, enum lfs_operation op)
{
	int rc = buf_addstr(out, "git-lfs-transfer ");

	if (rc == 0)
		rc = ssh_quote(out, l->target.path);
	return rc < 0 ? rc : buf_addf(out, " %s", lfs_operation_name(op));
}

static int start(struct lfs_ssh_link *l, const struct lfs_ssh_options *o)
{
	struct buf line = BUF_INIT;
	struct ssh_process_options p = {.config = o->config, .target = &l->target};
	int rc = ssh_target_parse(&l->target, o->endpoint->ssh);

	if (rc == 0)
		rc = far_command(&line, l, o->endpoint->operation);
	p.line = buf_str(&line);
	if (rc == 0)
		rc = ssh_process_start(&l->process, &p);
	buf_release(&line);
	if (rc == 0 && (fcntl(l->process.run.in_fd, F_SETFL, O_NONBLOCK) < 0 ||
			       fcntl(l->process.run.out_fd, F_SETFL, O_NONBLOCK) < 0))
		rc = err_sys("cannot set up the connection");
	if (rc == 0)
		rc = pkt_reader_init(&l->in, l->process.run.out_fd);
	if (rc == 0)
		rc = pkt_writer_init(&l->out, l->process.run.in_fd);
	l->in.wait = l->out.wait = wait_for;
	l->in.wait_data = l->out.wait_data = l;
	return rc;
}

/* It has ended, or says something else than a git-lfs-transfer: what is the matter? */
static int explain(struct lfs_ssh_link *l, const char *remote)
{
	struct ssh_ending ending = {.by_shell = l->process.by_shell,
		.host = l->target.host,
		.command = "git-lfs-transfer",
		.remote = remote};
	int rc;

	ending.status = ssh_process_end(&l->process, 1);
	ending.said = buf_str(&l->process.said);
	if (ending.status < 0 || ending.status == SSH_FAILED)
		return ssh_process_explain(&ending);
	if (ending.status > KILLED)
		return err_set(ERR_REMOTE, "git-lfs-transfer of host '%s' was ended by a signal",
			l->target.host);
	buf_rtrim(&l->process.said);
	rc = err_set(ERR_UNSUPPORTED,
		"host '%s' has no git-lfs-transfer for us (exit status %d%s%.*s)", l->target.host,
		ending.status, l->process.said.len ? ": " : "", MESSAGE_MAX,
		buf_str(&l->process.said));
	return rc;
}

/* The far side's list of what it can. */
static int take_capabilities(struct lfs_ssh_link *l, const struct lfsssh_head *h)
{
	int version = strcmp(h->line, "version=1") == 0;

	l->has_locks = strcmp(h->line, "locking") == 0;
	for (size_t i = 0; i < h->args.n; i++) {
		version |= strcmp(h->args.v[i], "version=1") == 0;
		l->has_locks |= strcmp(h->args.v[i], "locking") == 0;
	}
	if (!version)
		return err_set(ERR_UNSUPPORTED,
			"git-lfs-transfer of host '%s' does not speak version 1", l->target.host);
	return 0;
}

static int agree(struct lfs_ssh_link *l, const char *remote)
{
	struct lfsssh_head h = {.line = NULL};
	int rc;

	l->patience_ms = ssh_process_unattended() ? l->stall_ms * ANSWER_STALLS : -1;
	rc = lfsssh_head_read(&h, &l->in);
	if (rc == 0 || rc == ERR_CORRUPT || rc == ERR_IO || rc == ERR_LIMIT)
		return explain(l, remote);
	if (rc == 1)
		rc = take_capabilities(l, &h);
	lfsssh_head_release(&h);
	l->process.show = 1; /* from here on it is the server that speaks */
	if (rc == 0)
		rc = lfsssh_head_write(&l->out, "version 1", NULL);
	if (rc == 0)
		rc = pkt_write_flush(&l->out);
	if (rc < 0)
		return rc;
	rc = lfs_ssh_link_status(l, &h, 0);
	if (lfs_ssh_is_success(rc))
		rc = lfs_ssh_link_skip(l, &h);
	else if (rc > 0)
		rc = lfs_ssh_link_refused(l, &h, rc);
	lfsssh_head_release(&h);
	return rc;
}

int lfs_ssh_link_open(struct lfs_ssh_link **out, const struct lfs_ssh_options *o)
{
	struct lfs_ssh_link *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l)
		return err_set(ERR_NOMEM, "out of memory");
	l->process.run.pid = -1;
	l->process.err_fd = -1;
	l->stop = o->stop;
	l->stall_ms = ssh_process_stall_ms(o->config);
	rc = start(l, o);
	if (rc == 0)
		rc = agree(l, o->endpoint->remote);
	if (rc < 0) {
		l->dead = 1;
		lfs_ssh_link_close(l);
		return rc;
	}
	*out = l;
	return 0;
}

static void say_goodbye(struct lfs_ssh_link *l)
{
	struct lfsssh_head h = {.line = NULL};
	int rc = lfsssh_head_write(&l->out, "quit", NULL);

	if (rc == 0)
		rc = pkt_write_flush(&l->out);
	if (rc == 0 && lfs_ssh_link_status(l, &h, 0) < 0)
		err_clear();
	lfsssh_head_release(&h);
}

void lfs_ssh_link_close(struct lfs_ssh_link *l)
{
	int interrupted;

	if (!l)
		return;
	interrupted = l->stop && *l->stop;
	if (!l->dead && !interrupted)
		say_goodbye(l);
	if (l->process.run.pid > 0)
		ssh_process_end(&l->process, !l->dead && !interrupted);
	buf_release(&l->process.said);
	pkt_reader_release(&l->in);
	pkt_writer_release(&l->out);
	ssh_target_release(&l->target);
	free(l);
}
