/*
 * A ring with a mutex and one condition: queues here are short and their items large.
 */
#include "transfer/blob/queue.h"
#include "lib/base/err.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void **items;
	size_t cap, first, n;
	int closed;
};

int queue_new(struct queue **out, size_t cap)
{
	struct queue *q = calloc(1, sizeof(*q));

	*out = NULL;
	if (q)
		q->items = calloc(cap, sizeof(*q->items));
	if (!q || !q->items) {
		free(q);
		return err_set(ERR_NOMEM, "out of memory");
	}
	q->cap = cap;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	*out = q;
	return 0;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->changed);
	free(q->items);
	free(q);
}

int queue_push(struct queue *q, void *item)
{
	int pushed = 0;

	pthread_mutex_lock(&q->lock);
	while (q->n == q->cap && !q->closed)
		pthread_cond_wait(&q->changed, &q->lock);
	if (!q->closed) {
		q->items[(q->first + q->n) % q->cap] = item;
		q->n++;
		pushed = 1;
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	return pushed;
}

void *queue_pop(struct queue *q)
{
	void *item = NULL;

	pthread_mutex_lock(&q->lock);
	while (q->n == 0 && !q->closed)
		pthread_cond_wait(&q->changed, &q->lock);
	if (q->n) {
		item = q->items[q->first];
		q->first = (q->first + 1) % q->cap;
		q->n--;
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	return item;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = 1;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}
