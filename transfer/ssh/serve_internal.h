/*
 * The far side of docs/ssh-protocol.md: what its reader (serve.c) and its threads (serve_work.c)
 * share.
 */
#ifndef TRANSFER_SERVE_INTERNAL_H
#define TRANSFER_SERVE_INTERNAL_H

#include <pthread.h>

#include "transfer/ssh/frame_io.h"
#include "transfer/blob/queue.h"
#include "transfer/remote/remote.h"

enum { SERVE_THREADS = 8 };

/* A blob that is arriving.  It is the reader's from READY to COMMIT. */
struct serve_put {
	uint32_t id;
	struct oid name;
	uint64_t size;
	uint64_t received; /* under the lock */
	int told;	   /* a RECEIVED is queued; under the lock */
	struct oid_ctx hash;
	struct remote_put *file;
};

enum serve_task {
	SERVE_REQUEST, /* do what `request` asks */
	SERVE_COMMIT,  /* give `put` its name */
	SERVE_REFUSE,  /* the last answer is an error */
	SERVE_RECEIVED /* say how much of a put has arrived */
};

struct serve_job {
	enum serve_task task;
	struct blobwire_request request;
	struct serve_put *put; /* owned */
	int code;	       /* SERVE_REFUSE */
	char *message;	       /* owned; NULL: out of memory */
};

struct server {
	struct remote *store;
	char *root;
	unsigned limits; /* of enum blobwire_capability */
	struct frame_input in;
	struct frame_output out;
	struct queue *work;    /* what may take long */
	struct queue *express; /* what must not wait behind it */
	pthread_t threads[SERVE_THREADS + 1];
	int n_threads;
	pthread_mutex_t lock;			   /* over what follows */
	unsigned outstanding;			   /* requests without their last answer */
	unsigned n_puts;			   /* puts among them */
	struct serve_put *puts[BLOBWIRE_PUTS_MAX]; /* those with READY; NULL between */
	int ending;				   /* atomic: drop what is queued */
};

/* Start the threads.  0 or ERR_NOMEM. */
int serve_work_start(struct server *s);
/* Let them end; what is queued is dropped. */
void serve_work_stop(struct server *s);
void serve_put_free(struct serve_put *p);

#endif
