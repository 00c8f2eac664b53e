/*
 * A bounded queue of pointers between threads: the joints of the upload pipeline.
 */
#ifndef TRANSFER_QUEUE_H
#define TRANSFER_QUEUE_H

#include <stddef.h>

struct queue;

/* For at most `cap` pointers.  0 or ERR_NOMEM. */
int queue_new(struct queue **out, size_t cap);
void queue_free(struct queue *q);
/* Append, waiting for room.  1, or 0 when the queue was closed: the pointer stays the caller's. */
int queue_push(struct queue *q, void *item);
/* Take the oldest, waiting for one.  NULL when the queue is closed and empty. */
void *queue_pop(struct queue *q);
/* Nothing more will be pushed; what is in it can still be taken. */
void queue_close(struct queue *q);

#endif
