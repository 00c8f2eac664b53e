/*
 * Requests of many threads over one connection (see ssh_link.h).  One thread reads and never waits
 * for anything else: bytes go straight to where the caller wants them, everything else is a change
 * of the caller's struct ssh_call (ssh_link_answers.c).  Callers send their frames themselves and
 * wait for a change.
 */
#include "transfer/ssh/ssh_link_internal.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOK_MS = 200, /* between looks at the wish to stop */
	CLOSE_MS = 5 * 1000,
	WINDOW = 4 * 1024 * 1024,      /* bytes of a put on their way */
	LISTED_MAX = 64 * 1024 * 1024, /* bytes of a listing that nobody has taken yet */
	/* A little below the far side's limits: what we count as over may not be so there. */
	CALLS_MAX = BLOBWIRE_REQUESTS_MAX - 16,
	PUTS_MAX = BLOBWIRE_PUTS_MAX - 8
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- failing ---- */

/* Under the lock: the connection is dead, with the message at hand. */
static void fail_locked(struct ssh_link *l, int rc)
{
	if (l->rc == 0) {
		l->rc = rc;
		l->message = strdup(err_msg());
	}
	frame_output_close(&l->out);
	for (struct ssh_call *c = l->calls; c; c = c->next)
		pthread_cond_signal(&c->changed);
	pthread_cond_broadcast(&l->room);
}

static void fail(struct ssh_link *l, int rc)
{
	pthread_mutex_lock(&l->lock);
	fail_locked(l, rc);
	pthread_mutex_unlock(&l->lock);
}

/* Under the lock: why it is dead, as this thread's error; 0 when it is not. */
static int why_dead(const struct ssh_link *l)
{
	return l->rc < 0 ? err_set(l->rc, "%s", l->message ? l->message : "out of memory") : 0;
}

/* ---- the reader thread ---- */

