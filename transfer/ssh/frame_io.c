/*
 * Reading and writing of frames (see frame_io.h).  Reading is the business of one thread, which
 * never writes with frame_output_send: so both sides always read, and no write waits for ever.
 */
#include "transfer/ssh/frame_io.h"
#include "lib/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	INPUT_CAP = 2 * BLOBWIRE_FRAME_MAX, /* a whole frame always fits behind part of another */
	WAIT_MS = 500			    /* between looks at `closed` */
};

int frame_input_init(struct frame_input *in, int fd)
{
	*in = (struct frame_input){.fd = fd, .p = malloc(INPUT_CAP)};
	return in->p ? 0 : err_set(ERR_NOMEM, "out of memory");
}

void frame_input_release(struct frame_input *in)
{
	free(in->p);
	in->p = NULL;
}

ssize_t frame_input_fill(struct frame_input *in)
{
	ssize_t n;

	if (in->start == in->end) {
		in->start = in->end = 0;
	} else if (INPUT_CAP - in->start < BLOBWIRE_FRAME_MAX) {
		memmove(in->p, in->p + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	n = read(in->fd, in->p + in->end, INPUT_CAP - in->end);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return err_set(ERR_INTERRUPTED, "interrupted");
	if (n < 0)
		return err_sys("cannot read from the connection");
	in->end += (size_t)n;
	return n;
}

int frame_input_hello(struct frame_input *in, struct blobwire_hello *out, int at_end)
{
	ssize_t n = blobwire_hello_parse(out, in->p + in->start, in->end - in->start, at_end);

	if (n > 0)
		in->start += (size_t)n;
	return n > 0 ? 1 : (int)n;
}

int frame_input_next(struct frame_input *in, struct blobwire_frame *out)
{
	ssize_t n = blobwire_frame_parse(out, in->p + in->start, in->end - in->start);

	if (n > 0)
		in->start += (size_t)n;
	return n > 0 ? 1 : (int)n;
}

int frame_output_init(struct frame_output *out, int fd, int stall_ms)
{
	int flags = fcntl(fd, F_GETFL);

	*out = (struct frame_output){.fd = fd, .stall_ms = stall_ms};
	pthread_mutex_init(&out->lock, NULL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys("cannot set up the connection");
	return 0;
}

void frame_output_release(struct frame_output *out)
{
	pthread_mutex_destroy(&out->lock);
}

static int is_closed(struct frame_output *out)
{
	return __atomic_load_n(&out->closed, __ATOMIC_ACQUIRE);
}

/* Under the lock, until all is written. */
static int write_all(struct frame_output *out, const uint8_t *p, size_t len)
{
	struct pollfd ready = {.fd = out->fd, .events = POLLOUT};
	int waited = 0;

	while (len) {
		ssize_t n;

		if (is_closed(out))
			return err_set(ERR_REMOTE, "the connection was closed");
		n = write(out->fd, p, len);
		if (n >= 0) {
			p += n;
			len -= (size_t)n;
			waited = 0;
			__atomic_add_fetch(&out->progress, (uint64_t)n, __ATOMIC_RELAXED);
		} else if (errno == EAGAIN) {
			if (waited >= out->stall_ms)
				return err_set(ERR_REMOTE, "the other side has stopped reading");
			waited += poll(&ready, 1, WAIT_MS) == 0 ? WAIT_MS : 0;
		} else if (errno != EINTR) {
			return err_set(ERR_REMOTE, "the connection was lost: %s", strerror(errno));
		}
	}
	return 0;
}

int frame_output_send(struct frame_output *out, const void *frames, size_t len)
{
	int rc;

	pthread_mutex_lock(&out->lock);
	rc = write_all(out, frames, len);
	if (rc < 0)
		frame_output_close(out);
	pthread_mutex_unlock(&out->lock);
	return rc;
}

int frame_output_try(struct frame_output *out, const void *frame, size_t len)
{
	int done = 0;

	if (pthread_mutex_trylock(&out->lock) != 0)
		return 0;
	/* Pipes take up to PIPE_BUF bytes whole or not at all. */
	if (!is_closed(out))
		done = write(out->fd, frame, len) == (ssize_t)len;
	pthread_mutex_unlock(&out->lock);
	return done;
}

void frame_output_close(struct frame_output *out)
{
	__atomic_store_n(&out->closed, 1, __ATOMIC_RELEASE);
}
