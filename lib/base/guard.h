/*
 * A guard for programs that must not outlive us: a child of ours that does nothing but wait for our
 * end - whatever that is, SIGKILL included - and then kills them.
 */
#ifndef LIB_BASE_GUARD_H
#define LIB_BASE_GUARD_H

#include <sys/types.h>

struct guard {
	pid_t pid; /* of the guard; with own_group also the process group; -1: none */
	int fd;	   /* open for as long as we live */
	int own_group;
};
#define GUARD_INIT                                                                                 \
	{                                                                                          \
		-1, -1, 0                                                                          \
	}

/* Start one.  With `own_group` it leads a new process group (run.h's `group`), all of which it
 * kills; else it kills the process that guard_watch named last.  `keep_fd` (above 2; 0: none) stays
 * open in it.  0 or a negative error. */
int guard_start(struct guard *g, int own_group, int keep_fd);
/* This process runs now; 0: it ended (say so before it is reaped, since its number is then free for
 * others).  No-op with a group. */
void guard_watch(struct guard *g, pid_t pid);
/* Send a signal to the whole group, which the guard itself survives (but for SIGKILL).  No-op
 * without a group. */
void guard_signal(const struct guard *g, int sig);
/* End it with the whole group, and wait (for a moment at most) until nobody is left there.  Without
 * a group as guard_end. */
void guard_kill(struct guard *g);
/* Dismiss it: nobody is killed.  Fine when there is none. */
void guard_end(struct guard *g);

#endif
