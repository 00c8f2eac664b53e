/*
 * The client of the batch protocol: starts git-dvx-transfer, writes requests while reading answers
 * (either side may have 100,000 lines to say before the other one listens), and puts each answer
 * into the object it is for.  Linked into the filter, so no library but libc here.
 */
#include "lib/wire/batch.h"
#include "lib/base/err.h"
#include "lib/base/progressfile.h"
#include "lib/base/run.h"
#include "lib/store/oidmap.h"
#include "lib/wire/batchline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUT_LOW = 64 * 1024, READ_SIZE = 64 * 1024, POLL_MS = 100 };

struct client {
	struct run run;
	struct batch_object *objects;
	size_t n;
	struct oidmap numbers; /* an answer's object; of several with one id the first */
	size_t *same;	       /* the next object with the same id, plus one; 0: none */
	const struct batch_options *options;
	enum batch_direction direction;
	struct batch_result *result;
	struct progress *progress;
	size_t next;	/* first object whose request is not formatted yet */
	struct buf out; /* formatted, not written yet */
	size_t out_pos;
	struct buf in; /* read, not parsed yet */
	int finished;  /* "done" was seen */
	int fatal;     /* its code, when "fatal" was seen; the message is err_msg() */
	int stopping;
};

/* Every object with this id gets the answer: one id may stand at several paths. */
static int record(struct client *c, const struct batch_answer *a, int state)
{
	uint32_t first;

	if (!oidmap_get(&c->numbers, &a->oid, &first))
		return err_set(
			ERR_REMOTE, "git-dvx-transfer answered for an object it was not asked for");
	for (size_t i = (size_t)first + 1; i; i = c->same[i - 1]) {
		struct batch_object *o = &c->objects[i - 1];

		if (o->state != 0)
			continue;
		o->state = state;
		if (state < 0) {
			c->result->failed++;
			o->error = strdup(a->text);
		} else if (state == 2) {
			c->result->present++;
		} else {
			c->result->done++;
			if (c->direction != BATCH_CHECK && !c->options->dry_run)
				progressfile_add(
					c->direction == BATCH_UPLOAD ? "upload" : "download",
					c->result->done, c->n, o->size, o->path);
		}
	}
	return 0;
}

static int handle_answer(struct client *c, char *line, size_t len)
{
	struct batch_answer a;
	int rc = batch_answer_parse(&a, line, len);

	if (rc < 0)
		return err_prefix(rc, "bad answer of git-dvx-transfer");
	switch (a.kind) {
	case BATCH_ANSWER_REMOTE:
		strncpy(c->result->remote, a.text, sizeof(c->result->remote) - 1);
		return 0;
	case BATCH_ANSWER_OK:
		c->result->bytes += a.bytes;
		return record(c, &a, 1);
	case BATCH_ANSWER_PRESENT:
		return record(c, &a, 2);
	case BATCH_ANSWER_ERROR:
		return record(c, &a, a.code);
	case BATCH_ANSWER_PROGRESS:
		progress_set(c->progress, a.objects, a.bytes);
		return 0;
	case BATCH_ANSWER_FATAL:
		c->fatal = err_set(a.code, "%s", a.text);
		return 0;
	case BATCH_ANSWER_DONE:
		c->finished = 1;
		return 0;
	case BATCH_ANSWER_UNKNOWN:
		return 0;
	}
	return 0;
}

/* Format requests until there is something worth a write(). */
static int fill_out(struct client *c)
{
	buf_consume(&c->out, c->out_pos);
	c->out_pos = 0;
	while (c->next < c->n && c->out.len < OUT_LOW) {
		const struct batch_object *o = &c->objects[c->next];
		struct batch_request r = {.oid = o->oid,
			.size = o->size,
			.base = o->base,
			.has_base = o->has_base,
			.path = o->path};
		int rc = batch_request_format(&c->out, &r);

		if (rc == ERR_LIMIT) { /* the path is for messages only */
			r.path = NULL;
			rc = batch_request_format(&c->out, &r);
		}
		if (rc < 0)
			return rc;
		c->next++;
	}
	return 0;
}

static void close_requests(struct client *c)
{
	if (c->run.in_fd >= 0)
		close(c->run.in_fd);
	c->run.in_fd = -1;
}

