/*
 * What the two halves of ssh_link.h share: its callers and reader (ssh_link.c), and the meaning of
 * answers (ssh_link_answers.c).
 */
#ifndef TRANSFER_SSH_LINK_INTERNAL_H
#define TRANSFER_SSH_LINK_INTERNAL_H

#include "transfer/ssh/frame_io.h"
#include "transfer/ssh/ssh_link.h"

struct ssh_link {
	const struct remote *remote;
	char *host;
	int stall_ms;
	struct ssh_process process;
	int started; /* the reader thread */
	pthread_t reader;
	struct frame_input in;
	struct frame_output out;
	struct blobwire_hello far;

	pthread_mutex_t lock; /* over what follows, and the calls */
	pthread_cond_t room;  /* a call has ended */
	struct ssh_call *calls;
	unsigned n_calls, n_puts;
	uint32_t last_id;
	uint32_t ping; /* id of the ping that is out; 0: none */
	int64_t heard; /* when something came last, or had to come from then on; ms */
	int closing;
	int rc; /* negative: dead */
	char *message;
};

/* Make the error of a far side that says what it must not. */
int ssh_link_breach(const struct ssh_link *l, const char *what);
/* Under the lock: an answer has come.  0, or why the connection is to end. */
int ssh_link_answer(struct ssh_link *l, const struct blobwire_frame *f);

#endif
