/*
 * Parallel for: `count` independent jobs over a few threads.
 */
#ifndef LIB_BASE_WORKERS_H
#define LIB_BASE_WORKERS_H

#include <stddef.h>

/* How many threads suit this machine: CPUs of the affinity mask, at most 8, at least 1. */
int workers_default(void);

/* Call fn(i, data) for every i in [0, count) from up to `threads` threads (0: workers_default(); 1:
 * in the calling thread).  Jobs are handed out in order.  A negative return of any job stops the
 * handing out; the first such code is returned with its message in the caller's thread; otherwise
 * 0. */
int workers_run(int threads, size_t count, int (*fn)(size_t i, void *data), void *data);

#endif
