/*
 * Asking a Git LFS server what is to be done with objects (Batch API), and checking what it says.
 */
#ifndef TRANSFER_LFS_BATCH_H
#define TRANSFER_LFS_BATCH_H

#include "lib/wire/lfsjson.h"
#include "transfer/engine.h"
#include "transfer/lfs/lfs_client.h"

struct lfs_asker { /* threads may share it */
	struct engine *engine;
	struct lfs_client *client;
	const struct lfs_endpoint *endpoint;
	struct strvec transfers; /* adapters to offer, "basic" among them */
};

/* One request about at most LFS_BATCH_OBJECTS objects of distinct ids.  0: out->objects[i] is the
 * answer about objects[i], with an error of its own where the server has left it out or is wrong
 * about its size, and actions whose headers can be sent as they are.  ERR_LIMIT: too many objects
 * for this server; ERR_UNSUPPORTED: it wants another adapter or hash than we offered; ERR_REMOTE,
 * ERR_DENIED…: no answer, or one that makes no sense. */
int lfs_batch_ask(struct lfs_batch *out, const struct lfs_asker *a,
	struct transfer_object *const *objects, size_t n);
/* Move answer `i` into a batch of its own, which is zeroed before. */
int lfs_batch_take(struct lfs_batch *one, struct lfs_batch *from, size_t i);
/* 1 if the action may be over before it is used. */
int lfs_action_is_old(const struct lfs_action *a);
/* The object's error as ours: its code, and a message with what to do. */
int lfs_batch_error(const struct lfs_batch_object *o);

#endif
