/*
 * Traces (see trace.h).
 */
#include "transfer/trace.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int fd_all = -1, fd_http = -1;

static int open_by(const char *variable)
{
	const char *where = getenv(variable);

	if (!where || !*where || strcmp(where, "0") == 0)
		return -1;
	if (strcmp(where, "1") == 0 || strcmp(where, "2") == 0 || strcmp(where, "true") == 0)
		return STDERR_FILENO; /* standard output belongs to the protocol */
	return where[0] == '/' ? open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

static void open_traces(void)
{
	fd_all = fd_http = open_by("GIT_DVX_TRACE");
	if (fd_http < 0)
		fd_http = open_by("GIT_CURL_VERBOSE");
	if (fd_http < 0)
		fd_http = open_by("GIT_TRACE");
}

int trace_fd(void)
{
	pthread_once(&once, open_traces);
	return fd_all;
}

int trace_http_fd(void)
{
	pthread_once(&once, open_traces);
	return fd_http;
}

int trace_begin(struct buf *line)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return buf_addf(line, "%lld.%06ld ", (long long)now.tv_sec, now.tv_nsec / 1000);
}

void trace_end(int fd, struct buf *line, int64_t result, int64_t began)
{
	int bad = buf_addf(line, " = %lld %lld ms", (long long)result,
		(long long)(fs_now_ns() - began) / 1000000);

	if (result < 0)
		bad |= buf_addf(line, " (%s)", err_msg());
	bad |= buf_addch(line, '\n');
	if (!bad && write(fd, line->p, line->len) < 0)
		errno = 0;
}
