/*
 * Running other programs: by argument vector, never through a shell, the program resolved to an
 * absolute path from PATH entries that are absolute (never the current directory).
 */
#ifndef LIB_BASE_RUN_H
#define LIB_BASE_RUN_H

#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/strvec.h"

/* What to do with one of the child's standard descriptors. */
enum run_stdio {
	RUN_INHERIT = 0, /* the parent's own */
	RUN_NULL,	 /* /dev/null */
	RUN_PIPE,	 /* a pipe; its near end is in in_fd/out_fd */
	RUN_TO_STDERR,	 /* stdout only: joined to the parent's stderr */
	RUN_TO_STDOUT,	 /* stderr only: joined to the child's stdout */
	RUN_TO_FD	 /* stderr only: to err_fd */
};

struct run {
	struct strvec argv;	     /* argv[0] is a program name or path */
	struct strvec env;	     /* "NAME=value" to add or replace, "NAME" to remove */
	const char *dir;	     /* working directory, NULL = the present one (borrowed) */
	enum run_stdio in, out, err; /* err: no RUN_PIPE */
	int err_fd;		     /* where RUN_TO_FD leads, above 2 (borrowed) */
	int keep_fd;	 /* one more that the child inherits, above 2 (borrowed); 0: none */
	pid_t group;	 /* the process group it joins; 0: ours */
	int own_session; /* 1: it leads a session, so that signals for our group pass it by */
	/* filled by run_start */
	pid_t pid;
	int in_fd;  /* write end, when in == RUN_PIPE; -1 otherwise */
	int out_fd; /* read end, when out == RUN_PIPE; -1 otherwise */
};

#define RUN_INIT                                                                                   \
	{                                                                                          \
		.pid = -1, .in_fd = -1, .out_fd = -1                                               \
	}

/* Find `name` as execvp would, but with absolute results only.  A name with a '/' is taken as is.
 * 0 and the path appended to `out`, or ERR_NOTFOUND. */
int run_resolve(struct buf *out, const char *name);
/* The program `name` that lies beside this process's own executable (git-dvx-transfer next to
 * git-dvx-filter), else from PATH.  0 or ERR_NOTFOUND. */
int run_resolve_sibling(struct buf *out, const char *name);

/* Start.  0, ERR_NOTFOUND (no such program), ERR_IO.  Every descriptor of ours is close-on-exec. */
int run_start(struct run *r);
/* Look whether the program has ended, without waiting for it and without reaping it: 1, else 0. */
int run_ended(const struct run *r);
/* Close our pipe ends and wait.  The exit status (0-255), 128+signal if killed, or a negative
 * error. */
int run_finish(struct run *r);
/* Free argv and env, close what is open; does not wait. */
void run_release(struct run *r);

/* Start, feed `input` (may be NULL: /dev/null), collect stdout (may be NULL: inherited) and wait.
 * Never deadlocks on full pipes.  The exit status or a negative error. */
int run_capture(struct run *r, const void *input, size_t input_len, struct buf *output);

#endif
