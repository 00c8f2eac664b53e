/*
 * `git-dvx-transfer serve PATH`: the far side of a blob store over SSH (docs/ssh-protocol.md).
 *
 * This thread only reads: the bytes of puts go to their temporary files here, everything else is
 * handed to the threads of serve_work.c, which answer.  It never writes to the connection, hence a
 * near side that is slow to read cannot keep it from reading.  The near side is not trusted: it
 * names blobs by hash, in sizes and numbers that are bounded.
 */
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/opt.h"
#include "lib/store/pack.h"
#include "lib/store/runbundle.h"
#include "transfer/blob/blobstore.h"
#include "transfer/frontend.h"
#include "transfer/ssh/far_path.h"
#include "transfer/ssh/serve_internal.h"
#include "transfer/subcommands.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STALL_MS = 300 * 1000 };

/* ---- what is asked for ---- */

static struct serve_job *new_job(enum serve_task task, const struct blobwire_request *r)
{
	struct serve_job *j = calloc(1, sizeof(*j));

	if (j) {
		j->task = task;
		j->request = *r;
		j->request.data = NULL;
	}
	return j;
}

static int push_job(struct queue *q, struct serve_job *j)
{
	if (!j)
		return err_set(ERR_NOMEM, "out of memory");
	queue_push(q, j);
	return 0;
}

/* The last answer is the error at hand. */
static int refuse(struct server *s, const struct blobwire_request *r, int code)
{
	struct serve_job *j = new_job(SERVE_REFUSE, r);

	if (j) {
		j->code = code;
		j->message = strdup(err_msg());
	}
	return push_job(s->express, j);
}

/* One request more without a last answer. */
static int count_request(struct server *s)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = ++s->outstanding;
	pthread_mutex_unlock(&s->lock);
	if (n > BLOBWIRE_REQUESTS_MAX)
		return err_set(ERR_LIMIT, "more than %d requests at once", BLOBWIRE_REQUESTS_MAX);
	return 0;
}

/* 1 if this put is one too many. */
static int count_put(struct server *s)
{
	int full;

	pthread_mutex_lock(&s->lock);
	s->n_puts++;
	full = s->n_puts > BLOBWIRE_PUTS_MAX;
	pthread_mutex_unlock(&s->lock);
	return full;
}

static int check_allowed(const struct server *s, const struct blobwire_request *r)
{
	int removes = r->type == BLOBWIRE_REMOVE ||
		      (r->type == BLOBWIRE_PUT && r->class == BLOBWIRE_NOTICE);

	if (s->limits & BLOBWIRE_READ_ONLY)
		return err_set(ERR_DENIED, "'%s' is served for reading only", s->root);
	if (removes && s->limits & BLOBWIRE_NO_REMOVE)
		return err_set(ERR_DENIED, "nothing may be removed from '%s'", s->root);
	return 0;
}

static int check_put_size(const struct blobwire_request *r)
{
	uint64_t max = r->class == BLOBWIRE_PACK   ? PACK_MAX
		       : r->class == BLOBWIRE_RUNS ? RUNBUNDLE_MAX
						   : FRAGMENT_BYTES_MAX;

	if (r->size > max)
		return err_set(ERR_LIMIT, "a blob of %llu bytes; at most %llu are allowed",
			(unsigned long long)r->size, (unsigned long long)max);
	return 0;
}

/* ---- puts ---- */

static struct serve_put **find_put(struct server *s, uint32_t id)
{
	struct serve_put **found = NULL;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; !found && i < BLOBWIRE_PUTS_MAX; i++)
		if (s->puts[i] && s->puts[i]->id == id)
			found = &s->puts[i];
	pthread_mutex_unlock(&s->lock);
	return found;
}

/* Take a put away from the table. */
static struct serve_put *take_put(struct server *s, struct serve_put **slot)
{
	struct serve_put *p = *slot;

	pthread_mutex_lock(&s->lock);
	*slot = NULL;
	pthread_mutex_unlock(&s->lock);
	return p;
}

/* The put has failed: its last answer is the error at hand. */
static int drop_put(struct server *s, struct serve_put **slot, int code)
{
	struct serve_put *p = take_put(s, slot);
	struct blobwire_request r = {.type = BLOBWIRE_PUT, .id = p->id};

	serve_put_free(p);
	return refuse(s, &r, code);
}

