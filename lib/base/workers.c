/*
 * Parallel for (see workers.h).  The calling thread works too; if the system gives fewer threads
 * than asked for, the job is only slower.  Messages of err.h are per thread, so the first failing
 * job's is carried over by hand.
 */
#include "lib/base/workers.h"
#include "lib/base/err.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 64, THREADS_DEFAULT_MAX = 8 };

struct crew {
	size_t count;
	int (*fn)(size_t i, void *data);
	void *data;
	_Atomic size_t next;
	_Atomic int failed;
	pthread_mutex_t mutex; /* over rc and message */
	int rc;
	char *message;
};

int workers_default(void)
{
	cpu_set_t set;
	long n;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		n = CPU_COUNT(&set);
	else /* more CPUs than the set has bits */
		n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		n = 1;
	return n > THREADS_DEFAULT_MAX ? THREADS_DEFAULT_MAX : (int)n;
}

static void *work(void *arg)
{
	struct crew *c = arg;

	while (!atomic_load(&c->failed)) {
		size_t i = atomic_fetch_add(&c->next, 1);
		int rc;

		if (i >= c->count)
			break;
		rc = c->fn(i, c->data);
		if (rc >= 0)
			continue;
		pthread_mutex_lock(&c->mutex);
		if (c->rc == 0) {
			c->rc = rc;
			c->message = strdup(err_msg());
		}
		pthread_mutex_unlock(&c->mutex);
		atomic_store(&c->failed, 1);
	}
	return NULL;
}

static int run_alone(size_t count, int (*fn)(size_t, void *), void *data)
{
	for (size_t i = 0; i < count; i++) {
		int rc = fn(i, data);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int workers_run(int threads, size_t count, int (*fn)(size_t i, void *data), void *data)
{
	struct crew c = {.count = count, .fn = fn, .data = data};
	pthread_t ids[THREADS_MAX];
	int started = 0;

	if (threads <= 0)
		threads = workers_default();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if ((size_t)threads > count)
		threads = (int)count;
	if (threads <= 1)
		return run_alone(count, fn, data);
	pthread_mutex_init(&c.mutex, NULL);
	while (started < threads - 1 && pthread_create(&ids[started], NULL, work, &c) == 0)
		started++;
	work(&c);
	for (int i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	pthread_mutex_destroy(&c.mutex);
	if (c.rc < 0)
		err_set(c.rc, "%s", c.message ? c.message : "out of memory");
	free(c.message);
	return c.rc;
}
