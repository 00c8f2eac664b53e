/*
 * Frames of lib/wire/blobwire.h on descriptors, for both ends of a connection.
 */
#ifndef TRANSFER_FRAME_IO_H
#define TRANSFER_FRAME_IO_H

#include <pthread.h>

#include "lib/wire/blobwire.h"

/* What has arrived and is not used yet. */
struct frame_input {
	int fd;
	uint8_t *p;
	size_t start, end;
};

/* 0 or ERR_NOMEM. */
int frame_input_init(struct frame_input *in, int fd);
void frame_input_release(struct frame_input *in);
/* One read(): how many bytes came; 0 at end of file; ERR_INTERRUPTED when a signal came instead;
 * ERR_IO.  There is always room after frame_input_next returned 0. */
ssize_t frame_input_fill(struct frame_input *in);
/* The other side's line.  1; 0 when more bytes are needed; errors of blobwire_hello_parse. */
int frame_input_hello(struct frame_input *in, struct blobwire_hello *out, int at_end);
/* The next frame, borrowed until the next fill.  1; 0 when more bytes are needed; ERR_CORRUPT. */
int frame_input_next(struct frame_input *in, struct blobwire_frame *out);

/* Frames of several threads, one after the other.  The descriptor does not block, so that a writer
 * can be told to leave. */
struct frame_output {
	int fd;
	int stall_ms; /* give up when nothing can be written for so long */
	pthread_mutex_t lock;
	int closed;	   /* atomic: writers leave */
	uint64_t progress; /* atomic: bytes written */
};

/* Makes fd non-blocking (borrowed).  0 or ERR_IO. */
int frame_output_init(struct frame_output *out, int fd, int stall_ms);
void frame_output_release(struct frame_output *out);
/* Write whole frames.  0; ERR_REMOTE when the other side is gone, does not read, or the output was
 * closed: then, part of a frame may have gone, it is closed for everybody. */
int frame_output_send(struct frame_output *out, const void *frames, size_t len);
/* The same for a few bytes if that can be done at once: 1; 0 if not. */
int frame_output_try(struct frame_output *out, const void *frame, size_t len);
/* From now on every send fails; those that wait leave within a second. */
void frame_output_close(struct frame_output *out);

#endif
