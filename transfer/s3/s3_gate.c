/*
 * The gate that all requests to one S3 store pass (see s3_gate.h).
 */
#include "transfer/s3/s3_gate.h"
#include "lib/base/err.h"

#include <time.h>

enum { LOOK_MS = 50 };

void s3_gate_init(struct s3_gate *g)
{
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->room, NULL);
	g->width = S3_GATE_START;
	g->inside = g->successes = g->narrowed = 0;
}

void s3_gate_release(struct s3_gate *g)
{
	pthread_cond_destroy(&g->room);
	pthread_mutex_destroy(&g->lock);
}

int s3_gate_enter(struct s3_gate *g, const volatile int *stop)
{
	struct timespec until;
	int stopped = 0;

	pthread_mutex_lock(&g->lock);
	while (g->inside >= g->width && !stopped) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOOK_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_nsec -= 1000000000L;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&g->room, &g->lock, &until);
		stopped = stop && *stop;
	}
	if (!stopped)
		g->inside++;
	pthread_mutex_unlock(&g->lock);
	return stopped ? err_set(ERR_INTERRUPTED, "interrupted") : 0;
}

void s3_gate_leave(struct s3_gate *g, enum s3_gate_outcome outcome)
{
	pthread_mutex_lock(&g->lock);
	g->inside--;
	if (g->narrowed > 0) {
		g->narrowed--;
	} else if (outcome == S3_GATE_OVERLOAD) {
		g->width = g->width > 1 ? g->width / 2 : 1;
		g->successes = 0;
		g->narrowed = g->inside;
	} else if (outcome == S3_GATE_WELL && ++g->successes >= g->width) {
		g->successes = 0;
		if (g->width < S3_GATE_MAX)
			g->width++;
	}
	pthread_cond_broadcast(&g->room);
	pthread_mutex_unlock(&g->lock);
}
