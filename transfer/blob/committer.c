/*
 * A few threads over a short queue.  The first failure stays: a push with a pack missing cannot be
 * committed.
 */
#include "transfer/blob/committer.h"
#include "lib/base/err.h"
#include "transfer/blob/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A disk flushes two files at once best; a host far away gives a connection only so much. */
enum { THREADS_NEAR = 2, THREADS = 4, QUEUED_MAX = 2 };

struct job {
	struct remote_put *put;
	struct oid name;
	uint64_t size;
	struct buf tail;
};

struct committer {
	struct blobstore *blobstore;
	struct queue *queue;
	pthread_t threads[THREADS];
	int n_threads;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	size_t under_way;
	int rc; /* of the first failure */
	char *message;
};

static void remember_failure(struct committer *c, int rc)
{
	if (c->rc == 0) {
		c->rc = rc;
		c->message = strdup(err_msg());
	}
}

static void job_free(struct job *j)
{
	if (j->put)
		j->put->remote->ops->put_free(j->put);
	buf_release(&j->tail);
	free(j);
}

static void *commit_jobs(void *data)
{
	struct committer *c = data;
	struct blobstore *b = c->blobstore;
	struct job *j;

	while ((j = queue_pop(c->queue))) {
		int rc = b->remote->ops->put_commit(b->remote, j->put, &j->name, j->size);

		if (rc >= 0)
			cache_write(b->cache, CACHE_SENT_INDEX, &j->name, j->tail.p, j->tail.len);
		pthread_mutex_lock(&c->lock);
		if (rc < 0)
			remember_failure(c, rc);
		if (--c->under_way == 0)
			pthread_cond_broadcast(&c->idle);
		pthread_mutex_unlock(&c->lock);
		job_free(j);
	}
	return NULL;
}

int committer_new(struct committer **out, struct blobstore *b)
{
	struct committer *c = calloc(1, sizeof(*c));
	int threads = b->remote->near ? THREADS_NEAR : THREADS;
	int rc;

	*out = NULL;
	if (!c)
		return err_set(ERR_NOMEM, "out of memory");
	c->blobstore = b;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->idle, NULL);
	rc = queue_new(&c->queue, QUEUED_MAX);
	for (int i = 0; rc == 0 && i < threads; i++) {
		if (pthread_create(&c->threads[i], NULL, commit_jobs, c) == 0)
			c->n_threads++;
	}
	if (rc == 0 && c->n_threads == 0)
		rc = err_set(ERR_NOMEM, "cannot start a thread");
	if (rc < 0)
		committer_free(c);
	else
		*out = c;
	return rc;
}

/* Under the lock: the first failure as this thread's error. */
static int failure(const struct committer *c)
{
	return c->rc < 0 ? err_set(c->rc, "%s", c->message ? c->message : "out of memory") : 0;
}

int committer_add(struct committer *c, struct remote_put *put, const struct oid *name,
	uint64_t size, struct buf *tail)
{
	struct job *j = calloc(1, sizeof(*j));
	int rc;

	if (!j) {
		put->remote->ops->put_free(put);
		return err_set(ERR_NOMEM, "out of memory");
	}
	pthread_mutex_lock(&c->lock);
	rc = failure(c);
	c->under_way += rc == 0;
	pthread_mutex_unlock(&c->lock);
	if (rc < 0) {
		free(j);
		put->remote->ops->put_free(put);
		return rc;
	}
	j->put = put;
	j->name = *name;
	j->size = size;
	j->tail = *tail;
	*tail = (struct buf)BUF_INIT;
	queue_push(c->queue, j);
	return 0;
}

int committer_wait(struct committer *c)
{
	int rc;

	pthread_mutex_lock(&c->lock);
	while (c->under_way)
		pthread_cond_wait(&c->idle, &c->lock);
	rc = failure(c);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

void committer_free(struct committer *c)
{
	if (!c)
		return;
	if (c->queue)
		queue_close(c->queue);
	for (int i = 0; i < c->n_threads; i++)
		pthread_join(c->threads[i], NULL);
	queue_free(c->queue);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->idle);
	free(c->message);
	free(c);
}