static int write_requests(struct client *c)
{
	ssize_t n;
	int rc;

	if (c->out_pos == c->out.len) {
		rc = fill_out(c);
		if (rc < 0)
			return rc;
		if (c->out.len == 0) {
			close_requests(c);
			return 0;
		}
	}
	n = write(c->run.in_fd, c->out.p + c->out_pos, c->out.len - c->out_pos);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0) { /* it gave up early: its last words are on the other pipe */
		close_requests(c);
		return errno == EPIPE ? 0 : err_sys("cannot write to git-dvx-transfer");
	}
	c->out_pos += (size_t)n;
	return 0;
}

/* 1: more may come, 0: end of file. */
static int read_answers(struct client *c)
{
	size_t start = 0;
	ssize_t n;
	char *lf;
	int rc = buf_grow(&c->in, READ_SIZE);

	if (rc < 0)
		return rc;
	n = read(c->run.out_fd, c->in.p + c->in.len, READ_SIZE);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n < 0)
		return err_sys("cannot read from git-dvx-transfer");
	if (n == 0)
		return 0;
	c->in.len += (size_t)n;
	c->in.p[c->in.len] = '\0';
	while (rc == 0 && (lf = memchr(c->in.p + start, '\n', c->in.len - start))) {
		size_t len = (size_t)(lf - (c->in.p + start));

		*lf = '\0';
		rc = handle_answer(c, c->in.p + start, len);
		start += len + 1;
	}
	buf_consume(&c->in, start);
	if (rc == 0 && c->in.len > BATCH_LINE_MAX)
		rc = err_set(ERR_LIMIT, "git-dvx-transfer wrote a line that is too long");
	return rc < 0 ? rc : 1;
}

static void check_stop(struct client *c)
{
	if (c->stopping || !c->options->stop || !*c->options->stop)
		return;
	c->stopping = 1;
	kill(c->run.pid, SIGTERM);
	close_requests(c);
}

static int talk(struct client *c)
{
	for (;;) {
		struct pollfd fds[2] = {{.fd = c->run.out_fd, .events = POLLIN},
			{.fd = c->run.in_fd, .events = POLLOUT}};
		int rc;

		check_stop(c);
		if (poll(fds, c->run.in_fd >= 0 ? 2 : 1, POLL_MS) < 0 && errno != EINTR)
			return err_sys("poll failed");
		if (c->run.in_fd >= 0 && fds[1].revents) {
			rc = write_requests(c);
			if (rc < 0)
				return rc;
		}
		if (fds[0].revents) {
			rc = read_answers(c);
			if (rc <= 0)
				return rc;
		}
	}
}

/* SIGPIPE is held back in this thread while we write to a child that may have died; what came is
 * taken away before the mask is restored. */
