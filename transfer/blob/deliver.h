/*
 * Where a download's bytes go: the local store, or a temporary file for a client that moves it
 * itself.  Hashed once, on the way; nothing gets a final name with the wrong hash.
 */
#ifndef TRANSFER_DELIVER_H
#define TRANSFER_DELIVER_H

#include "transfer/engine.h"

struct deliver {
	struct engine *engine;
	struct transfer_object *object;
	struct store_writer *writer; /* to the store */
	int fd;			     /* to a file */
	struct buf temp;
	struct oid_ctx hash;
	uint64_t size;
};

/* Begin to receive an object to where it is wanted: the store, a file, or (engine.check) nowhere.
 * Both are borrowed until deliver_finish.  0, or the error of a file that cannot be made. */
int deliver_begin(struct deliver *d, struct engine *e, struct transfer_object *o);
/* The same for a large object: *have bytes of it are in the store from an earlier attempt. */
int deliver_resume(struct deliver *d, struct engine *e, struct transfer_object *o, uint64_t *have);
/* Before all data: go on behind the first `len` <= *have bytes. */
int deliver_keep(struct deliver *d, uint64_t len);
/* More than the object's size is ERR_CORRUPT. */
int deliver_data(struct deliver *d, const void *p, size_t len);
/* Check and put in place: 0; ERR_CORRUPT: nothing of it is kept.  Finished in every case. */
int deliver_finish(struct deliver *d);
/* Give up; what deliver_resume may go on with stays.  Fine after deliver_finish. */
void deliver_abort(struct deliver *d);

#endif