/* Frames that have arrived.  0 or an error. */
static int take_frames(struct ssh_link *l)
{
	struct blobwire_frame f;
	int rc;

	while ((rc = frame_input_next(&l->in, &f)) == 1) {
		pthread_mutex_lock(&l->lock);
		rc = ssh_link_answer(l, &f);
		pthread_mutex_unlock(&l->lock);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? ssh_link_breach(l, err_msg()) : 0;
}

static int no_answer(const struct ssh_link *l)
{
	return err_set(ERR_REMOTE,
		"no answer from host '%s' for %d seconds (dvx.stallSeconds); is it up, and the "
		"network?",
		l->host, l->stall_ms / 1000);
}

/* Is the far side alive?  0 or an error. */
static int watch(struct ssh_link *l)
{
	uint8_t frame[BLOBWIRE_HEADER_LEN];
	int64_t silent;
	int rc = 0;

	pthread_mutex_lock(&l->lock);
	silent = l->n_calls ? now_ms() - l->heard : 0;
	if (l->closing && now_ms() - l->heard > CLOSE_MS)
		rc = err_set(ERR_REMOTE, "closed");
	else if (silent > l->stall_ms)
		rc = no_answer(l);
	else if (silent > l->stall_ms / 2 && l->ping == 0) {
		if (++l->last_id == 0)
			l->last_id = 1;
		blobwire_header(frame, BLOBWIRE_PING, l->last_id, 0);
		if (frame_output_try(&l->out, frame, sizeof(frame)))
			l->ping = l->last_id;
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* Wait for bytes; what ssh says goes its way.  1 some came, 0 none yet, ERR_REMOTE at the end. */
static int wait_for_bytes(struct ssh_link *l, int ms)
{
	struct pollfd fds[2] = {
		{l->in.fd, POLLIN, 0}, {l->process.err_fd, POLLIN, 0}}; /* -1 is skipped */
	ssize_t n;

	if (poll(fds, 2, ms) <= 0)
		return 0;
	if (fds[1].revents)
		ssh_process_hear(&l->process);
	if (!fds[0].revents)
		return 0;
	n = frame_input_fill(&l->in);
	if (n == ERR_INTERRUPTED)
		return 0;
	if (n <= 0)
		return err_set(ERR_REMOTE, "the connection to host '%s' was lost", l->host);
	pthread_mutex_lock(&l->lock);
	l->heard = now_ms();
	pthread_mutex_unlock(&l->lock);
	return 1;
}

static void *read_answers(void *data)
{
	struct ssh_link *l = data;
	int rc = take_frames(l); /* what came with the hello */

	while (rc == 0) {
		rc = wait_for_bytes(l, 1000);
		if (rc > 0)
			rc = take_frames(l);
		if (rc == 0)
			rc = watch(l);
	}
	fail(l, rc);
	return NULL;
}

/* ---- opening ---- */

static int read_hello(struct ssh_link *l)
{
	int64_t until = ssh_process_unattended() ? now_ms() + l->stall_ms : INT64_MAX;
	int rc, at_end = 0;

	while ((rc = frame_input_hello(&l->in, &l->far, at_end)) == 0) {
		rc = remote_check_stop(l->remote);
		if (rc < 0)
			return rc;
		if (now_ms() > until)
			return no_answer(l);
		at_end = wait_for_bytes(l, LOOK_MS) < 0;
		if (at_end && l->in.start == l->in.end)
			return ERR_NOTFOUND; /* ended without a word: ask ssh */
	}
	if (rc == ERR_CORRUPT)
		return err_set(ERR_UNSUPPORTED,
			"host '%s' says '%s' before git-dvx-transfer does; a start-up file of its "
			"shell, or its login, must not print anything when there is no terminal",
			l->host, err_msg());
	return rc < 0 ? err_prefix(rc, "host '%s'", l->host) : 0;
}

/* What goes wrong here ends in one error: ssh's if it has ended by itself. */
static int say_hello(struct ssh_link *l, const char *command)
{
	struct ssh_ending ending = {.by_shell = l->process.by_shell,
		.host = l->host,
		.command = command,
		.remote = l->remote->name};
	struct buf hello = BUF_INIT;
	int rc = blobwire_hello_format(&hello, 0);

	if (rc == 0 && frame_output_send(&l->out, hello.p, hello.len) < 0)
		frame_output_close(&l->out); /* it has ended already: reading will tell */
	if (rc == 0)
		rc = read_hello(l);
	if (rc == ERR_NOTFOUND) {
		ending.status = ssh_process_end(&l->process, 1);
		ending.said = buf_str(&l->process.said);
		rc = ssh_process_explain(&ending);
	}
	buf_release(&hello);
	return rc;
}

int ssh_link_open(struct ssh_link **out, const struct ssh_link_options *o)
{
	struct ssh_link *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l)
		return err_set(ERR_NOMEM, "out of memory");
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->room, NULL);
	l->remote = o->remote;
	l->process.run.pid = -1;
	l->stall_ms = ssh_process_stall_ms(o->process.config);
	l->host = strdup(o->process.target->host);
	rc = l->host ? ssh_process_start(&l->process, &o->process)
		     : err_set(ERR_NOMEM, "out of memory");
	if (rc == 0)
		rc = frame_input_init(&l->in, l->process.run.out_fd);
	if (rc == 0)
		rc = frame_output_init(&l->out, l->process.run.in_fd, l->stall_ms);
	if (rc == 0)
		rc = say_hello(l, o->process.command);
	if (rc == 0 && pthread_create(&l->reader, NULL, read_answers, l) != 0)
		rc = err_set(ERR_NOMEM, "cannot start a thread");
	l->started = rc == 0;
	if (rc < 0)
		ssh_link_close(l);
	else
		*out = l;
	return rc;
}

void ssh_link_close(struct ssh_link *l)
{
	int orderly;

	if (!l)
		return;
	if (l->started) {
		pthread_mutex_lock(&l->lock);
		orderly = l->rc == 0;
		l->closing = 1;
		l->heard = now_ms();
		frame_output_close(&l->out);
		if (l->process.run.in_fd >= 0)
			close(l->process.run.in_fd); /* the far side ends, and so does the reader */
		l->process.run.in_fd = -1;
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->reader, NULL);
	} else {
		orderly = 0;
	}
	if (l->process.run.pid > 0)
		ssh_process_end(&l->process, orderly);
	buf_release(&l->process.said);
	frame_input_release(&l->in);
	frame_output_release(&l->out);
	pthread_cond_destroy(&l->room);
	pthread_mutex_destroy(&l->lock);
	free(l->host);
	free(l->message);
	free(l);
}

int ssh_link_is_dead(struct ssh_link *l)
{
	int dead;

	pthread_mutex_lock(&l->lock);
	dead = l->rc < 0;
	pthread_mutex_unlock(&l->lock);
	return dead;
}

/* ---- calls ---- */

/* Under the lock: wait a moment for `cond`.  0, or why there is no point in waiting longer. */
static int wait_a_moment(struct ssh_link *l, pthread_cond_t *cond)
{
	struct timespec until;
	int rc = remote_check_stop(l->remote);

	if (rc == 0)
		rc = why_dead(l);
	if (rc < 0)
		return rc;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_cond_timedwait(cond, &l->lock, &until);
	return 0;
}

