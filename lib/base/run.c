/*
 * Starting programs (see run.h).  posix_spawn, because glibc implements it with CLONE_VFORK: no
 * page tables are copied, which is most of the cost of a child.  Every pipe end of ours is
 * close-on-exec and above 2, so that neither a sibling inherits it nor a dup2() onto a standard
 * descriptor hits it.
 */
#include "lib/base/run.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Append "<dir>/<name>" to `out` if that is a program: 1; 0 if not, negative error. */
static int try_directory(struct buf *out, const char *dir, size_t dir_len, const char *name)
{
	size_t start = out->len;
	int rc = buf_addf(out, "%.*s/%s", (int)dir_len, dir, name);

	if (rc < 0)
		return rc;
	if (is_program(out->p + start))
		return 1;
	buf_truncate(out, start);
	return 0;
}

int run_resolve(struct buf *out, const char *name)
{
	const char *path = getenv("PATH");
	const char *end;
	int rc = 0;

	if (!*name)
		return err_set(ERR_NOTFOUND, "empty program name");
	if (strchr(name, '/'))
		return buf_addstr(out, name);
	if (!path)
		path = "/usr/bin:/bin";
	for (; rc == 0; path = end + 1) {
		end = strchrnul(path, ':');
		if (path[0] == '/') /* never "" or ".", which mean the current directory */
			rc = try_directory(out, path, (size_t)(end - path), name);
		if (!*end)
			break;
	}
	if (rc == 0)
		return err_set(ERR_NOTFOUND, "program '%s' not found in PATH", name);
	return rc < 0 ? rc : 0;
}

int run_resolve_sibling(struct buf *out, const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;
	int rc = 0;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (self[0] == '/' && slash)
			rc = try_directory(out, self, (size_t)(slash - self), name);
	}
	if (rc)
		return rc < 0 ? rc : 0;
	return run_resolve(out, name);
}

/* 1 if `change` ("NAME=value" or "NAME") is about the variable of `entry`. */
static int same_variable(const char *change, const char *entry)
{
	size_t len = strcspn(entry, "=");

	return strcspn(change, "=") == len && memcmp(change, entry, len) == 0;
}

/* The present environment with the changes applied; entries are borrowed, the vector is the
 * caller's. NULL: out of memory. */
static char **merged_environment(const struct strvec *changes)
{
	size_t n = 0, k = 0;
	char **merged;

	while (environ && environ[n])
		n++;
	merged = calloc(n + changes->n + 1, sizeof *merged);
	if (!merged)
		return NULL;
	for (size_t i = 0; i < n + changes->n; i++) {
		char *entry = i < n ? environ[i] : changes->v[i - n];
		size_t later = i < n ? 0 : i - n + 1; /* the first change that may overrule it */
		int dropped = !strchr(entry, '=');

		while (later < changes->n && !dropped)
			dropped = same_variable(changes->v[later++], entry);
		if (!dropped)
			merged[k++] = entry;
	}
	return merged;
}

/* A pipe whose ends are all above standard error. */
static int make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys("cannot make a pipe");
	for (int i = 0; i < 2; i++) {
		int low = ends[i];

		if (low > STDERR_FILENO)
			continue;
		ends[i] = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(low);
		if (ends[i] < 0) {
			int rc = err_sys("cannot make a pipe");

			close(ends[!i]);
			return rc;
		}
	}
	return 0;
}

/* What posix_spawn needs; the far ends of the pipes are closed when it has run. */
struct plan {
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int far_in, far_out;
};

