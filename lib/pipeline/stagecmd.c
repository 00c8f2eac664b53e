/*
 * Running a stage's lines (see stagecmd.h; docs/running-stages.md says why it is done so).
 *
 * At a terminal the commands stay in our process group, so that they may read from it and get its
 * Ctrl-C and Ctrl-Z by themselves; a background group could do neither.  Everywhere else they have
 * a group of their own, which is told when we are to stop, and killed as a whole when a line fails
 * or we are gone.
 */
#include "lib/pipeline/stagecmd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/guard.h"
#include "lib/base/run.h"

enum { LINE_LIMIT = 64 * 1024, LOOK_MS = 100, LOOK_WITHOUT_PIDFD_MS = 10 };

/* One line of the stage while it runs. */
struct running {
	const struct stagecmd *c;
	struct run run;
	struct guard *guard;
	struct buf line; /* of its output, not complete yet */
	int returned;	 /* the last character was a carriage return */
	int told_to_stop;
};

/* ---- the shell ---- */

/* The user's, as with DVC; where that is none that runs commands, /bin/sh. */
static const char *user_shell(void)
{
	const char *shell = getenv("SHELL"), *base = shell ? strrchr(shell, '/') : NULL;

	if (!base || shell[0] != '/' || access(shell, X_OK) < 0 || strcmp(base, "/nologin") == 0 ||
		strcmp(base, "/false") == 0)
		return "/bin/sh";
	return shell;
}

/* Start-up files are the user's own affair and no part of the stage. */
static int shell_argv(struct strvec *argv, const char *line)
{
	const char *shell = user_shell(), *base = strrchr(shell, '/') + 1;
	int rc = strvec_push(argv, shell);

	if (rc == 0 && strcmp(base, "bash") == 0)
		rc = strvec_pushl(argv, "--noprofile", "--norc", NULL);
	else if (rc == 0 && strcmp(base, "zsh") == 0)
		rc = strvec_push(argv, "--no-rcs");
	return rc == 0 ? strvec_pushl(argv, "-c", line, NULL) : rc;
}

/* ---- output ---- */

static int end_line(struct running *r)
{
	int rc = r->c->output(buf_str(&r->line), r->c->data);

	buf_reset(&r->line);
	r->returned = 0;
	return rc;
}

/* Split into lines.  What a carriage return overwrites on a terminal (progress bars) is dropped; a
 * line that is too long comes in pieces. */
static int take_output(struct running *r, const char *p, size_t len)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < len; i++) {
		if (p[i] == '\n') {
			rc = end_line(r);
			continue;
		}
		if (p[i] == '\r') {
			r->returned = 1;
			continue;
		}
		if (r->returned)
			buf_reset(&r->line);
		r->returned = 0;
		if (r->line.len >= LINE_LIMIT)
			rc = end_line(r);
		if (rc == 0)
			rc = buf_addch(&r->line, p[i] ? p[i] : ' ');
	}
	return rc;
}

/* One read.  0, also at the end, where the descriptor is closed. */
static int read_output(struct running *r, size_t most)
{
	char data[16384];
	ssize_t n = read(r->run.out_fd, data, most < sizeof data ? most : sizeof data);

	if (n < 0)
		return errno == EINTR ? 0 : err_sys("cannot read the output of '%s'", r->c->stage);
	if (n == 0) {
		close(r->run.out_fd);
		r->run.out_fd = -1;
	}
	return take_output(r, data, (size_t)n);
}

/* What it wrote before its end is in the pipe; what processes write that it left behind is not
 * waited for. */
static int read_rest(struct running *r)
{
	int rc = 0, left = 0;

	while (rc == 0 && r->run.out_fd >= 0) {
		if (left <= 0 && (ioctl(r->run.out_fd, FIONREAD, &left) < 0 || left <= 0))
			break;
		rc = read_output(r, (size_t)left);
		left = -1;
	}
	if (rc == 0 && r->line.len)
		rc = end_line(r);
	return rc;
}

/* ---- one line ---- */

