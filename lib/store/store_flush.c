/*
 * Starts writing a growing file to disk while it is still being written, so that making it durable
 * later has less to wait for.  In a thread, because the call that merely starts it waits when the
 * disk's queue is full; what has not been started when the file is complete is left to the kernel,
 * so the thread never holds anybody up for more than one range.
 */
#include "lib/store/store_internal.h"
#include "lib/base/err.h"
#include "lib/base/workers.h"

#include <fcntl.h>
#include <stdlib.h>

enum { RANGE = 4 << 20, FLUSH_FROM = 16 << 20 };

struct flusher {
	int fd;
	int running, ending;
	uint64_t written, started;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

/* NULL is a flusher that does nothing. */
struct flusher *flusher_new(int fd)
{
	struct flusher *f = workers_default() > 1 ? calloc(1, sizeof *f) : NULL;

	if (!f)
		return NULL;
	f->fd = fd;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->moved, NULL);
	return f;
}

static void *flush_loop(void *data)
{
	struct flusher *f = data;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		while (f->written - f->started < RANGE && !f->ending)
			pthread_cond_wait(&f->moved, &f->lock);
		if (f->ending)
			break;
		pthread_mutex_unlock(&f->lock);
		(void)sync_file_range(f->fd, (off64_t)f->started, RANGE, SYNC_FILE_RANGE_WRITE);
		pthread_mutex_lock(&f->lock);
		f->started += RANGE;
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

void flusher_written(struct flusher *f, uint64_t size)
{
	if (!f || size < FLUSH_FROM)
		return;
	pthread_mutex_lock(&f->lock);
	if (!f->running && !f->ending) {
		f->running = pthread_create(&f->thread, NULL, flush_loop, f) == 0;
		f->ending = !f->running; /* once refused, never asked again */
	}
	f->written = size;
	pthread_cond_signal(&f->moved);
	pthread_mutex_unlock(&f->lock);
}

void flusher_free(struct flusher *f)
{
	if (!f)
		return;
	if (f->running) {
		pthread_mutex_lock(&f->lock);
		f->ending = 1;
		pthread_cond_signal(&f->moved);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->thread, NULL);
	}
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->moved);
	free(f);
}