static int plan_stdio(struct plan *p, struct run *r)
{
	int ends[2], rc = 0, e = 0;

	if (r->in == RUN_PIPE) {
		if ((rc = make_pipe(ends)) < 0)
			return rc;
		p->far_in = ends[0];
		r->in_fd = ends[1];
		e |= posix_spawn_file_actions_adddup2(&p->actions, p->far_in, STDIN_FILENO);
	} else if (r->in == RUN_NULL) {
		e |= posix_spawn_file_actions_addopen(
			&p->actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	}
	if (r->out == RUN_PIPE) {
		if ((rc = make_pipe(ends)) < 0)
			return rc;
		r->out_fd = ends[0];
		p->far_out = ends[1];
		e |= posix_spawn_file_actions_adddup2(&p->actions, p->far_out, STDOUT_FILENO);
	} else if (r->out == RUN_NULL) {
		e |= posix_spawn_file_actions_addopen(
			&p->actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	} else if (r->out == RUN_TO_STDERR) {
		e |= posix_spawn_file_actions_adddup2(&p->actions, STDERR_FILENO, STDOUT_FILENO);
	}
	if (r->err == RUN_NULL)
		e |= posix_spawn_file_actions_addopen(
			&p->actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	else if (r->err == RUN_TO_STDOUT)
		e |= posix_spawn_file_actions_adddup2(&p->actions, STDOUT_FILENO, STDERR_FILENO);
	else if (r->err == RUN_TO_FD)
		e |= posix_spawn_file_actions_adddup2(&p->actions, r->err_fd, STDERR_FILENO);
	if (r->keep_fd) /* onto itself: no longer close-on-exec there */
		e |= posix_spawn_file_actions_adddup2(&p->actions, r->keep_fd, r->keep_fd);
	if (r->dir)
		e |= posix_spawn_file_actions_addchdir_np(&p->actions, r->dir);
	return e ? err_set(ERR_NOMEM, "out of memory") : 0;
}

/* The child starts with SIGPIPE as programs expect it and with no signal blocked, whatever we have
 * set. */
static void plan_signals(struct plan *p, const struct run *r)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t set;

	if (r->group) {
		posix_spawnattr_setpgroup(&p->attributes, r->group);
		flags |= POSIX_SPAWN_SETPGROUP;
	}
	if (r->own_session)
		flags |= POSIX_SPAWN_SETSID;
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&p->attributes, &set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_setsigdefault(&p->attributes, &set);
	posix_spawnattr_setflags(&p->attributes, flags);
}

/* The program's path; made absolute when it is relative and the child starts in another directory.
 */
static int program_path(struct buf *out, const struct run *r)
{
	char cwd[PATH_MAX];
	int rc;

	if (!r->argv.n)
		return err_set(ERR_INVALID, "no program to run");
	if (r->dir && r->argv.v[0][0] != '/' && strchr(r->argv.v[0], '/')) {
		if (!getcwd(cwd, sizeof cwd))
			return err_sys("cannot find the current directory");
		if ((rc = buf_addf(out, "%s/", cwd)) < 0)
			return rc;
	}
	return run_resolve(out, r->argv.v[0]);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int run_start(struct run *r)
{
	struct plan p = {.far_in = -1, .far_out = -1};
	struct buf path = BUF_INIT;
	char **env = NULL;
	int rc, e;

	r->pid = -1;
	r->in_fd = r->out_fd = -1;
	if (r->err == RUN_PIPE || r->in > RUN_PIPE)
		return err_set(ERR_INVALID, "unsupported redirection");
	if ((e = posix_spawn_file_actions_init(&p.actions)))
		return err_set(ERR_NOMEM, "out of memory");
	posix_spawnattr_init(&p.attributes); /* glibc's cannot fail */
	if ((rc = program_path(&path, r)) < 0)
		goto done;
	if ((rc = plan_stdio(&p, r)) < 0)
		goto done;
	plan_signals(&p, r);
	env = merged_environment(&r->env);
	if (!env) {
		rc = err_set(ERR_NOMEM, "out of memory");
		goto done;
	}
	e = posix_spawn(&r->pid, path.p, &p.actions, &p.attributes, r->argv.v, env);
	if (e) {
		r->pid = -1;
		errno = e;
		rc = err_sys("cannot run '%s'", path.p);
	}
done:
	close_fd(&p.far_in);
	close_fd(&p.far_out);
	if (rc < 0) {
		close_fd(&r->in_fd);
		close_fd(&r->out_fd);
	}
	posix_spawn_file_actions_destroy(&p.actions);
	posix_spawnattr_destroy(&p.attributes);
	free(env);
	buf_release(&path);
	return rc;
}

int run_ended(const struct run *r)
{
	siginfo_t info = {0};

	return r->pid > 0 && waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == r->pid;
}

int run_finish(struct run *r)
{
	int status = 0;

	close_fd(&r->in_fd);
	close_fd(&r->out_fd);
	if (r->pid < 0)
		return err_set(ERR_INVALID, "no program is running");
	while (waitpid(r->pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		r->pid = -1;
		return err_sys("cannot wait for '%s'", r->argv.v[0]);
	}
	r->pid = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void run_release(struct run *r)
{
	close_fd(&r->in_fd);
	close_fd(&r->out_fd);
	strvec_release(&r->argv);
	strvec_release(&r->env);
}

/* write() to a pipe without the SIGPIPE that comes when nobody reads it any more. */
static ssize_t write_quietly(int fd, const void *data, size_t len)
{
	const struct timespec now = {0, 0};
	sigset_t sigpipe, old, pending;
	ssize_t n;
	int was_pending, saved;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &sigpipe, &old);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	n = write(fd, data, len);
	saved = errno;
	if (n < 0 && saved == EPIPE && !was_pending)
		while (sigtimedwait(&sigpipe, NULL, &now) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return n;
}

/* Feed some input; closes the descriptor when all is written or the child wants no more. */
static int feed(struct run *r, const char **input, size_t *left)
{
	ssize_t n = write_quietly(r->in_fd, *input, *left);

	if (n < 0) {
		if (errno == EINTR || errno == EAGAIN)
			return 0;
		if (errno != EPIPE)
			return err_sys("cannot write to '%s'", r->argv.v[0]);
		n = (ssize_t)*left;
	}
	*input += n;
	*left -= (size_t)n;
	if (!*left)
		close_fd(&r->in_fd);
	return 0;
}

/* Take one read's worth of output; closes the descriptor at its end. */
static int drain(struct run *r, struct buf *output)
{
	char data[65536];
	ssize_t n = read(r->out_fd, data, sizeof data);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN
			       ? 0
			       : err_sys("cannot read from '%s'", r->argv.v[0]);
	if (n == 0)
		close_fd(&r->out_fd);
	return n ? buf_add(output, data, (size_t)n) : 0;
}

static int exchange(struct run *r, const char *input, size_t left, struct buf *output)
{
	int rc = 0;

	if (r->in_fd >= 0 && !left)
		close_fd(&r->in_fd);
	if (r->in_fd >= 0 && fcntl(r->in_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys("cannot set up a pipe");
	while (rc == 0 && (r->in_fd >= 0 || r->out_fd >= 0)) {
		/* poll() skips negative descriptors */
		struct pollfd fds[2] = {{r->in_fd, POLLOUT, 0}, {r->out_fd, POLLIN, 0}};

		if (poll(fds, 2, -1) < 0) {
			rc = errno == EINTR ? 0 : err_sys("poll failed");
			continue;
		}
		if (fds[0].revents)
			rc = feed(r, &input, &left);
		if (rc == 0 && fds[1].revents)
			rc = drain(r, output);
	}
	return rc;
}

int run_capture(struct run *r, const void *input, size_t input_len, struct buf *output)
{
	int rc, status;

	r->in = input ? RUN_PIPE : RUN_NULL;
	if (output)
		r->out = RUN_PIPE;
	rc = run_start(r);
	if (rc < 0)
		return rc;
	rc = exchange(r, input, input_len, output);
	if (rc < 0)
		kill(r->pid, SIGTERM);
	status = run_finish(r);
	return rc < 0 ? rc : status;
}