/* Under the lock: put the call on the list when there is room for one more. */
static int enlist(struct ssh_link *l, struct ssh_call *c)
{
	int rc = 0;

	while (rc == 0 &&
		(l->n_calls >= CALLS_MAX || (c->type == BLOBWIRE_PUT && l->n_puts >= PUTS_MAX)))
		rc = wait_a_moment(l, &l->room);
	if (rc == 0)
		rc = why_dead(l);
	if (rc < 0)
		return rc;
	if (l->n_calls++ == 0)
		l->heard = now_ms();
	l->n_puts += c->type == BLOBWIRE_PUT;
	if (++l->last_id == 0)
		l->last_id = 1;
	c->id = l->last_id;
	c->next = l->calls;
	l->calls = c;
	return 0;
}

/* Send; a failure is the connection's, whose reason may be known better. */
static int send_frames(struct ssh_link *l, const void *frames, size_t len)
{
	int rc = frame_output_send(&l->out, frames, len);

	if (rc < 0) {
		rc = err_set(ERR_REMOTE, "the connection to host '%s' was lost", l->host);
		pthread_mutex_lock(&l->lock);
		fail_locked(l, rc);
		rc = why_dead(l);
		pthread_mutex_unlock(&l->lock);
	}
	return rc;
}

int ssh_link_begin(struct ssh_link *l, struct ssh_call *c, struct blobwire_request *r)
{
	struct buf frame = BUF_INIT;
	int rc;

	pthread_cond_init(&c->changed, NULL);
	c->entries.max = LISTED_MAX;
	pthread_mutex_lock(&l->lock);
	rc = enlist(l, c);
	pthread_mutex_unlock(&l->lock);
	if (rc < 0) {
		pthread_cond_destroy(&c->changed);
		return rc;
	}
	r->id = c->id;
	rc = blobwire_request_format(&frame, r);
	if (rc == 0)
		rc = send_frames(l, frame.p, frame.len);
	buf_release(&frame);
	if (rc < 0)
		ssh_link_end(l, c);
	return rc;
}

static int has_happened(const struct ssh_call *c, enum ssh_event event)
{
	switch (event) {
	case SSH_READY:
		return c->ready && !c->done;
	case SSH_ROOM:
		return c->sent - c->received < WINDOW && !c->done;
	case SSH_ENTRIES:
		return c->entries.len > 0;
	case SSH_DONE:
		break;
	}
	return 0;
}

int ssh_link_wait(struct ssh_link *l, struct ssh_call *c, enum ssh_event event)
{
	int rc = 0, happened = 0;

	pthread_mutex_lock(&l->lock);
	while (rc == 0) {
		happened = has_happened(c, event);
		if (happened || c->done)
			break;
		rc = wait_a_moment(l, &c->changed);
	}
	pthread_mutex_unlock(&l->lock);
	return rc < 0 ? rc : !happened;
}

int ssh_link_result(struct ssh_link *l, const struct ssh_call *c)
{
	if (c->rc == 0)
		return 0;
	return err_set(c->rc, "host '%s': %s", l->host, c->message ? c->message : "out of memory");
}

void ssh_link_take(struct ssh_link *l, struct ssh_call *c, struct buf *out)
{
	pthread_mutex_lock(&l->lock);
	*out = c->entries;
	c->entries = (struct buf){.max = LISTED_MAX};
	pthread_mutex_unlock(&l->lock);
}

int ssh_link_data(struct ssh_link *l, struct ssh_call *c, uint8_t *frame, size_t len)
{
	blobwire_header(frame, BLOBWIRE_PUT_DATA, c->id, len);
	pthread_mutex_lock(&l->lock);
	c->sent += len;
	pthread_mutex_unlock(&l->lock);
	return send_frames(l, frame, BLOBWIRE_HEADER_LEN + len);
}

int ssh_link_commit(struct ssh_link *l, struct ssh_call *c)
{
	uint8_t frame[BLOBWIRE_HEADER_LEN];

	blobwire_header(frame, BLOBWIRE_COMMIT, c->id, 0);
	pthread_mutex_lock(&l->lock);
	c->committed = 1;
	pthread_mutex_unlock(&l->lock);
	return send_frames(l, frame, sizeof(frame));
}

void ssh_link_end(struct ssh_link *l, struct ssh_call *c)
{
	struct ssh_call **at = &l->calls;

	pthread_mutex_lock(&l->lock);
	if (!c->done && l->rc == 0) /* its answers would come for nobody; the caller has an error */
		fail_locked(l, ERR_REMOTE);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	l->n_calls--;
	l->n_puts -= c->type == BLOBWIRE_PUT;
	pthread_cond_broadcast(&l->room);
	pthread_mutex_unlock(&l->lock);
	pthread_cond_destroy(&c->changed);
	buf_release(&c->entries);
	free(c->message);
}