static int begin_put(struct server *s, const struct blobwire_request *r)
{
	int full = count_put(s);
	int rc = check_allowed(s, r);

	if (find_put(s, r->id))
		return err_set(ERR_CORRUPT, "a request with the id of another");
	if (rc == 0 && full)
		rc = err_set(ERR_LIMIT, "more than %d puts at once", BLOBWIRE_PUTS_MAX);
	if (rc == 0)
		rc = check_put_size(r);
	return rc < 0 ? refuse(s, r, rc) : push_job(s->work, new_job(SERVE_REQUEST, r));
}

/* Bytes of a put; those of one that has failed already are dropped. */
static int take_data(struct server *s, const struct blobwire_request *r)
{
	struct serve_put **slot = find_put(s, r->id);
	struct serve_put *p;
	int tell, rc = 0;

	if (!slot)
		return 0;
	p = *slot;
	if (r->data_len > p->size - p->received)
		rc = err_set(ERR_LIMIT, "more bytes than announced");
	if (rc == 0)
		rc = fs_write_full(p->file->fd, r->data, r->data_len);
	if (rc < 0)
		return drop_put(s, slot, rc);
	oid_update(&p->hash, r->data, r->data_len);
	pthread_mutex_lock(&s->lock);
	p->received += r->data_len;
	tell = !p->told;
	p->told = 1;
	pthread_mutex_unlock(&s->lock);
	return tell ? push_job(s->express, new_job(SERVE_RECEIVED, r)) : 0;
}

static int end_put(struct server *s, const struct blobwire_request *r)
{
	struct blobwire_request put = {.type = BLOBWIRE_PUT, .id = r->id};
	struct serve_put **slot = find_put(s, r->id);
	struct serve_job *j;

	if (!slot)
		return 0;
	j = new_job(SERVE_COMMIT, &put);
	if (j)
		j->put = take_put(s, slot);
	return push_job(s->work, j);
}

/* ---- reading ---- */

static int take_frame(struct server *s, const struct blobwire_frame *f)
{
	struct blobwire_request r;
	int rc = blobwire_request_parse(&r, f);

	if (rc == ERR_CORRUPT)
		return rc;
	if (r.type == BLOBWIRE_PUT_DATA)
		return take_data(s, &r);
	if (r.type == BLOBWIRE_COMMIT)
		return end_put(s, &r);
	if (rc < 0) { /* a request of a later version */
		int counted = count_request(s);

		return counted < 0 ? counted : refuse(s, &r, err_set(rc, "unknown request"));
	}
	rc = count_request(s);
	if (rc < 0)
		return rc;
	if (r.type == BLOBWIRE_PUT)
		return begin_put(s, &r);
	if (r.type == BLOBWIRE_REMOVE)
		rc = check_allowed(s, &r);
	if (rc < 0)
		return refuse(s, &r, rc);
	return push_job(r.type == BLOBWIRE_PING ? s->express : s->work, new_job(SERVE_REQUEST, &r));
}

/* Wait for more.  1, 0 at the end, or an error.  Signals are let in here alone. */
static int wait_for_more(struct server *s, const sigset_t *open)
{
	struct pollfd ready = {.fd = s->in.fd, .events = POLLIN};
	const struct timespec second = {1, 0};
	ssize_t n;

	for (;;) {
		int rc = ppoll(&ready, 1, &second, open);

		if (frontend_stop)
			return err_set(ERR_INTERRUPTED, "interrupted");
		if (__atomic_load_n(&s->out.closed, __ATOMIC_ACQUIRE))
			return 0; /* nobody is there for the answers */
		if (rc <= 0)
			continue;
		n = frame_input_fill(&s->in);
		if (n != ERR_INTERRUPTED)
			return n > 0 ? 1 : (int)n;
	}
}

static int take_hello(struct server *s, const sigset_t *open)
{
	struct blobwire_hello near;
	int rc;

	while ((rc = frame_input_hello(&s->in, &near, 0)) == 0) {
		rc = wait_for_more(s, open);
		if (rc <= 0)
			return rc;
	}
	if (rc == ERR_CORRUPT)
		return err_set(ERR_CORRUPT,
			"this is the far side of 'git dvx push' over ssh, and got '%s'", err_msg());
	return rc;
}