static int start(struct running *r, const char *line)
{
	const struct stagecmd *c = r->c;
	int rc = shell_argv(&r->run.argv, line);

	for (size_t i = 0; rc == 0 && i < c->env->n; i++)
		rc = strvec_push(&r->run.env, c->env->v[i]);
	r->run.dir = c->dir;
	r->run.keep_fd = c->claim_fd;
	r->run.group = r->guard->own_group ? r->guard->pid : 0;
	if (c->output) {
		r->run.in = RUN_NULL;
		r->run.out = RUN_PIPE;
		r->run.err = RUN_TO_STDOUT;
	}
	if (rc == 0 && c->starting)
		rc = c->starting(line, c->data);
	if (rc == 0)
		rc = run_start(&r->run);
	if (rc == 0)
		guard_watch(r->guard, r->run.pid);
	return rc;
}

static void pass_on_stop(struct running *r)
{
	if (!r->c->stop || !*r->c->stop || r->told_to_stop)
		return;
	r->told_to_stop = 1;
	guard_signal(r->guard, SIGINT);
}

/* Until it has ended.  0, or the first error of `output`: then it is to be killed. */
static int watch(struct running *r)
{
	int pidfd = (int)syscall(SYS_pidfd_open, r->run.pid, 0);
	int rc = 0;

	while (rc == 0 && !run_ended(&r->run)) {
		struct pollfd fds[2] = {{pidfd, POLLIN, 0}, {r->run.out_fd, POLLIN, 0}};
		int n = poll(fds, 2, pidfd < 0 ? LOOK_WITHOUT_PIDFD_MS : LOOK_MS);

		pass_on_stop(r);
		(void)futimens(r->c->claim_fd, NULL); /* a sign of life, for claim_undo.c */
		if (n > 0 && fds[1].revents)
			rc = read_output(r, LINE_LIMIT);
	}
	if (pidfd >= 0)
		close(pidfd);
	return rc == 0 ? read_rest(r) : rc;
}

static int failure(const struct stagecmd *c, const char *line, int status)
{
	const char *name = status > 128 ? sigabbrev_np(status - 128) : NULL;
	int first = (int)strcspn(line, "\n");

	if (name)
		return err_set(ERR_INVALID,
			"stage '%s' failed: '%.*s' was killed by SIG%s (status %d)", c->stage,
			first, line, name, status);
	return err_set(ERR_INVALID, "stage '%s' failed: '%.*s' exited with status %d%s", c->stage,
		first, line, status, status == 127 ? " (command not found)" : "");
}

static int run_line(const struct stagecmd *c, struct guard *guard, const char *line)
{
	struct running r = {.c = c, .run = RUN_INIT, .guard = guard};
	int rc = start(&r, line), status = 0;

	if (rc < 0)
		goto done;
	rc = watch(&r);
	if (rc < 0) {
		kill(r.run.pid, SIGKILL);
		guard_signal(guard, SIGKILL);
	}
	/* without reaping it, so that its number is nobody else's while the guard knows it */
	while (!run_ended(&r.run))
		poll(NULL, 0, LOOK_WITHOUT_PIDFD_MS);
	guard_watch(guard, 0);
	status = run_finish(&r.run);
	if (rc == 0 && c->stop && *c->stop)
		rc = err_set(ERR_INTERRUPTED, "interrupted; stage '%s' was stopped", c->stage);
	else if (rc == 0 && status != 0)
		rc = status < 0 ? status : failure(c, line, status);
done:
	run_release(&r.run);
	buf_release(&r.line);
	return rc;
}

/* ---- all lines ---- */

int stagecmd_check_dir(const char *stage, const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return err_sys("stage '%s' cannot start in its wdir '%s'", stage, dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(ERR_INVALID,
			"stage '%s' cannot start in its wdir '%s': it is no directory", stage, dir);
	return 0;
}

int stagecmd_run(const struct stagecmd *c)
{
	struct guard guard = GUARD_INIT;
	int own_group = c->output || !isatty(STDIN_FILENO);
	int rc = stagecmd_check_dir(c->stage, c->dir);

	if (rc == 0)
		rc = guard_start(&guard, own_group, c->claim_fd);
	for (size_t i = 0; rc == 0 && i < c->lines->n; i++)
		rc = run_line(c, &guard, c->lines->v[i]);
	if (rc < 0) /* what is left of it must not write to outputs that are about to be put back */
		guard_kill(&guard);
	else
		guard_end(&guard);
	return rc;
}
