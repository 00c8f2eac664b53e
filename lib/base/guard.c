/*
 * The guard (see guard.h): fork without exec, because all it needs are four system calls, and
 * because nothing is allowed to go wrong in it.  The pipe to it ends with our process, however that
 * ends.  As the leader of its group it also keeps the group's number from being given away while
 * anybody may still send signals there.
 */
#include "lib/base/guard.h"
#include "lib/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GONE_WITHIN_MS = 500 };

static void close_between(unsigned first, unsigned last)
{
	if (first > last || close_range(first, last, 0) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd < 65536; fd++) /* before Linux 5.9 */
		close((int)fd);
}

/* Close all but these two: whoever waits for the end of a pipe of ours must not wait for the guard.
 */
static void close_others(unsigned a, unsigned b)
{
	unsigned low = a < b ? a : b, high = a < b ? b : a;

	if (low > 0)
		close_between(0, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, ~0u);
}

static _Noreturn void keep_watch(int fd, int keep_fd, int own_group)
{
	pid_t watched = 0, next;
	ssize_t n;

	if (own_group)
		setpgid(0, 0);
	prctl(PR_SET_NAME, "git-dvx guard");
	close_others((unsigned)fd, (unsigned)(keep_fd > 0 ? keep_fd : fd));
	while ((n = read(fd, &next, sizeof next)) == (ssize_t)sizeof next)
		watched = next;
	if (n == 0 && own_group)
		kill(0, SIGKILL);
	else if (n == 0 && watched > 0)
		kill(watched, SIGKILL);
	_exit(0);
}

int guard_start(struct guard *g, int own_group, int keep_fd)
{
	sigset_t all, old;
	int ends[2], rc = 0;

	*g = (struct guard)GUARD_INIT;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys("cannot make a pipe");
	/* no handler of ours may run there, and no signal to the group may end it */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	g->pid = fork();
	if (g->pid == 0)
		keep_watch(ends[0], keep_fd, own_group);
	if (g->pid < 0)
		rc = err_sys("cannot start a process");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(ends[0]);
	if (rc < 0) {
		close(ends[1]);
		return rc;
	}
	if (own_group)
		setpgid(g->pid, g->pid); /* both do it, so that neither has to wait */
	g->fd = ends[1];
	g->own_group = own_group;
	return 0;
}

void guard_watch(struct guard *g, pid_t pid)
{
	/* so few bytes go in one piece; a guard that somebody killed cannot be helped, and its
	 * group may still be signalled */
	if (g->fd >= 0 && !g->own_group && write(g->fd, &pid, sizeof pid) < 0)
		return;
}

void guard_signal(const struct guard *g, int sig)
{
	if (g->pid > 0 && g->own_group)
		kill(-g->pid, sig);
}

void guard_kill(struct guard *g)
{
	pid_t group = g->own_group ? g->pid : -1;

	guard_signal(g, SIGKILL);
	guard_end(g);
	for (int i = 0; group > 0 && i < GONE_WITHIN_MS && kill(-group, 0) == 0; i++)
		poll(NULL, 0, 1);
}

void guard_end(struct guard *g)
{
	if (g->pid > 0) {
		kill(g->pid, SIGKILL);
		while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (g->fd >= 0)
		close(g->fd);
	*g = (struct guard)GUARD_INIT;
}