/* Until the near side is done.  0 or an error. */
static int take_requests(struct server *s, const sigset_t *open)
{
	struct blobwire_frame f;
	int rc = take_hello(s, open);

	while (rc == 1) {
		while ((rc = frame_input_next(&s->in, &f)) == 1) {
			rc = take_frame(s, &f);
			if (rc < 0)
				return rc;
		}
		if (rc == 0)
			rc = wait_for_more(s, open);
	}
	return rc;
}

/* ---- the program ---- */

static void on_hangup(int sig)
{
	(void)sig;
	frontend_stop = 1;
}

/* Signals reach this thread only, and only while it waits.  *open: the mask for that. */
static void hold_signals(sigset_t *open)
{
	struct sigaction hangup = {.sa_handler = on_hangup};
	sigset_t held;

	sigemptyset(&hangup.sa_mask);
	sigaction(SIGHUP, &hangup, NULL);
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &held, open);
}

static int open_server(struct server *s, const char *path)
{
	struct buf hello = BUF_INIT;
	int rc = far_path_resolve(&s->root, path);

	if (rc == 0)
		rc = remote_dir_open(&s->store, s->root, s->root);
	if (rc == 0)
		rc = frame_input_init(&s->in, STDIN_FILENO);
	if (rc == 0)
		rc = frame_output_init(&s->out, STDOUT_FILENO, STALL_MS);
	if (rc == 0)
		rc = serve_work_start(s);
	if (rc == 0)
		rc = blobwire_hello_format(&hello, s->limits);
	if (rc == 0)
		rc = frame_output_send(&s->out, hello.p, hello.len);
	buf_release(&hello);
	return rc;
}

/* Tell the near side, if that costs no waiting, why the connection ends. */
static void say_goodbye(struct server *s, int code)
{
	struct buf frame = BUF_INIT;

	if (blobwire_error_format(&frame, 0, code, err_msg()) == 0)
		frame_output_try(&s->out, frame.p, frame.len);
	buf_release(&frame);
}

static void close_server(struct server *s)
{
	serve_work_stop(s);
	for (size_t i = 0; i < BLOBWIRE_PUTS_MAX; i++)
		serve_put_free(s->puts[i]);
	remote_close(s->store);
	frame_input_release(&s->in);
	frame_output_release(&s->out);
	pthread_mutex_destroy(&s->lock);
	free(s->root);
}

static int serve(const char *path, unsigned limits)
{
	struct server s = {.limits = limits, .in.fd = -1, .out.fd = -1};
	sigset_t open;
	int rc;

	pthread_mutex_init(&s.lock, NULL);
	hold_signals(&open);
	rc = open_server(&s, path);
	if (rc == 0)
		rc = take_requests(&s, &open);
	if (rc < 0) {
		say_goodbye(&s, rc);
		fprintf(stderr, "error: %s\n", err_msg());
	}
	close_server(&s);
	return rc == ERR_INTERRUPTED ? 130 : rc < 0 ? 128 : 0;
}

int serve_main(int argc, char **argv)
{
	static const char usage[] = "git-dvx-transfer serve [<options>] <path>";
	int read_only = 0, no_remove = 0, n = 0;
	const struct opt table[] = {
		{0, "read-only", OPT_FLAG, &read_only, NULL, "let nothing be written or removed",
			0},
		{0, "no-remove", OPT_FLAG, &no_remove, NULL, "let nothing be removed", 0},
		OPT_END,
	};
	int rc = opt_parse(argc, argv, table, usage, 0, &n);

	if (rc > 0)
		return 0;
	if (rc == 0 && (n != 1 || !*argv[1]))
		rc = err_set(ERR_INVALID,
			"say which directory to serve; see 'git-dvx-transfer serve -h'");
	if (rc < 0) {
		fprintf(stderr, "error: %s\n", err_msg());
		return 129;
	}
	return serve(argv[1],
		(read_only ? BLOBWIRE_READ_ONLY : 0U) | (no_remove ? BLOBWIRE_NO_REMOVE : 0U));
}