static int talk_without_sigpipe(struct client *c)
{
	const struct timespec zero = {0, 0};
	sigset_t pipe_set, old, pending;
	int rc, was_pending;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	rc = talk(c);
	if (!was_pending) {
		while (sigtimedwait(&pipe_set, NULL, &zero) < 0 && errno == EINTR)
			;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static int prepare_argv(struct run *r, enum batch_direction d, const struct batch_options *o)
{
	struct buf program = BUF_INIT;
	int rc = run_resolve_sibling(&program, "git-dvx-transfer");

	if (rc < 0) {
		rc = err_set(ERR_NOTFOUND, "cannot find 'git-dvx-transfer', neither beside this "
					   "program nor in PATH; install git-dvx completely");
		goto done;
	}
	if (d == BATCH_CHECK)
		rc = strvec_pushl(&r->argv, program.p, "fsck", NULL);
	else
		rc = strvec_pushl(&r->argv, program.p, "batch",
			d == BATCH_UPLOAD ? "upload" : "download", NULL);
	if (rc == 0 && o->remote)
		rc = strvec_pushf(&r->argv, "--remote=%s", o->remote);
	if (rc == 0 && o->git_remote)
		rc = strvec_pushf(&r->argv, "--git-remote=%s", o->git_remote);
	if (rc == 0 && o->ref)
		rc = strvec_pushf(&r->argv, "--ref=%s", o->ref);
	if (rc == 0 && o->jobs > 0)
		rc = strvec_pushf(&r->argv, "--jobs=%d", o->jobs);
	if (rc == 0 && o->dry_run)
		rc = strvec_push(&r->argv, "--dry-run");
	if (rc == 0 && o->verify)
		rc = strvec_push(&r->argv, "--verify");
	if (rc == 0 && o->quick)
		rc = strvec_push(&r->argv, "--quick");
	if (rc == 0 && o->repair)
		rc = strvec_push(&r->argv, "--repair");
done:
	buf_release(&program);
	return rc;
}

static int number_objects(struct client *c)
{
	uint32_t first;
	int rc = c->n < UINT32_MAX ? oidmap_reserve(&c->numbers, c->n)
				   : err_set(ERR_LIMIT, "too many objects for one transfer");

	c->same = calloc(c->n + 1, sizeof(*c->same));
	if (rc == 0 && !c->same)
		rc = err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc >= 0 && i < c->n; i++) {
		rc = oidmap_add(&c->numbers, &c->objects[i].oid, (uint32_t)i);
		if (rc == 0 && oidmap_get(&c->numbers, &c->objects[i].oid, &first)) {
			c->same[i] = c->same[first];
			c->same[first] = i + 1;
		}
	}
	return rc < 0 ? rc : 0;
}

/* What the conversation came to, once the child is gone. */
static int verdict(const struct client *c, int rc, int status)
{
	if (c->stopping)
		return err_set(ERR_INTERRUPTED, "interrupted");
	if (c->fatal)
		return c->fatal;
	if (rc < 0)
		return rc;
	if (status < 0)
		return status;
	if (status == 130)
		return err_set(ERR_INTERRUPTED, "interrupted");
	if (!c->finished)
		return err_set(ERR_REMOTE, "git-dvx-transfer ended early (exit status %d)", status);
	for (size_t i = 0; i < c->n; i++) {
		if (c->objects[i].state == 0)
			return err_set(
				ERR_REMOTE, "git-dvx-transfer did not answer for every object");
	}
	return 0;
}

static int converse(struct client *c, enum batch_direction d)
{
	static const char *const titles[] = {[BATCH_DOWNLOAD] = "Downloading",
		[BATCH_UPLOAD] = "Uploading",
		[BATCH_CHECK] = "Checking"};
	uint64_t bytes = 0;
	char *message = NULL;
	int rc, status;

	rc = run_start(&c->run);
	if (rc < 0)
		return err_prefix(rc, "cannot start git-dvx-transfer");
	if (fcntl(c->run.in_fd, F_SETFL, O_NONBLOCK) < 0)
		close_requests(c);
	for (size_t i = 0; i < c->n; i++)
		bytes += c->objects[i].size == BATCH_SIZE_UNKNOWN ? 0 : c->objects[i].size;
	c->progress = progress_new(titles[d], c->n, bytes, c->options->progress);
	rc = talk_without_sigpipe(c);
	progress_free(c->progress);
	if (rc < 0)
		kill(c->run.pid, SIGTERM);
	if (rc < 0 || c->fatal)
		message = strdup(err_msg());
	status = run_finish(&c->run);
	if (message)
		err_set(rc < 0 ? rc : c->fatal, "%s", message);
	free(message);
	return verdict(c, rc, status);
}

int batch_run(enum batch_direction d, struct batch_object *objects, size_t n,
	const struct batch_options *o, struct batch_result *r)
{
	struct client c = {.run = RUN_INIT,
		.objects = objects,
		.n = n,
		.options = o,
		.direction = d,
		.result = r};
	int rc;

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < n; i++) {
		objects[i].state = 0;
		objects[i].error = NULL;
	}
	c.run.in = RUN_PIPE;
	c.run.out = RUN_PIPE;
	rc = number_objects(&c);
	if (rc == 0)
		rc = prepare_argv(&c.run, d, o);
	if (rc == 0)
		rc = converse(&c, d);
	run_release(&c.run);
	buf_release(&c.out);
	buf_release(&c.in);
	oidmap_release(&c.numbers);
	free(c.same);
	return rc;
}

void batch_objects_release(struct batch_object *objects, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(objects[i].error);
		objects[i].error = NULL;
	}
}
