/*
 * Starting ssh and understanding its failures (see ssh_process.h).  What ssh says on its standard
 * error - questions about keys, warnings, reasons - goes to ours at once, as with Git; it also goes
 * through our hands, because its words are the only way to tell a wrong key from a network that is
 * down for a moment.
 */
#include "transfer/ssh/ssh_process.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
	SAID_MAX = 8192,
	STALL_SECONDS = 30, /* of silence while an answer is outstanding */
	FINISH_MS = 5000,
	PIPE_BYTES = 512 * 1024,
	SSH_FAILED = 255, /* OpenSSH's status for failures of its own */
	KILLED = 130	  /* and above: by a signal that was not the user's */
};

static const char default_command[] = "git-dvx-transfer";

/* ---- starting ---- */

/* Does the program know OpenSSH's -G?  Git asks the same way. */
static int try_variant(
	enum ssh_variant *v, const struct ssh_choice *c, const struct ssh_target *target)
{
	struct run run = RUN_INIT;
	int rc = ssh_probe_argv(&run.argv, c, target);

	run.out = RUN_NULL;
	run.err = RUN_NULL;
	if (rc == 0)
		rc = run_capture(&run, NULL, 0, NULL);
	run_release(&run);
	*v = rc == 0 ? SSH_OPENSSH : SSH_SIMPLE;
	return rc < 0 ? rc : 0;
}

/* "git-dvx-transfer serve 'PATH'" */
static int far_command(struct buf *out, const struct ssh_process_options *o)
{
	int rc;

	if (o->line)
		return buf_addstr(out, o->line);
	rc = buf_addf(out, "%s serve ", o->command ? o->command : default_command);
	return rc < 0 ? rc : ssh_quote(out, o->target->path);
}

static int choose_words(struct ssh_process *p, const struct ssh_process_options *o)
{
	struct ssh_choice choice;
	struct buf command = BUF_INIT;
	enum ssh_variant v;
	int rc = far_command(&command, o);

	ssh_choice_init(&choice, o->config);
	p->by_shell = choice.command_env || choice.command;
	v = ssh_variant_of(&choice);
	if (rc == 0 && v == SSH_UNKNOWN)
		rc = try_variant(&v, &choice, o->target);
	if (rc == 0)
		rc = ssh_argv(&p->run.argv, &choice, v, o->target, buf_str(&command));
	buf_release(&command);
	return rc;
}

/* A pipe above the standard descriptors, which run_start sets up. */
static int make_pipe(int ends[2])
{
	int fds[2];

	ends[0] = ends[1] = -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys("cannot make a pipe");
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(fds[i]);
	}
	return ends[0] < 0 || ends[1] < 0 ? err_sys("cannot make a pipe") : 0;
}

int ssh_process_start(struct ssh_process *p, const struct ssh_process_options *o)
{
	int ends[2] = {-1, -1}, rc;

	memset(p, 0, sizeof(*p));
	p->run = (struct run)RUN_INIT;
	p->show = o->show;
	p->said.max = SAID_MAX;
	p->err_fd = -1;
	rc = choose_words(p, o);
	if (rc == 0)
		rc = make_pipe(ends);
	if (rc == 0) {
		p->run.in = p->run.out = RUN_PIPE;
		p->run.err = RUN_TO_FD;
		p->run.err_fd = ends[1];
		rc = run_start(&p->run);
	}
	if (rc == 0) { /* fewer turns between us and ssh; where that is not allowed, more */
		fcntl(p->run.in_fd, F_SETPIPE_SZ, PIPE_BYTES);
		fcntl(p->run.out_fd, F_SETPIPE_SZ, PIPE_BYTES);
	}
	if (ends[1] >= 0)
		close(ends[1]);
	p->err_fd = ends[0];
	if (rc < 0) {
		if (p->err_fd >= 0)
			close(p->err_fd);
		run_release(&p->run);
	}
	return rc;
}

/* ---- while it runs ---- */

int ssh_process_stall_ms(const struct config *c)
{
	int64_t seconds = config_int(c, "dvx.stallSeconds", STALL_SECONDS);

	return (int)(seconds < 1 || seconds > 3600 ? STALL_SECONDS : seconds) * 1000;
}

