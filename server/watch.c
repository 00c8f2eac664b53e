/*
 * A thread looks at all connections now and then, and shuts those down that have waited too long
 * for a head; the connection's own thread sees that as its end.
 */
#include "server/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/base/err.h"

struct watched {
	struct watched *previous, *next;
	int fd;
	time_t since; /* 0: nothing is waited for */
};

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	struct watched *first;
	unsigned seconds;
	int stop;
};

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void *watch_run(void *data)
{
	struct watch *w = data;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		struct timespec until;

		for (struct watched *c = w->first; c; c = c->next)
			if (c->since && now() - c->since > (time_t)w->seconds)
				shutdown(c->fd, SHUT_RDWR);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += w->seconds / 4 + 1;
		pthread_cond_timedwait(&w->wake, &w->lock, &until);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int watch_start(struct watch **out, unsigned seconds)
{
	struct watch *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	*out = NULL;
	if (!w)
		return err_set(ERR_NOMEM, "out of memory");
	w->seconds = seconds;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&w->thread, NULL, watch_run, w) != 0) {
		pthread_cond_destroy(&w->wake);
		pthread_mutex_destroy(&w->lock);
		free(w);
		return err_set(ERR_IO, "cannot start a thread");
	}
	*out = w;
	return 0;
}

void watch_stop(struct watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = 1;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	while (w->first) {
		struct watched *c = w->first;

		w->first = c->next;
		free(c);
	}
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct watched *watch_add(struct watch *w, int fd)
{
	struct watched *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = fd;
	c->since = now();
	pthread_mutex_lock(&w->lock);
	c->next = w->first;
	if (c->next)
		c->next->previous = c;
	w->first = c;
	pthread_mutex_unlock(&w->lock);
	return c;
}

void watch_remove(struct watch *w, struct watched *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&w->lock);
	if (c->previous)
		c->previous->next = c->next;
	else
		w->first = c->next;
	if (c->next)
		c->next->previous = c->previous;
	pthread_mutex_unlock(&w->lock);
	free(c);
}

void watch_expect(struct watch *w, struct watched *c, int waiting)
{
	if (!c)
		return;
	pthread_mutex_lock(&w->lock);
	c->since = waiting ? now() : 0;
	pthread_mutex_unlock(&w->lock);
}
