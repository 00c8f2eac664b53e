/*
 * A remote around a remote, for what every kind would have to do otherwise: trying again, keeping
 * to a rate, saying what was asked.
 */
#ifndef TRANSFER_REMOTE_WRAP_H
#define TRANSFER_REMOTE_WRAP_H

#include "transfer/remote/remote.h"

struct remote_wrap_options {
	/* Errors that may pass are tried again, this many attempts in all (1: none), after 0.25 s,
	 * 0.5 s, 1 s… (each random between half and all of it, at most 30 s), or when the server
	 * said (remote_retry_hint).  Stops at once when asked to. */
	int attempts;
	/* At most so many bytes of blobs a second, both directions together; 0: no limit.  A token
	 * bucket, one second deep. */
	uint64_t bytes_per_second;
	/* A line for each request: time, operation, blob, offset and bytes, outcome, milliseconds.
	 * No secret passes here.  -1: none.  Borrowed. */
	int trace_fd;
};

/* Takes `inner` over: it is closed with the wrapper, and on error. */
int remote_wrap(struct remote **out, struct remote *inner, const struct remote_wrap_options *o);
/* What the user asked for: dvx.retries (more attempts, default 5), dvx.limitRate, and the
 * environment's GIT_DVX_TRACE (1 or 2: that descriptor; an absolute path: appended to it).  The
 * trace is opened once for the process. */
int remote_wrap_configured(struct remote **out, struct remote *inner);

#endif