int ssh_process_unattended(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

void ssh_process_hear(struct ssh_process *p)
{
	char text[4096];
	ssize_t n = read(p->err_fd, text, sizeof(text));
	size_t keep = n > 0 ? (size_t)n : 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(p->err_fd);
		p->err_fd = -1;
		return;
	}
	if (p->show && fs_write_full(STDERR_FILENO, text, keep) < 0)
		err_clear();
	if (keep > SAID_MAX - p->said.len)
		keep = SAID_MAX - p->said.len;
	if (keep && buf_add(&p->said, text, keep) < 0)
		err_clear();
}

int ssh_process_end(struct ssh_process *p, int let_it_finish)
{
	struct pollfd err = {.events = POLLIN};
	int left = let_it_finish ? FINISH_MS : 0;
	int status;

	close(p->run.in_fd);
	p->run.in_fd = -1;
	while (p->err_fd >= 0) {
		err.fd = p->err_fd;
		if (poll(&err, 1, left > 0 ? 100 : 0) > 0)
			ssh_process_hear(p);
		else if ((left -= 100) <= 0)
			break;
	}
	if (p->err_fd >= 0) { /* it lives, or something that it started does */
		kill(p->run.pid, SIGTERM);
		close(p->err_fd);
		p->err_fd = -1;
	}
	status = run_finish(&p->run);
	run_release(&p->run);
	return status;
}

/* ---- when it fails ---- */

/* What OpenSSH and the others say, and what that means. */
static const struct {
	const char *words;
	int code;
	const char *meaning;
} reasons[] = {
	{"IDENTIFICATION HAS CHANGED", ERR_DENIED,
		"ssh does not trust the key of host '%s', which is another than before; find out "
		"why before you correct ~/.ssh/known_hosts"},
	{"Host key verification failed", ERR_DENIED,
		"ssh does not know the key of host '%s' yet; run 'ssh' to that host once and "
		"compare its key"},
	{"Permission denied", ERR_DENIED,
		"ssh cannot log in to host '%s'; see that 'ssh' to it works by itself (user name, "
		"key, agent)"},
	{"Too many authentication failures", ERR_DENIED,
		"ssh cannot log in to host '%s': it offers too many keys; set IdentitiesOnly"},
	{"Name or service not known", ERR_INVALID,
		"there is no host '%s'; correct the URL of the remote"},
	{"Connection refused", ERR_REMOTE,
		"host '%s' accepts no ssh connections; is its ssh server running, and the port "
		"right?"},
	{"timed out", ERR_REMOTE, "host '%s' does not answer; is it up, and the network?"},
};

/* The sentence of a reason, with the host in it. */
static int give_reason(size_t i, const char *host)
{
	struct buf text = BUF_INIT;
	const char *at = strstr(reasons[i].meaning, "%s");

	buf_addf(&text, "%.*s%s%s", (int)(at - reasons[i].meaning), reasons[i].meaning, host,
		at + 2);
	err_set(reasons[i].code, "%s", buf_str(&text));
	buf_release(&text);
	return reasons[i].code;
}

/* ssh is well, and what it ran there ended with this. */
static int explain_far(const struct ssh_ending *e)
{
	const char *command = e->command ? e->command : default_command;

	if (e->status == 127)
		return err_set(ERR_UNSUPPORTED,
			"host '%s' has no '%s' in its PATH%s; install git-dvx there, or say where "
			"it is by 'git config dvx-remote.%s.servecommand <path>'",
			e->host, command,
			e->by_shell ? " (or GIT_SSH_COMMAND names no program here)" : "",
			e->remote);
	return err_set(e->status == 0 || e->status > KILLED ? ERR_REMOTE : ERR_UNSUPPORTED,
		"host '%s' did not start '%s serve' (exit status %d); is git-dvx there as new as "
		"here?",
		e->host, command, e->status);
}

int ssh_process_explain(const struct ssh_ending *e)
{
	if (e->status < 0)
		return e->status;
	if (e->status != SSH_FAILED)
		return explain_far(e);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strstr(e->said, reasons[i].words))
			return give_reason(i, e->host);
	return err_set(ERR_REMOTE,
		"ssh cannot connect to host '%s'; see that 'ssh' to it works by itself", e->host);
}
