/*
 * How the agent sends an object to a blob store when it is given one at a time, by a client that
 * waits for each: Git LFS starts several agents and gives each the next object when the last one is
 * done.  Small objects of all agents are gathered in one spool (.git/dvx/agent) and travel
 * together; large ones go by themselves, beside each other.
 */
#ifndef TRANSFER_AGENT_SEND_H
#define TRANSFER_AGENT_SEND_H

#include "transfer/engine.h"

struct agent_sender;

/* Append the directory for what the agents of this repository share about e->spec. */
int agent_state_dir(const struct engine *e, struct buf *out);

/* For the blob store e->spec, `e` borrowed.  Makes directories.  `alone`: the client has started no
 * other agent, so it makes no sense to wait for what they bring. */
int agent_sender_new(struct agent_sender **out, struct engine *e, int alone);
void agent_sender_free(struct agent_sender *s);
/* Send the file o->file, answering through the engine when it is durable on the remote.  0; or the
 * failure of everything, with the object open. */
int agent_send(struct agent_sender *s, struct transfer_object *o);

#endif
