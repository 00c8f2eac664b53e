/*
 * Running rclone (see rclone_run.h).  Its output comes through a pipe that is polled ten times a
 * second for a wish to stop; its end is seen as the end of that pipe.  Trying again is ours, not
 * rclone's, so that it is bounded and can be interrupted.
 */
#include "transfer/rclone/rclone_run.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { POLL_MS = 100, GRACE_MS = 2000, LOG_MAX = 64 * 1024 };

/* Options may come from the environment, too.  These would hide files, do nothing and call it
 * success, or write the log elsewhere; none of that is meant for us. */
static const char *const not_for_us[] = {"BACKUP_DIR", "COMPARE_DEST", "COPY_DEST", "DRY_RUN",
	"EXCLUDE", "EXCLUDE_FROM", "EXCLUDE_IF_PRESENT", "FILES_FROM", "FILES_FROM_RAW", "FILTER",
	"FILTER_FROM", "IGNORE_EXISTING", "IMMUTABLE", "INCLUDE", "INCLUDE_FROM", "INTERACTIVE",
	"LOG_FILE", "LOG_FORMAT", "LOG_LEVEL", "MAX_AGE", "MAX_DEPTH", "MAX_DURATION", "MAX_SIZE",
	"MAX_TRANSFER", "MIN_AGE", "MIN_SIZE", "PROGRESS", "QUIET", "RC", "SUFFIX", "SYSLOG",
	"UPDATE", "USE_JSON_LOG", "VERBOSE"};

static int set_words(struct rclone_run *r, const char *verb, const char *const *options,
	const char *operand, const char *second)
{
	struct strvec *argv = &r->run.argv;
	int rc = strvec_pushl(argv, "rclone", "--retries=1", "--low-level-retries=2",
		"--contimeout=20s", "--timeout=30s", "--ask-password=false", NULL);

	for (; rc == 0 && *verb; verb += strcspn(verb, " "), verb += *verb == ' ')
		rc = strvec_pushn(argv, verb, strcspn(verb, " "));
	for (; rc == 0 && options && *options; options++)
		rc = strvec_push(argv, *options);
	if (rc == 0)
		rc = strvec_pushl(argv, "--", operand, second, NULL);
	for (size_t i = 0; rc == 0 && i < sizeof(not_for_us) / sizeof(not_for_us[0]); i++)
		rc = strvec_pushf(&r->run.env, "RCLONE_%s", not_for_us[i]);
	return rc;
}

int rclone_start(struct rclone_run *r, const struct remote *remote,
	const struct rclone_place *place, const char *verb, const char *const *options,
	const char *operand, const char *second)
{
	int rc;

	*r = (struct rclone_run){.run = RUN_INIT, .remote = remote, .place = place, .log = -1};
	rc = remote_check_stop(remote);
	if (rc < 0)
		return rc;
	r->log = memfd_create("rclone-log", MFD_CLOEXEC);
	if (r->log < 0)
		return err_sys("cannot make a file in memory");
	rc = set_words(r, verb, options, operand, second);
	if (rc == 0) {
		r->run.in = RUN_NULL;
		r->run.out = RUN_PIPE;
		r->run.err = RUN_TO_FD;
		r->run.err_fd = r->log;
		rc = run_start(&r->run);
	}
	if (rc == ERR_NOTFOUND)
		rc = err_set(ERR_UNSUPPORTED,
			"remote '%s': rclone is not installed; 'apt install rclone', or see "
			"https://rclone.org/install",
			remote->name);
	if (rc < 0)
		rclone_abort(r);
	return rc;
}

/* Wait until there is output or its end. */
static int wait_for_output(const struct rclone_run *r)
{
	struct pollfd p = {r->run.out_fd, POLLIN, 0};
	int rc = remote_check_stop(r->remote);

	while (rc == 0) {
		int n = poll(&p, 1, POLL_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys("poll failed");
		rc = remote_check_stop(r->remote);
	}
	return rc;
}

ssize_t rclone_read(struct rclone_run *r, void *into, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = wait_for_output(r);

		if (n < 0)
			return n;
		n = read(r->run.out_fd, (char *)into + have, len - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys("cannot read from rclone");
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static void release(struct rclone_run *r)
{
	run_release(&r->run);
	if (r->log >= 0)
		close(r->log);
	r->log = -1;
}

void rclone_abort(struct rclone_run *r)
{
	struct pollfd p = {r->run.out_fd, POLLIN, 0};
	char rest[4096];

	if (r->run.pid > 0) {
		kill(r->run.pid, SIGTERM);
		/* its pipe closes when it ends; one that does not end is made to */
		while (poll(&p, 1, GRACE_MS) > 0 && read(p.fd, rest, sizeof(rest)) > 0)
			;
		if (!(p.revents & POLLHUP))
			kill(r->run.pid, SIGKILL);
		run_finish(&r->run);
	}
	release(r);
}

static int failure(const struct rclone_run *r, const char *doing, int status)
{
	char log[LOG_MAX];
	off_t size = lseek(r->log, 0, SEEK_END);
	/* the last of it says most */
	off_t from = size > LOG_MAX - 1 ? size - (LOG_MAX - 1) : 0;
	ssize_t n = fs_pread_full(r->log, log, LOG_MAX - 1, (uint64_t)from);

	log[n > 0 ? n : 0] = '\0';
	return rclone_failure(r->place, doing, status, log);
}

int rclone_end(struct rclone_run *r, const char *doing)
{
	char rest[4096];
	ssize_t n;
	int rc;

	while ((n = rclone_read(r, rest, sizeof(rest))) > 0)
		;
	if (n < 0) {
		rclone_abort(r);
		return (int)n;
	}
	rc = run_finish(&r->run);
	if (rc > 0)
		rc = failure(r, doing, rc);
	release(r);
	return rc;
}
