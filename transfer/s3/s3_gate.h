/*
 * How many requests a server gets at once: it begins with a few, gets one more after each round
 * that went well, and half as many as soon as it complains (additive increase, multiplicative
 * decrease).
 */
#ifndef TRANSFER_S3_GATE_H
#define TRANSFER_S3_GATE_H

#include <pthread.h>

enum { S3_GATE_START = 8, S3_GATE_MAX = 32 };

struct s3_gate {
	pthread_mutex_t lock;
	pthread_cond_t room;
	int width, inside, successes;
	int narrowed; /* requests inside when it was narrowed last: theirs are no new complaints */
};

void s3_gate_init(struct s3_gate *g);
void s3_gate_release(struct s3_gate *g);

/* Wait for room.  0, or ERR_INTERRUPTED when *stop (may be NULL) became non-zero. */
int s3_gate_enter(struct s3_gate *g, const volatile int *stop);

enum s3_gate_outcome {
	S3_GATE_WELL,
	S3_GATE_OVERLOAD, /* 503, 429, silence */
	S3_GATE_OTHER	  /* says nothing of the load */
};
void s3_gate_leave(struct s3_gate *g, enum s3_gate_outcome outcome);

#endif
