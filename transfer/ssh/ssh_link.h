/*
 * A connection to the far side (docs/ssh-protocol.md): requests of many threads over one ssh.
 */
#ifndef TRANSFER_SSH_LINK_H
#define TRANSFER_SSH_LINK_H

#include <pthread.h>

#include "lib/wire/blobwire.h"
#include "transfer/remote/remote.h"
#include "transfer/ssh/ssh_process.h"

struct ssh_link;

/* One request, on the stack of who waits for it.  Set by the caller before ssh_link_begin: type,
 * into, room.  The rest is the link's, and may be looked at when ssh_link_wait has returned. */
struct ssh_call {
	uint8_t type;
	void *into; /* GET: where the bytes go */
	size_t room;

	uint32_t id;
	size_t got;
	struct buf entries; /* LIST: what has come and was not taken yet */
	size_t n_entries;   /* in all */
	uint64_t sent;	    /* PUT */
	uint64_t received;  /* PUT: by the far side */
	int ready;	    /* PUT */
	int committed;	    /* PUT */
	int done;	    /* the last answer has come */
	int rc;		    /* ERROR's code, or 0 */
	uint64_t value;	    /* DONE's */
	char *message;	    /* ERROR's */
	pthread_cond_t changed;
	struct ssh_call *next;
};

/* What a caller can wait for, besides the last answer. */
enum ssh_event {
	SSH_DONE,   /* nothing else */
	SSH_READY,  /* PUT: data may be sent */
	SSH_ROOM,   /* PUT: some more data may be sent */
	SSH_ENTRIES /* LIST: there are some */
};

struct ssh_link_options {
	struct ssh_process_options process;
	const struct remote *remote; /* name and stop */
};

/* Start ssh and wait for the far side's hello.  0 or an error as ssh_process_explain makes it. */
int ssh_link_open(struct ssh_link **out, const struct ssh_link_options *o);
/* End it: nobody may be in a call.  NULL is fine. */
void ssh_link_close(struct ssh_link *l);
/* 1 when it is of no more use. */
int ssh_link_is_dead(struct ssh_link *l);

/* Send the request as `c` (r->id is set).  On 0 ssh_link_end must follow. */
int ssh_link_begin(struct ssh_link *l, struct ssh_call *c, struct blobwire_request *r);
/* Wait for the event: 0; or the last answer, after which there is nothing to wait for: 1; an error
 * of the connection or ERR_INTERRUPTED, after which no answer comes any more. */
int ssh_link_wait(struct ssh_link *l, struct ssh_call *c, enum ssh_event event);
/* The last answer as the result of the caller: 0 (see c->value) or the far side's error. */
int ssh_link_result(struct ssh_link *l, const struct ssh_call *c);
/* Take the entries that have come. */
void ssh_link_take(struct ssh_link *l, struct ssh_call *c, struct buf *out);
/* Send a DATA frame of a put (header room in front: BLOBWIRE_HEADER_LEN bytes), or COMMIT. */
int ssh_link_data(struct ssh_link *l, struct ssh_call *c, uint8_t *frame, size_t len);
int ssh_link_commit(struct ssh_link *l, struct ssh_call *c);
/* The caller is no longer interested.  Without a last answer the connection ends with it. */
void ssh_link_end(struct ssh_link *l, struct ssh_call *c);

#endif
