/*
 * One line for each request, for who wants to see what happens.  No secret may pass here.
 */
#ifndef TRANSFER_TRACE_H
#define TRANSFER_TRACE_H

#include <stdint.h>

#include "lib/base/buf.h"

/* Where lines go: by GIT_DVX_TRACE (1 or 2: standard error; an absolute path: appended to it),
 * looked at once for the process.  -1: nowhere. */
int trace_fd(void);
/* The same for requests of HTTP, which GIT_CURL_VERBOSE and GIT_TRACE (the same values) ask for as
 * well. */
int trace_http_fd(void);

/* Begin a line with the present time. */
int trace_begin(struct buf *line);
/* End it with a result, the milliseconds since `began` (fs_now_ns), and err_msg() if the result is
 * negative; and write it.  What cannot be written fails nothing. */
void trace_end(int fd, struct buf *line, int64_t result, int64_t began);

#endif
