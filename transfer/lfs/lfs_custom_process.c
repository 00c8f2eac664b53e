/*
 * Transfer agents as processes (see lfs_custom_process.h).  They are programs of the user's, but
 * they may be broken: nothing here waits for ever.
 */
#include "transfer/lfs/lfs_custom_process.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/words.h"
#include "lib/wire/lfsagent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SILENCE_S = 600, /* agents need not report progress */
	TICK_MS = 100,
	END_MS = 5000,	/* between "terminate" and SIGTERM */
	KILL_MS = 2000, /* between SIGTERM and SIGKILL */
	READ_BYTES = 64 * 1024
};

/* The agents that we run below, one a line: what starts one of them again would do so for ever. */
static const char marker[] = "GIT_DVX_TRANSFER_AGENTS";

/* ---- starting ---- */

const char *lfs_custom_setting(const struct config *c, const char *name, const char *key)
{
	struct buf full = BUF_INIT;
	const char *value = NULL;

	if (buf_addf(&full, "lfs.customtransfer.%s.%s", name, key) == 0)
		value = config_get_own(c, full.p);
	buf_release(&full);
	return value && *value ? value : NULL;
}

static int runs_already(const char *name)
{
	const char *at = getenv(marker);
	size_t len = strlen(name);

	while (at && *at) {
		size_t n = strcspn(at, "\n");

		if (n == len && memcmp(at, name, len) == 0)
			return 1;
		at += n + (at[n] == '\n');
	}
	return 0;
}

static int mark(struct strvec *env, const char *name)
{
	const char *before = getenv(marker);

	return strvec_pushf(
		env, "%s=%s%s%s", marker, before ? before : "", before ? "\n" : "", name);
}

static int choose_words(struct run *run, const struct config *c, const char *name)
{
	const char *path = lfs_custom_setting(c, name, "path"),
		   *args = lfs_custom_setting(c, name, "args");
	int rc;

	if (!path)
		return err_set(ERR_INVALID,
			"no program is configured for it; set it by 'git config "
			"lfs.customtransfer.%s.path <program>'",
			name);
	if (runs_already(name))
		return err_set(ERR_INVALID,
			"it was started by itself; an agent that is git-dvx-transfer needs "
			"'--store "
			"<directory or URL>' in lfs.customtransfer.%s.args",
			name);
	rc = strvec_push(&run->argv, path);
	if (rc == 0 && args) {
		rc = words_split(&run->argv, args);
		if (rc < 0)
			err_prefix(rc, "lfs.customtransfer.%s.args", name);
	}
	return rc < 0 ? rc : mark(&run->env, name);
}

int lfs_custom_process_start(struct lfs_custom_process *p, const struct config *c, const char *name,
	const volatile int *stop)
{
	int64_t seconds = config_int(c, "dvx.stallseconds", SILENCE_S);
	int rc;

	memset(p, 0, sizeof(*p));
	p->run = (struct run)RUN_INIT;
	p->run.in = p->run.out = RUN_PIPE;
	p->stop = stop;
	p->silence_ms = (int)(seconds < 1 || seconds > 86400 ? SILENCE_S : seconds) * 1000;
	p->input.max = LFSAGENT_LINE_MAX + READ_BYTES;
	rc = choose_words(&p->run, c, name);
	if (rc == 0)
		rc = run_start(&p->run);
	if (rc < 0) {
		run_release(&p->run);
		p->run = (struct run)RUN_INIT;
		return rc;
	}
	fcntl(p->run.in_fd, F_SETFL, O_NONBLOCK);
	return 0;
}

/* ---- lines ---- */

/* Until something can be done with the descriptor. */
static int await(struct lfs_custom_process *p, int fd, short events)
{
	struct pollfd f = {.fd = fd, .events = events};

	for (int waited = 0; waited < p->silence_ms; waited += TICK_MS) {
		if (p->stop && *p->stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		if (poll(&f, 1, TICK_MS) > 0)
			return 0;
	}
	return err_set(
		ERR_REMOTE, "it says nothing for %d s (dvx.stallSeconds)", p->silence_ms / 1000);
}

int lfs_custom_process_send(struct lfs_custom_process *p, const struct buf *line)
{
	for (size_t done = 0; done < line->len;) {
		ssize_t n = write(p->run.in_fd, line->p + done, line->len - done);
		int rc = 0;

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			rc = await(p, p->run.in_fd, POLLOUT);
		else if (n < 0 && errno != EINTR)
			rc = err_set(ERR_REMOTE, "it has ended too early");
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_more(struct lfs_custom_process *p)
{
	ssize_t n;
	int rc = await(p, p->run.out_fd, POLLIN);

	if (rc == 0)
		rc = buf_grow(&p->input, READ_BYTES);
	if (rc < 0)
		return rc;
	n = read(p->run.out_fd, p->input.p + p->input.len, READ_BYTES);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return err_set(ERR_REMOTE, "it has ended too early");
	p->input.len += (size_t)n;
	p->input.p[p->input.len] = '\0';
	return 0;
}

int lfs_custom_process_receive(struct lfs_custom_process *p, const char **line, size_t *len)
{
	buf_consume(&p->input, p->taken);
	p->taken = 0;
	for (;;) {
		const char *nl = p->input.len ? memchr(p->input.p, '\n', p->input.len) : NULL;
		int rc;

		if (nl) {
			*line = p->input.p;
			*len = (size_t)(nl - p->input.p);
			p->taken = *len + 1;
			return 0;
		}
		if (p->input.len > LFSAGENT_LINE_MAX)
			return err_set(ERR_LIMIT, "it says a line without end");
		rc = read_more(p);
		if (rc < 0)
			return rc;
	}
}

/* ---- its end ---- */

/* 1 if it is gone within that time; what it still says is not heard. */
static int is_gone(struct lfs_custom_process *p, int ms)
{
	for (; ms > 0; ms -= TICK_MS / 10) {
		const struct timespec t = {0, TICK_MS / 10 * 1000000L};
		siginfo_t info = {.si_pid = 0};

		if (waitid(P_PID, (id_t)p->run.pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
			info.si_pid)
			return 1;
		nanosleep(&t, NULL);
	}
	return 0;
}

void lfs_custom_process_end(struct lfs_custom_process *p, int politely)
{
	struct buf line = BUF_INIT;

	if (p->run.pid <= 0)
		return;
	if (politely && lfsagent_terminate_format(&line) == 0)
		lfs_custom_process_send(p, &line);
	close(p->run.in_fd);
	p->run.in_fd = -1;
	if (!politely || !is_gone(p, END_MS)) {
		kill(p->run.pid, SIGTERM);
		if (!is_gone(p, KILL_MS))
			kill(p->run.pid, SIGKILL);
	}
	run_finish(&p->run);
	run_release(&p->run);
	buf_release(&p->input);
	buf_release(&line);
	memset(p, 0, sizeof(*p));
}
