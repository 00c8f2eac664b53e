/*
 * How the agent fetches from a blob store for a client that asks for one object at a time and waits
 * for each: the store is listed once, and with a small object come its neighbours in the pack,
 * which are likely to be asked for next - of this agent or of another one that the client started.
 * They wait in ".git/dvx/agent/<key of the store>/near", which ends with the last agent.
 */
#ifndef TRANSFER_AGENT_FETCH_H
#define TRANSFER_AGENT_FETCH_H

#include "transfer/engine.h"

struct agent_fetcher;

/* For the blob store e->remote, `e` borrowed.  Makes directories, asks nothing. */
int agent_fetcher_new(struct agent_fetcher **out, struct engine *e);
void agent_fetcher_free(struct agent_fetcher *f);
/* Fetch the object to a file, answering through the engine.  0; or the failure of everything, with
 * the object open. */
int agent_fetch(struct agent_fetcher *f, struct transfer_object *o);

#endif
